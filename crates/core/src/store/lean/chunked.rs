//! The chunked coding, as a machine that takes any pieces. Line ends are CR LF and nothing else.

use super::head::MalformedHead;

/// Most bytes of all extensions of a body, and of its trailer: nobody needs them.
const ASIDE_BYTES: u32 = 16 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChunkPlace {
    /// In the digits of a size; whether there was one yet.
    Size {
        any: bool,
    },
    /// Behind the size: white space or an extension.
    Extension,
    /// CR of the size's line seen.
    SizeEnd,
    /// In the bytes of a chunk.
    Data,
    /// All bytes of the chunk seen.
    DataEnd,
    /// And the CR behind them.
    DataEndLf,
    /// At the start of a line of the trailer.
    TrailerStart,
    /// Inside one.
    Trailer,
    /// CR of such a line seen.
    TrailerEnd,
    /// CR of the empty line seen.
    LastLf,
    Done,
}

/// Where in a chunked body its reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunked {
    place: ChunkPlace,
    /// Of the chunk, in bytes.
    left: u64,
    aside: u32,
}

impl Chunked {
    /// At the start of a body.
    pub(super) fn new() -> Self {
        Self {
            place: ChunkPlace::Size { any: false },
            left: 0,
            aside: 0,
        }
    }

    /// Whether the empty line after the trailer came.
    pub(super) fn is_done(&self) -> bool {
        self.place == ChunkPlace::Done
    }

    /// Takes the next step into `bytes`, which are not empty: how many bytes it took, and whether they are of the body.
    pub(super) fn step(&mut self, bytes: &[u8]) -> Result<(usize, bool), MalformedHead> {
        if self.place == ChunkPlace::Data {
            let length =
                usize::try_from(self.left).map_or(bytes.len(), |left| left.min(bytes.len()));
            self.left -= length as u64;
            if self.left == 0 {
                self.place = ChunkPlace::DataEnd;
            }
            return Ok((length, true));
        }
        self.place = self.after(bytes[0])?;
        Ok((1, false))
    }

    fn after(&mut self, byte: u8) -> Result<ChunkPlace, MalformedHead> {
        let place = match (self.place, byte) {
            (ChunkPlace::Size { .. }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16).expect("a hexadecimal digit");
                let size = self
                    .left
                    .checked_mul(16)
                    .and_then(|size| size.checked_add(u64::from(digit)));
                self.left = size.ok_or(MalformedHead("a chunk of 2^64 bytes or more"))?;
                ChunkPlace::Size { any: true }
            }
            (ChunkPlace::Size { any: true } | ChunkPlace::Extension, b'\r') => ChunkPlace::SizeEnd,
            (ChunkPlace::Size { any: true }, b';' | b' ' | b'\t') => ChunkPlace::Extension,
            (ChunkPlace::Extension, byte) if byte != b'\n' => self.aside(ChunkPlace::Extension)?,
            (ChunkPlace::SizeEnd, b'\n') if self.left == 0 => ChunkPlace::TrailerStart,
            (ChunkPlace::SizeEnd, b'\n') => ChunkPlace::Data,
            (ChunkPlace::DataEnd, b'\r') => ChunkPlace::DataEndLf,
            (ChunkPlace::DataEndLf, b'\n') => ChunkPlace::Size { any: false },
            (ChunkPlace::TrailerStart, b'\r') => ChunkPlace::LastLf,
            (ChunkPlace::Trailer, b'\r') => ChunkPlace::TrailerEnd,
            (ChunkPlace::TrailerStart | ChunkPlace::Trailer, byte) if byte != b'\n' => {
                self.aside(ChunkPlace::Trailer)?
            }
            (ChunkPlace::TrailerEnd, b'\n') => ChunkPlace::TrailerStart,
            (ChunkPlace::LastLf, b'\n') => ChunkPlace::Done,
            _ => return Err(MalformedHead("no chunk where one should be")),
        };
        Ok(place)
    }

    fn aside(&mut self, place: ChunkPlace) -> Result<ChunkPlace, MalformedHead> {
        self.aside += 1;
        if self.aside > ASIDE_BYTES {
            Err(MalformedHead("too many bytes beside the chunks"))
        } else {
            Ok(place)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body, and what is left behind its end.
    fn decoded(mut bytes: &[u8]) -> Result<(Vec<u8>, Vec<u8>), MalformedHead> {
        let (mut chunked, mut body) = (Chunked::new(), Vec::new());
        while !chunked.is_done() && !bytes.is_empty() {
            let (taken, of_body) = chunked.step(bytes)?;
            if of_body {
                body.extend_from_slice(&bytes[..taken]);
            }
            bytes = &bytes[taken..];
        }
        if chunked.is_done() {
            Ok((body, bytes.to_vec()))
        } else {
            Err(MalformedHead("cut"))
        }
    }

    #[test]
    fn chunks_with_extensions_and_a_trailer() {
        let decoded = |text: &str| decoded(text.as_bytes());
        let body = |text: &str| Ok((text.as_bytes().to_vec(), Vec::new()));
        assert_eq!(decoded("0\r\n\r\n"), body(""));
        assert_eq!(decoded("3\r\nabc\r\n0\r\n\r\n"), body("abc"));
        assert_eq!(
            decoded("00a;n=v;\"q\"\r\n0123456789\r\n1 \r\nx\r\n0;last\r\nX-Sum: 1\r\nY: 2\r\n\r\n"),
            body("0123456789x")
        );
        assert_eq!(decoded("0\r\n\r\nHTTP"), Ok((Vec::new(), b"HTTP".to_vec())));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "\r\n",
            "x\r\n",
            "3\nabc\r\n",
            "3\r\nabcd\r\n",
            "3\r\nabc\n",
            "3\r\rabc",
            "-1\r\n",
            " 3\r\n",
            ";\r\n",
            "0\r\n\n",
            "0\r\nA\n",
            "1 \n",
        ] {
            assert_eq!(
                decoded(text.as_bytes()).unwrap_err(),
                MalformedHead("no chunk where one should be"),
                "{text:?}"
            );
        }
        assert_eq!(
            decoded(b"10000000000000000\r\n").unwrap_err(),
            MalformedHead("a chunk of 2^64 bytes or more")
        );
        let aside = "x".repeat(16 * 1024);
        for text in [
            format!("1;{aside}y\r\n"),
            format!("0\r\n{aside}y\r\n"),
            format!("1;{aside}\r\na\r\n0\r\ny\r\n\r\n"),
        ] {
            assert_eq!(
                decoded(text.as_bytes()).unwrap_err(),
                MalformedHead("too many bytes beside the chunks")
            );
        }
        assert!(decoded(format!("1;{aside}\r\na\r\n0\r\n\r\n").as_bytes()).is_ok());
    }
}
