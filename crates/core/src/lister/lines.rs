//! Lines of a file that somebody else wrote: each of a bounded length, so that `/dev/zero` or a file without line ends does not fill the memory.

use std::io::{self, BufRead, Read as _};

/// Reads a file line by line.
pub(super) struct Lines<R> {
    reader: R,
    /// Most bytes of a line, without its end.
    most: usize,
    line: Vec<u8>,
}

/// A line that cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// A line has more bytes than are allowed.
    #[error("it is longer than {most} bytes")]
    TooLong {
        /// Most bytes of a line.
        most: usize,
    },
}

impl<R: BufRead> Lines<R> {
    /// Lines of at most `most` bytes.
    pub(super) fn new(reader: R, most: usize) -> Self {
        Self {
            reader,
            most,
            line: Vec::new(),
        }
    }

    /// The next line, with its end as it was written (`\n`, `\r\n`, or none at the end of the file); `None` at the end.
    ///
    /// # Errors
    /// When it cannot be read, or is too long.
    pub(super) fn next_line(&mut self) -> Result<Option<&[u8]>, LineError> {
        self.line.clear();
        // Two more for the end of the line.
        let most = self.most as u64 + 2;
        if self
            .reader
            .by_ref()
            .take(most)
            .read_until(b'\n', &mut self.line)?
            == 0
        {
            return Ok(None);
        }
        if without_end(&self.line).len() > self.most {
            return Err(LineError::TooLong { most: self.most });
        }
        Ok(Some(&self.line))
    }
}

/// A line without its end, `\n` or `\r\n`.
pub(super) fn without_end(line: &[u8]) -> &[u8] {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    text.strip_suffix(b"\r").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_with_their_ends() {
        let mut lines = Lines::new(&b"ab\n\r\nabc\r\nx"[..], 3);
        for expected in [&b"ab\n"[..], b"\r\n", b"abc\r\n", b"x"] {
            assert_eq!(lines.next_line().unwrap(), Some(expected));
        }
        assert_eq!(lines.next_line().unwrap(), None);
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let mut lines = Lines::new(io::BufReader::new(io::repeat(0)), 1000);
        assert_eq!(
            lines.next_line().unwrap_err().to_string(),
            "it is longer than 1000 bytes"
        );
        assert!(Lines::new(&b"abcd\n"[..], 3).next_line().is_err());
    }
}
