//! Documents say what they are and of which version, which is looked at before the rest: a later version may have changed the rest.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What a text must say of itself to be read.
pub(super) struct DocumentKind {
    /// What its field `schema` says.
    pub schema: &'static str,
    /// The last version that this program reads.
    pub version: u32,
    /// What it is called.
    pub name: &'static str,
    /// The same, where it is known which it is.
    pub short: &'static str,
}

/// Why a text is not the document that was looked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotThisDocument {
    /// Not JSON, or a field is missing or of another kind.
    #[error("not a {name}: {cause}")]
    Json {
        /// What was looked for.
        name: &'static str,
        /// What is wrong.
        cause: serde_json::Error,
    },
    /// Another kind of document.
    #[error("not a {name}: its schema is `{schema}`")]
    Schema {
        /// What was looked for.
        name: &'static str,
        /// What it says that it is.
        schema: String,
    },
    /// Written by a later parfetch that changed what fields mean.
    #[error("the {name} has version {version}, and this parfetch reads up to version {most}")]
    Version {
        /// What it is.
        name: &'static str,
        /// Its version.
        version: u32,
        /// The last one that is read.
        most: u32,
    },
}

impl DocumentKind {
    /// Reads a document of this kind; fields that a later parfetch added are passed over.
    pub fn read<T: DeserializeOwned>(&self, text: &str) -> Result<T, NotThisDocument> {
        #[derive(Deserialize)]
        struct DocumentHead {
            schema: String,
            version: u32,
        }
        let name = self.name;
        let no_json = |cause| NotThisDocument::Json { name, cause };
        let DocumentHead { schema, version } = serde_json::from_str(text).map_err(no_json)?;
        if schema != self.schema {
            return Err(NotThisDocument::Schema { name, schema });
        }
        if version > self.version {
            let (name, most) = (self.short, self.version);
            return Err(NotThisDocument::Version {
                name,
                version,
                most,
            });
        }
        serde_json::from_str(text).map_err(no_json)
    }
}
