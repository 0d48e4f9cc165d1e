//! The storage classes of listed keys.

use std::collections::BTreeMap;
use std::io;

use crate::platform::cancel::Cancelled;
use crate::results::summary::StorageClass;
use crate::spool::keys::KeyFile;

/// The keys that were listed, by storage class; one pass over them.
///
/// # Errors
/// When the key file cannot be read, or the work was cancelled.
pub fn storage_classes(
    keys: &KeyFile,
    cancelled: &Cancelled,
) -> io::Result<BTreeMap<String, StorageClass>> {
    let mut classes: BTreeMap<String, StorageClass> = BTreeMap::new();
    for record in keys.iter() {
        let record = cancelled.check().and(record)?;
        let class = if record.storage_class.is_empty() {
            "STANDARD"
        } else {
            &record.storage_class
        };
        let count = classes.entry(class.to_owned()).or_default();
        count.objects += 1;
        count.bytes = count.bytes.saturating_add(record.size.unwrap_or(0));
    }
    Ok(classes)
}
