//! CPU work on the bytes of a body (`--work`).

use std::hint::black_box;

use md5::{Digest, Md5};
use sha2::Sha256;

use crate::plan::Work;

/// A digest that is computed and thrown away.
pub(super) enum Hasher {
    None,
    Md5(Box<Md5>),
    Sha256(Box<Sha256>),
    Crc64(Box<crc_fast::Digest>),
}

impl Hasher {
    pub(super) fn new(work: Work) -> Self {
        match work {
            Work::None => Self::None,
            Work::Md5 => Self::Md5(Box::default()),
            Work::Sha256 => Self::Sha256(Box::default()),
            Work::Crc64nvme => Self::Crc64(Box::new(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme))),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::None => {}
            Self::Md5(digest) => digest.update(bytes),
            Self::Sha256(digest) => digest.update(bytes),
            Self::Crc64(digest) => digest.update(bytes),
        }
    }

    /// Completes the work; the compiler must not find out that nobody looks.
    pub(super) fn finish(self) {
        match self {
            Self::None => {}
            Self::Md5(digest) => _ = black_box(digest.finalize()),
            Self::Sha256(digest) => _ = black_box(digest.finalize()),
            Self::Crc64(digest) => _ = black_box(digest.finalize()),
        }
    }
}
