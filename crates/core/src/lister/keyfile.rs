//! The key file of `--keys`: which keys, frozen, with a checksum.
//!
//! First line `# parfetch-keys 1`; a line a key: percent-encoded key, size, entity tag, storage class, separated by tabs (the last three may be missing);
//! last line `# sha256 ` and the SHA-256, in hex, of every byte before that line. Lines that end with `\r\n` count as those that end with `\n`.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::error::ListError;
use super::lines::{LineError, Lines, without_end};
use super::pick::Picker;
use crate::platform::cancel::Cancelled;
use crate::sample::KeyRecord;

/// The first line.
const VERSION: &str = "# parfetch-keys 1";
/// What to try when a line is wrong.
pub(super) const HINT: &str = "a key file begins with `# parfetch-keys 1`, has a percent-encoded key a line, and ends with `# sha256 …`";
/// What to try when there is no such file.
const UNREADABLE_HINT: &str = "--keys names a file on this machine, or s3://bucket/key";
/// What the last line begins with.
const CHECKSUM: &[u8] = b"# sha256 ";
/// Most bytes of a line: a key of the greatest length, every byte of it percent-encoded, has room with its other fields.
const LINE_BYTES: usize = 64 * 1024;
/// What some editors put in front of a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// Told of a file that is something else.
const NO_KEY_FILE: &str = "the first line is not `# parfetch-keys 1`";
/// Encoded in a key: what would end its field or line, the encoding's own sign, and `#` so that no key looks like a comment.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%').add(b'#');

/// Reads a key file.
pub(super) fn read(path: &Path, picker: &mut Picker) -> Result<(), ListError> {
    let name = path.display();
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::IsADirectory => ListError::Wrong(
            format!("the key file {name} is a directory"),
            UNREADABLE_HINT,
        ),
        _ => ListError::Wrong(
            format!("cannot read the key file {name}: {error}"),
            UNREADABLE_HINT,
        ),
    };
    let mut lines = Lines::new(
        BufReader::new(File::open(path).map_err(unreadable)?),
        LINE_BYTES,
    );
    let wrong = |number: u64, what: &str| {
        ListError::Wrong(format!("key file {name}, line {number}: {what}"), HINT)
    };
    let mut sums = Sums::default();
    let (mut number, mut complete, mut wanted) = (0, None, true);
    loop {
        number += 1;
        let line = match lines.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(LineError::Read(error)) => return Err(unreadable(error)),
            Err(LineError::TooLong { .. }) if number == 1 => {
                return Err(wrong(number, NO_KEY_FILE));
            }
            Err(LineError::TooLong { .. }) => {
                return Err(wrong(number, "the line is longer than 64 KiB"));
            }
        };
        let mut text = without_end(line);
        picker.check_cancelled()?;
        if complete.is_some() {
            return Err(wrong(number, "something follows the checksum"));
        }
        if number == 1 {
            text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
            if text != VERSION.as_bytes() {
                return Err(wrong(number, NO_KEY_FILE));
            }
        }
        if let Some(sum) = text.strip_prefix(CHECKSUM) {
            complete = Some(sums.include(&String::from_utf8_lossy(sum)));
            continue;
        }
        sums.add(line, text);
        if number > 1 && wanted && !text.is_empty() {
            let record = parse(text).map_err(|what| wrong(number, what))?;
            // The rest is read for its checksum alone.
            wanted = picker
                .take(&record)
                .map_err(|error| error.within(&format!("key file {name}, line {number}"), HINT))?;
        }
    }
    match complete {
        Some(true) => Ok(()),
        Some(false) => Err(ListError::Wrong(
            format!("the checksum of the key file {name} is wrong: it was changed or cut"),
            HINT,
        )),
        None if number == 1 => Err(ListError::Wrong(
            format!("the key file {name} is empty"),
            HINT,
        )),
        None => {
            picker.listed.unchecked = true;
            Ok(())
        }
    }
}

