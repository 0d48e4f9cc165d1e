//! The key files of a job: cut out of the listing, written here one at a time, stored several at once, and removed.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};

use super::document::ShardKeys;
use super::job::BatchJob;
use super::tally::{KeyTally, breathe};
use crate::exit::{Exit, Failure};
use crate::lister::KeyFileWriter;
use crate::plan::Shard;
use crate::spool::keys::KeyFile;
use crate::store::{Bucket, Replace};

/// Key files on their way to the bucket at once: so many lie here beside the one that is written.
const UPLOADS: usize = 16;

/// Where key files come from and go.
pub(super) struct KeyFileSet<'a> {
    pub(super) job: &'a BatchJob,
    pub(super) file: &'a KeyFile,
    pub(super) tally: &'a KeyTally,
    /// Folder for files on their way.
    pub(super) spool: &'a Path,
    pub(super) shards: u32,
}

/// A key file that is being written.
struct OpenKeyFile {
    part: u64,
    path: PathBuf,
    writer: KeyFileWriter<BufWriter<File>>,
    holds: ShardKeys,
}

impl KeyFileSet<'_> {
    /// Stores them all: what each shard has. `stored` hears how many there are.
    pub(super) async fn store(
        &self,
        bucket: &Bucket,
        mut stored: impl FnMut(u64),
    ) -> Result<Vec<ShardKeys>, Failure> {
        let (mut cutter, weigh) = (self.tally.cutter(self.shards), self.tally.weigh());
        let mut uploads = FuturesUnordered::new();
        let (mut parts, mut open, mut done) = (Vec::new(), None::<OpenKeyFile>, 0);
        for (number, record) in (0..).zip(self.file.iter()) {
            let record = record.map_err(|error| unreadable(&error))?;
            // Files are on their way while the next one is written.
            if breathe(number).await
                && let Some(Some(sent)) = uploads.next().now_or_never()
            {
                sent?;
                done += 1;
                stored(done);
            }
            let part = cutter.part_of(weigh.weight(record.size));
            if let Some(complete) = open.take_if(|open| open.part != part) {
                parts.push(complete.holds);
                uploads.push(upload(
                    bucket.clone(),
                    (
                        self.key(complete.part)?,
                        complete.end().map_err(|error| self.unwritable(&error))?,
                    ),
                ));
                if uploads.len() >= UPLOADS {
                    uploads.next().await.transpose()?;
                    done += 1;
                    stored(done);
                }
            }
            let current = match &mut open {
                Some(open) => open,
                none => none.insert(self.begin(part).map_err(|error| self.unwritable(&error))?),
            };
            current.holds.add(record.size);
            current
                .writer
                .push(&record)
                .map_err(|error| self.unwritable(&error))?;
        }
        if let Some(last) = open {
            parts.push(last.holds);
            uploads.push(upload(
                bucket.clone(),
                (
                    self.key(last.part)?,
                    last.end().map_err(|error| self.unwritable(&error))?,
                ),
            ));
        }
        while uploads.next().await.transpose()?.is_some() {
            done += 1;
            stored(done);
        }
        Ok(parts)
    }

    fn begin(&self, part: u64) -> io::Result<OpenKeyFile> {
        let path = self.spool.join(format!("shard-{part}.tsv"));
        let writer =
            KeyFileWriter::new(BufWriter::with_capacity(256 * 1024, File::create(&path)?))?;
        Ok(OpenKeyFile {
            part,
            path,
            writer,
            holds: ShardKeys {
                keys: 0,
                bytes: Some(0),
            },
        })
    }

    fn key(&self, part: u64) -> Result<String, Failure> {
        let shard: Result<Shard, _> = format!("{part}/{}", self.shards).parse();
        let shard = shard.map_err(|error| Failure::new(Exit::Unexpected, error))?;
        Ok(self.job.key(&format!("keys/{}", shard.key_file())))
    }

    fn unwritable(&self, error: &io::Error) -> Failure {
        Failure::new(
            Exit::SetUp,
            format!(
                "cannot write a key file to {}: {error}",
                self.spool.display()
            ),
        )
        .hint("name a folder with room in --spool-dir")
    }
}

impl OpenKeyFile {
    /// Completes the file.
    fn end(self) -> io::Result<PathBuf> {
        self.writer.finish()?;
        Ok(self.path)
    }
}

/// Stores one, and removes it here.
async fn upload(mut bucket: Bucket, (key, path): (String, PathBuf)) -> Result<(), Failure> {
    bucket.store_file(&key, &path, Replace::Yes).await?;
    // Its folder is a temporary one.
    let _left_behind = fs::remove_file(&path);
    Ok(())
}

pub(super) fn unreadable(error: &io::Error) -> Failure {
    Failure::new(Exit::SetUp, format!("cannot read the key list: {error}"))
}
