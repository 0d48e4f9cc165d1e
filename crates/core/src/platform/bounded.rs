//! Files that somebody else wrote, read whole and up to a length: `/dev/zero`, or what is no document at all, must not fill the memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The largest document that is read, in bytes: a summary has some 100 KiB.
pub const DOCUMENT_BYTES: u64 = 32 * 1024 * 1024;

/// The largest file that people write by hand, in bytes: a plan, prices, certificates.
pub const TEXT_BYTES: u64 = 16 * 1024 * 1024;

/// The bytes of a file.
///
/// # Errors
/// When it cannot be read, or has more than `most` bytes.
pub fn read_bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    bytes_of(&mut File::open(path)?, most)
}

/// The text of a file.
///
/// # Errors
/// When it cannot be read, has more than `most` bytes, or is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    text(read_bytes(path, most)?)
}

/// The text of whatever can be read.
///
/// # Errors
/// When it cannot be read, has more than `most` bytes, or is not UTF-8.
pub fn text_of(reader: &mut dyn Read, most: u64) -> io::Result<String> {
    text(bytes_of(reader, most)?)
}

/// That something is larger than it may be.
pub fn too_large(most: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::FileTooLarge,
        format!("it is larger than {} MiB", most >> 20),
    )
}

fn bytes_of(reader: &mut dyn Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        Err(too_large(most))
    } else {
        Ok(bytes)
    }
}

/// Bytes that have to be a text.
///
/// # Errors
/// When they are not UTF-8.
pub fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_given_up() {
        let error = read_text(Path::new("/dev/zero"), 3 << 20).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (io::ErrorKind::FileTooLarge, "it is larger than 3 MiB")
        );
        assert_eq!(text_of(&mut &b"abc"[..], 3).unwrap(), "abc");
        assert!(text_of(&mut &b"abcd"[..], 3).is_err());
        assert_eq!(
            text_of(&mut &b"\xff"[..], 3).unwrap_err().to_string(),
            "it is not UTF-8"
        );
    }
}
