//! What parent and child say to each other: frames of postcard behind a length, over the child's stdin and stdout.

use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::engine::error::EngineError;
use crate::plan::{ClientKind, FetchOptions};
use crate::platform::usage::CpuTimes;
use crate::store::{CredentialFeed, Credentials, Recipe, StoreError, StoreErrorKind};

/// A frame longer than this is no frame: something else wrote into the pipe.
const LONGEST: usize = 16 * 1024 * 1024;

/// The first frame: everything a child needs. Credentials come this way alone.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) number: u32,
    pub(super) concurrency: u32,
    pub(super) client: ClientKind,
    pub(super) fetch: FetchOptions,
    pub(super) recipe: Recipe,
    pub(super) secret: Option<Credentials>,
    /// How far the store's clock is ahead, in s, as far as is known.
    pub(super) clock_offset_s: i64,
    /// Folder of the items, as bytes of a path.
    #[serde(with = "serde_bytes")]
    pub(super) spool: Vec<u8>,
    /// When handing out stops, in a run that time ends.
    pub(super) until_ns: Option<u64>,
}

/// From parent to child.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToChild {
    Hello(Box<Hello>),
    /// The barrier opens: the epoch, in ns of the monotonic clock.
    Go(u64),
    /// Fetch these.
    Range(u64, u64),
    Credentials(Credentials),
    /// How far the store's clock is ahead of this machine's, in s.
    ClockOffset(i64),
    /// Leave the rest of the range after the fetch in flight.
    Stop,
    /// Give up the fetch in flight.
    Abort,
    /// There is nothing left: say good-bye.
    Finish,
}

/// From child to parent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FromChild {
    /// The client is made.
    Ready,
    /// Rows of fetches that ended, and bytes read meanwhile.
    Rows(RowBatch),
    /// Still there, with bytes read meanwhile: once a second in which there were no rows.
    Pulse(Traffic),
    /// Credentials of this version expired.
    Expired(u64),
    /// The store's clock is so far ahead of this machine's, in s.
    ClockOffset(i64),
    /// The last frame.
    Bye(ChildReport),
}

/// Rows, encoded one after another; every unit of the front range below `through` is acknowledged by it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct RowBatch {
    pub(super) through: u64,
    // Serde alone would write and read each byte as a value of its own.
    #[serde(with = "serde_bytes")]
    pub(super) rows: Vec<u8>,
    pub(super) traffic: Traffic,
}

/// What a child has read.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Traffic {
    /// Body bytes since it began.
    pub(super) bytes: u64,
    /// What was read since the last frame: (second since the epoch, bytes).
    pub(super) series: Vec<(u64, u64)>,
}

/// What a child measured of itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct ChildReport {
    /// CPU between barrier and end.
    pub(super) fetch_cpu: Option<CpuTimes>,
    pub(super) peak_rss_bytes: Option<u64>,
    pub(super) connections: u64,
    pub(super) warnings: Vec<String>,
    pub(super) failure: Option<ChildFailure>,
}

/// Why a child's worker could not do its job: what of [`EngineError`] can cross a pipe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum ChildFailure {
    /// The client could not be made: message and hint.
    Client(String, Option<String>),
    /// What to fetch could not be read.
    Spool(String),
    /// Anything else.
    Other(String),
}

impl From<EngineError> for ChildFailure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Client(error) => Self::Client(error.message, error.hint),
            EngineError::Spool(cause) => Self::Spool(cause.to_string()),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<ChildFailure> for EngineError {
    fn from(failure: ChildFailure) -> Self {
        match failure {
            ChildFailure::Client(message, hint) => Self::Client(StoreError {
                hint,
                ..StoreError::new(StoreErrorKind::Other, message)
            }),
            ChildFailure::Spool(cause) => Self::Spool(io::Error::other(cause)),
            ChildFailure::Other(message) => {
                Self::system("a child process stopped", io::Error::other(message))
            }
        }
    }
}

/// What children need to sign with from now on; never, when requests are unsigned.
pub(super) async fn signing_news(feed: &mut Option<CredentialFeed>) -> ToChild {
    let Some(feed) = feed else {
        return std::future::pending().await;
    };
    let mut clock = feed.clock.clone();
    tokio::select! {
        keys = feed.next() => ToChild::Credentials(keys.as_ref().clone()),
        seconds = clock.changed() => {
            feed.clock = clock;
            ToChild::ClockOffset(seconds)
        }
    }
}

/// Writes one frame.
pub(super) async fn send<W: AsyncWrite + Unpin>(
    writer: &mut W,
    frame: &impl Serialize,
) -> io::Result<()> {
    let mut bytes = vec![0; 4];
    bytes = postcard::to_extend(frame, bytes).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len() - 4).map_err(io::Error::other)?;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    writer.write_all(&bytes).await
}

/// Reads frames; what was read of one is kept when the future is dropped.
pub(super) struct FrameReader<R> {
    reader: R,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
        }
    }

    /// The next frame; `None` at the end of the pipe.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        loop {
            if let Some((length, rest)) = self.buffer.split_first_chunk::<4>() {
                let length =
                    usize::try_from(u32::from_le_bytes(*length)).map_err(io::Error::other)?;
                if length > LONGEST {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "the pipe carries something that is no frame",
                    ));
                }
                if let Some(bytes) = rest.get(..length) {
                    let frame = postcard::from_bytes(bytes)
                        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                    self.buffer.drain(..4 + length);
                    return Ok(Some(frame));
                }
            }
            if self.reader.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_survive_a_pipe_that_cuts_them() {
        let (mut near, far) = tokio::io::duplex(3);
        let batch = RowBatch {
            through: 9,
            rows: vec![7; 1000],
            traffic: Traffic {
                bytes: 2,
                series: vec![(1, 2)],
            },
        };
        let writing = async {
            send(&mut near, &FromChild::Rows(batch)).await.unwrap();
            send(&mut near, &FromChild::Expired(5)).await.unwrap();
            drop(near);
        };
        let reading = async {
            let mut reader = FrameReader::new(far);
            let Some(FromChild::Rows(batch)) = reader.next().await.unwrap() else {
                panic!("rows come first")
            };
            assert_eq!(
                (batch.through, batch.rows.len(), batch.traffic.series),
                (9, 1000, vec![(1, 2)])
            );
            assert!(matches!(
                reader.next().await.unwrap(),
                Some(FromChild::Expired(5))
            ));
            assert!(reader.next::<FromChild>().await.unwrap().is_none());
        };
        tokio::join!(writing, reading);
    }

    #[tokio::test]
    async fn text_in_the_pipe_is_an_error_and_no_wait() {
        let mut reader = FrameReader::new(&b"some library printed this"[..]);
        assert!(reader.next::<FromChild>().await.is_err());
    }
}
