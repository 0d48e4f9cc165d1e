//! CPU work on the bytes of a body (`--work`).

use std::hint::black_box;

use md5::{Digest, Md5};
use sha2::Sha256;

use crate::plan::Work;

/// At most so much of what may be an error document is kept: its code stands near its start.
const DOCUMENT_BYTES: usize = 16 * 1024;

/// A digest that is computed and thrown away.
pub(super) enum Hasher {
    None,
    /// One that also keeps the start of the body. A variant, so that other bodies pay nothing for it.
    Keeping(Box<Keeping>),
    Md5(Box<Md5>),
    Sha256(Box<Sha256>),
    Crc64(Box<crc_fast::Digest>),
}

/// A digest, and what may be an error document.
pub(super) struct Keeping {
    digest: Hasher,
    document: Vec<u8>,
    room: usize,
}

impl Keeping {
    fn update(&mut self, bytes: &[u8]) {
        if self.document.is_empty() && bytes.first() != Some(&b'<') {
            self.room = 0;
        }
        let kept = bytes.len().min(self.room);
        self.document.extend_from_slice(&bytes[..kept]);
        self.room -= kept;
        self.digest.update(bytes);
    }
}

impl Hasher {
    pub(super) fn new(work: Work) -> Self {
        match work {
            Work::None => Self::None,
            Work::Md5 => Self::Md5(Box::default()),
            Work::Sha256 => Self::Sha256(Box::default()),
            Work::Crc64nvme => Self::Crc64(Box::new(crc_fast::Digest::new(
                crc_fast::CrcAlgorithm::Crc64Nvme,
            ))),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::None => {}
            Self::Keeping(keeping) => keeping.update(bytes),
            Self::Md5(digest) => digest.update(bytes),
            Self::Sha256(digest) => digest.update(bytes),
            Self::Crc64(digest) => digest.update(bytes),
        }
    }

    /// From here on the start of the body is kept, if it begins as an XML document does.
    pub(super) fn keep_document(&mut self) {
        let digest = std::mem::replace(self, Self::None);
        *self = Self::Keeping(Box::new(Keeping {
            digest,
            document: Vec::new(),
            room: DOCUMENT_BYTES,
        }));
    }

    /// Completes the work (the compiler must not find out that nobody looks); returns the document, if one was kept.
    pub(super) fn finish(self) -> Option<Vec<u8>> {
        match self {
            Self::None => {}
            Self::Keeping(keeping) => {
                keeping.digest.finish();
                return Some(keeping.document);
            }
            Self::Md5(digest) => _ = black_box(digest.finalize()),
            Self::Sha256(digest) => _ = black_box(digest.finalize()),
            Self::Crc64(digest) => _ = black_box(digest.finalize()),
        }
        None
    }
}