/// Checksums of the lines so far: as they are written here, and as [`KeyFileWriter`] writes them. A tool that turned the ends of the lines into
/// `\r\n`, or put a byte order mark in front, changed no key: in a key both are percent-encoded or not at the file's front.
#[derive(Default)]
struct Sums {
    as_written: Sha256,
    by_content: Sha256,
}

impl Sums {
    fn add(&mut self, line: &[u8], text: &[u8]) {
        self.as_written.update(line);
        self.by_content.update(text);
        self.by_content.update(b"\n");
    }

    /// Whether this is one of them, in hex.
    fn include(&self, sum: &str) -> bool {
        let sum = sum.trim().to_ascii_lowercase();
        [&self.as_written, &self.by_content]
            .into_iter()
            .any(|digest| hex::encode(digest.clone().finalize()) == sum)
    }
}

fn parse(line: &[u8]) -> Result<KeyRecord, &'static str> {
    let mut fields = line.split(|byte| *byte == b'\t');
    let key = fields.next().unwrap_or_default();
    let broken = key.iter().enumerate().any(|(i, byte)| {
        *byte == b'%'
            && !key
                .get(i + 1..i + 3)
                .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    });
    if broken {
        return Err("`%` is not followed by two hex digits (keys are percent-encoded)");
    }
    let key = percent_decode(key)
        .decode_utf8()
        .map_err(|_| "the key is not UTF-8")?
        .into_owned();
    if key.is_empty() {
        return Err("the key is empty");
    }
    let mut text = || {
        std::str::from_utf8(fields.next().unwrap_or_default()).map_err(|_| "a field is not UTF-8")
    };
    let size = match text()? {
        "" => None,
        size => Some(whole(size).ok_or("the size is not a whole number of bytes")?),
    };
    let (etag, storage_class) = (text()?.to_owned(), text()?.to_owned());
    match fields.next() {
        Some(_) => Err("there are more than four fields"),
        None => Ok(KeyRecord {
            key,
            size,
            etag,
            storage_class,
        }),
    }
}

/// A number of digits alone: the standard library takes a sign too.
fn whole(text: &str) -> Option<u64> {
    text.parse()
        .ok()
        .filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// SHA-256 in hex, as it stands in key files.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Writes a key file.
pub struct KeyFileWriter<W> {
    writer: W,
    digest: Sha256,
}

impl<W: Write> KeyFileWriter<W> {
    /// Writes the first line.
    pub fn new(writer: W) -> io::Result<Self> {
        let mut this = Self {
            writer,
            digest: Sha256::new(),
        };
        this.line(VERSION)?;
        Ok(this)
    }

    /// Writes one key.
    pub fn push(&mut self, record: &KeyRecord) -> io::Result<()> {
        let KeyRecord {
            key,
            size,
            etag,
            storage_class,
        } = record;
        let size = size.map(|size| size.to_string()).unwrap_or_default();
        self.line(&format!(
            "{}\t{size}\t{etag}\t{storage_class}",
            utf8_percent_encode(key, ENCODED)
        ))
    }

    /// Writes the checksum, and tells it.
    pub fn finish(mut self) -> io::Result<(W, String)> {
        let checksum = hex::encode(self.digest.finalize());
        self.writer.write_all(CHECKSUM)?;
        writeln!(self.writer, "{checksum}")?;
        self.writer.flush()?;
        Ok((self.writer, checksum))
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        let line = format!("{text}\n");
        self.digest.update(line.as_bytes());
        self.writer.write_all(line.as_bytes())
    }
}

/// Reads a file on a thread of its own: it may have millions of lines, or be a pipe, and signals are noticed meanwhile. When this future is dropped, the
/// thread ends at its next line. It is not waited for, as a pipe may never send one.
pub(super) async fn off_thread<T, F>(mut picker: Picker, read: F) -> Result<(Picker, T), ListError>
where
    T: Send + 'static,
    F: FnOnce(&mut Picker) -> Result<T, ListError> + Send + 'static,
{
    let cancelled = Cancelled::default();
    let _guard = cancelled.when_dropped();
    picker.cancelled = cancelled;
    let read = tokio::task::spawn_blocking(move || read(&mut picker).map(|found| (picker, found)));
    read.await
        .unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic()))
}
