//! The lister against scripted pages and key files.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::*;
use crate::fuzz::Target;
use crate::lister::keyfile::{KeyFileWriter, sha256_hex};
use crate::lister::pages::Pages;
use crate::plan::Shard;
use crate::sample::KeyRecord;
use crate::spool::keys::KeyFile;
use crate::store::StoreError;

#[derive(Clone)]
struct Script(Rc<RefCell<VecDeque<ListPage>>>);

impl PageSource for Script {
    type Pages = Self;

    async fn first(&mut self, query: &PageQuery) -> Result<ListPage, StoreError> {
        self.page(query).await
    }

    async fn pages(&mut self, _number: u32) -> Result<Self, StoreError> {
        Ok(self.clone())
    }

    fn lists_in_order(&self) -> bool {
        false
    }
}

impl Pages for Script {
    async fn page(&mut self, _query: &PageQuery) -> Result<ListPage, StoreError> {
        Ok(self
            .0
            .borrow_mut()
            .pop_front()
            .expect("the script has another page"))
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn page(keys: &[&str], next: Option<&str>) -> ListPage {
    let keys = keys
        .iter()
        .map(|key| KeyRecord {
            key: (*key).to_owned(),
            size: Some(10),
            ..KeyRecord::default()
        })
        .collect();
    ListPage {
        keys,
        truncated: next.is_some(),
        next: next.map(str::to_owned),
        ..ListPage::default()
    }
}

fn selection() -> Selection {
    Selection {
        source: KeySource::Listing,
        prefix: String::new(),
        limit: None,
        sample: None,
        shard: None,
    }
}

fn listed(
    selection: &Selection,
    script: Vec<ListPage>,
) -> Result<(Listed, Vec<String>), ListError> {
    let dir = tempfile::tempdir().unwrap();
    let mut script = Script(Rc::new(RefCell::new(script.into())));
    let picker = block_on(listing(&mut script, (selection, dir.path()), &mut |_| {}))?;
    let listed = picker.finish()?;
    let keys = KeyFile::open(dir.path())
        .unwrap()
        .iter()
        .map(|record| record.unwrap().key)
        .collect();
    Ok((listed, keys))
}

#[test]
fn all_pages_are_read_in_order() {
    let (listed, keys) = listed(
        &selection(),
        vec![
            page(&["a", "b"], Some("1")),
            page(&[], Some("2")),
            page(&["c"], None),
        ],
    )
    .unwrap();
    assert_eq!(keys, ["a", "b", "c"]);
    assert_eq!((listed.keys, listed.bytes, listed.pages), (3, Some(30), 3));
}

#[test]
fn pages_that_cannot_be_right_are_errors() {
    let truncated = |keys: &[&str]| ListPage {
        truncated: true,
        next: None,
        ..page(keys, None)
    };
    let text = |script| listed(&selection(), script).unwrap_err().to_string();
    let ignored = "page 2 does not begin behind the last key of the page before it: the store sends no continuation token, and ignores `start-after` and `marker`";
    assert_eq!(
        text(vec![
            truncated(&["a"]),
            truncated(&["a"]),
            truncated(&["a"])
        ]),
        ignored
    );
    assert_eq!(
        text(vec![truncated(&["b", "a"])]),
        "page 1 is truncated, is out of order and has no continuation token"
    );
    assert_eq!(
        text(vec![page(&["a"], Some("1")), page(&["b"], Some("1"))]),
        "page 2 repeats its continuation token"
    );
    assert_eq!(
        text(vec![page(&["a", "b"], Some("1")), page(&["b"], None)]),
        "the key `b` is named twice"
    );
}

#[test]
fn a_store_that_does_not_order_its_keys_is_listed_and_repeats_are_still_found() {
    let (_, keys) = listed(&selection(), vec![page(&["b", "a", "c"], None)]).unwrap();
    assert_eq!(keys, ["b", "a", "c"]);
    let error = listed(
        &selection(),
        vec![
            page(&["b", "d", "a", "c"], Some("1")),
            page(&["x", "d"], None),
        ],
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "the key `d` is named twice");
}

#[test]
fn shards_are_disjoint_and_complete() {
    let all: Vec<String> = (0..100).map(|i| format!("{i:03}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let shard = |index| {
        let shard = Some(Shard {
            index,
            count: 3.try_into().unwrap(),
        });
        listed(
            &Selection {
                shard,
                ..selection()
            },
            vec![page(&all, None)],
        )
        .unwrap()
        .1
    };
    let mut together: Vec<String> = (0..3).flat_map(shard).collect();
    together.sort();
    assert_eq!(together, all);
}

#[test]
fn a_limit_ends_the_listing_without_another_page() {
    let limited = Selection {
        limit: Some(2),
        ..selection()
    };
    assert_eq!(
        listed(&limited, vec![page(&["a", "b", "c"], Some("1"))])
            .unwrap()
            .1,
        ["a", "b"]
    );
}

fn read_file(bytes: &[u8]) -> Result<(Listed, Vec<KeyRecord>), ListError> {
    let dir = crate::fuzz::folder();
    let path = dir.path().join("k.tsv");
    std::fs::write(&path, bytes).unwrap();
    let mut picker = Picker::create(&selection(), dir.path()).unwrap();
    keyfile::read(&path, &mut picker)?;
    let listed = picker.finish()?;
    Ok((
        listed,
        KeyFile::open(dir.path())
            .unwrap()
            .iter()
            .map(Result::unwrap)
            .collect(),
    ))
}

#[test]
fn a_key_file_gives_back_what_was_written() {
    let records = ["a b", "tab\t%#\n", "😀/ü"].map(|key| KeyRecord {
        key: key.to_owned(),
        size: Some(7),
        etag: "e".to_owned(),
        storage_class: "GLACIER".to_owned(),
    });
    let mut writer = KeyFileWriter::new(Vec::new()).unwrap();
    for record in &records {
        writer.push(record).unwrap();
    }
    let (bytes, _) = writer.finish().unwrap();
    let (listed, read) = read_file(&bytes).unwrap();
    assert_eq!(read, records);
    assert_eq!((listed.archived, listed.unchecked), (3, false));
    let mut changed = bytes.clone();
    changed[20] ^= 1;
    assert!(
        read_file(&changed)
            .unwrap_err()
            .to_string()
            .contains("checksum")
    );
}

#[test]
fn a_hand_written_key_file_needs_no_sizes_and_no_checksum() {
    let (listed, read) = read_file(b"# parfetch-keys 1\r\nx\ny\t5\n\n").unwrap();
    assert_eq!((read[0].size, read[1].size, read.len()), (None, Some(5), 2));
    assert_eq!((listed.bytes, listed.unchecked), (None, true));
}

#[test]
fn bad_lines_are_named() {
    let text = |line: &str| {
        read_file(format!("# parfetch-keys 1\nok\n{line}\n").as_bytes())
            .unwrap_err()
            .to_string()
    };
    assert!(
        text("a%zz").ends_with(
            "k.tsv, line 3: `%` is not followed by two hex digits (keys are percent-encoded)"
        ),
        "{}",
        text("a%zz")
    );
    assert!(text("a\tbig").ends_with("line 3: the size is not a whole number of bytes"));
    assert!(text("a\t1\t\t\t9").ends_with("line 3: there are more than four fields"));
    assert!(text("%FF").ends_with("line 3: the key is not UTF-8"));
    assert!(
        read_file(b"x\n")
            .unwrap_err()
            .to_string()
            .ends_with("line 1: the first line is not `# parfetch-keys 1`")
    );
    assert!(
        read_file(b"")
            .unwrap_err()
            .to_string()
            .ends_with("is empty")
    );
}

#[test]
fn a_key_file_with_other_line_ends_is_the_same_key_file() {
    let mut writer = KeyFileWriter::new(Vec::new()).unwrap();
    for key in ["a", "b\r"] {
        writer
            .push(&KeyRecord {
                key: key.to_owned(),
                size: Some(7),
                ..KeyRecord::default()
            })
            .unwrap();
    }
    let (bytes, _) = writer.finish().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let (listed, read) = read_file(windows.as_bytes()).unwrap();
    assert_eq!(
        (read[1].key.as_str(), read.len(), listed.unchecked),
        ("b\r", 2, false)
    );
    let changed = windows.replace("\t7\t", "\t8\t");
    assert!(
        read_file(changed.as_bytes())
            .unwrap_err()
            .to_string()
            .ends_with("is wrong: it was changed or cut")
    );
    // One that was written with such line ends, and whose checksum is of them.
    let own = "# parfetch-keys 1\r\na\r\n";
    let own = format!("{own}# sha256 {}\r\n", sha256_hex(own.as_bytes()));
    assert!(!read_file(own.as_bytes()).unwrap().0.unchecked);
}

#[test]
fn what_is_no_key_file_is_one_clear_line() {
    let text = |bytes: &[u8]| read_file(bytes).unwrap_err().to_string();
    assert!(
        text(&vec![0; 200_000])
            .ends_with("k.tsv, line 1: the first line is not `# parfetch-keys 1`")
    );
    let long = format!("# parfetch-keys 1\nok\n{}\n", "x".repeat(1_000_000));
    assert!(text(long.as_bytes()).ends_with("k.tsv, line 3: the line is longer than 64 KiB"));
    let long = format!("# parfetch-keys 1\nok\n{}\n", "ü".repeat(2_049));
    assert!(text(long.as_bytes()).ends_with(&format!(
        "k.tsv, line 3: the key `{}…` is longer than 4,096 bytes",
        "ü".repeat(40)
    )));
    let tag = format!("# parfetch-keys 1\nok\t1\t{}\n", "x".repeat(256));
    assert!(
        text(tag.as_bytes())
            .ends_with("k.tsv, line 2: the key `ok` has an entity tag of more than 255 bytes")
    );
    let folder = tempfile::tempdir().unwrap();
    let mut picker = Picker::create(&selection(), folder.path()).unwrap();
    assert!(
        keyfile::read(folder.path(), &mut picker)
            .unwrap_err()
            .to_string()
            .ends_with(" is a directory")
    );
}

#[test]
fn keys_that_no_store_has_are_refused_by_name() {
    let text = |key: &str| {
        listed(&selection(), vec![page(&["a", key], None)])
            .unwrap_err()
            .to_string()
    };
    assert_eq!(text(""), "a key is empty");
    assert_eq!(
        text(&"b".repeat(1 << 20)),
        format!("the key `{}…` is longer than 4,096 bytes", "b".repeat(40))
    );
    assert_eq!(
        listed(&selection(), vec![page(&[&"b".repeat(4_096)], None)])
            .unwrap()
            .0
            .keys,
        1
    );
}

#[test]
fn what_would_be_another_line_of_a_key_file_is_refused_by_name() {
    let text = |record: KeyRecord| {
        let page = ListPage {
            keys: vec![KeyRecord {
                key: "a".to_owned(),
                ..record
            }],
            ..page(&[], None)
        };
        listed(&selection(), vec![page]).unwrap_err().to_string()
    };
    let tag = KeyRecord {
        etag: "e\nb".to_owned(),
        ..KeyRecord::default()
    };
    assert_eq!(
        text(tag),
        "the key `a` has an entity tag with a control character"
    );
    let class = KeyRecord {
        storage_class: "STANDARD\r".to_owned(),
        ..KeyRecord::default()
    };
    assert_eq!(
        text(class),
        "the key `a` has a storage class with a control character"
    );
    // The largest number means «unknown» in the key spool file.
    assert_eq!(
        text(KeyRecord {
            size: Some(u64::MAX),
            ..KeyRecord::default()
        }),
        "the key `a` has a size of more than 2^63 bytes"
    );
    assert!(
        read_file(b"# parfetch-keys 1\na\t18446744073709551615\n")
            .unwrap_err()
            .to_string()
            .contains("line 2: the key `a` has a size of more than")
    );
    assert!(
        read_file(b"# parfetch-keys 1\na\t+5\n")
            .unwrap_err()
            .to_string()
            .ends_with("line 2: the size is not a whole number of bytes")
    );
}

/// A key of a key file, its percent-encoding undone; `None` where it is not one.
fn decoded(field: &[u8]) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = field;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if *byte == b'%' {
            let (digits, behind) = rest.split_at_checked(2)?;
            bytes.push(hex::decode(digits).ok()?[0]);
            rest = behind;
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|key| !key.is_empty() && key.len() <= 4_096)
}

/// A line of a key file as the format says it, by the simplest code.
fn record_of(line: &[u8]) -> Option<KeyRecord> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
    let text =
        |at: usize| String::from_utf8(fields.get(at).copied().unwrap_or_default().to_vec()).ok();
    let short = |text: &String| text.len() <= 255 && !text.contains(char::is_control);
    let size = text(1)?;
    let digits = size.bytes().all(|byte| byte.is_ascii_digit());
    let size = if size.is_empty() {
        None
    } else {
        Some(
            size.parse()
                .ok()
                .filter(|size: &u64| digits && *size <= 1 << 63)?,
        )
    };
    let (etag, storage_class) = (text(2).filter(short)?, text(3).filter(short)?);
    (fields.len() <= 4).then_some(KeyRecord {
        key: decoded(fields[0])?,
        size,
        etag,
        storage_class,
    })
}

/// What is in a key file and whether a checksum says so, read whole; `None` where it is to be refused.
fn by_the_book(bytes: &[u8]) -> Option<(Vec<KeyRecord>, bool)> {
    let content = |line: &[u8]| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line).to_vec()
    };
    let mut written: Vec<Vec<u8>> = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    let mut lines: Vec<Vec<u8>> = written.iter().map(|line| content(line)).collect();
    let first = lines.first_mut()?;
    if first.starts_with("\u{feff}".as_bytes()) {
        first.drain(..3);
    }
    if first != b"# parfetch-keys 1" {
        return None;
    }
    let at = lines.iter().position(|line| line.starts_with(b"# sha256 "));
    if let Some(at) = at {
        let sum = String::from_utf8_lossy(&lines[at][9..])
            .trim()
            .to_ascii_lowercase();
        let is_last = at + 1 == lines.len();
        lines.truncate(at);
        written.truncate(at);
        let by_content: Vec<u8> = lines
            .iter()
            .flat_map(|line| [line, &b"\n"[..]].concat())
            .collect();
        if !is_last
            || ![written.concat(), by_content]
                .iter()
                .any(|text| sha256_hex(text) == sum)
        {
            return None;
        }
    }
    let records: Vec<KeyRecord> = lines[1..]
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| record_of(line))
        .collect::<Option<_>>()?;
    let keys: std::collections::BTreeSet<&str> =
        records.iter().map(|record| record.key.as_str()).collect();
    (keys.len() == records.len()).then(|| (records.clone(), at.is_some()))
}

fn written(records: &[KeyRecord]) -> Vec<u8> {
    let mut writer = KeyFileWriter::new(Vec::new()).unwrap();
    for record in records {
        writer.push(record).unwrap();
    }
    writer.finish().unwrap().0
}

/// The same with a checksum that is right, so that more than the checksum is looked at.
fn summed(bytes: &[u8]) -> Vec<u8> {
    let end = bytes
        .windows(9)
        .rposition(|window| window == b"# sha256 ")
        .unwrap_or(bytes.len());
    let text = &bytes[..end];
    [text, format!("# sha256 {}\n", sha256_hex(text)).as_bytes()].concat()
}

#[test]
fn fuzz_key_files() {
    let hold = |bytes: &[u8]| {
        let read = read_file(bytes);
        let expected = by_the_book(bytes);
        let got = read
            .as_ref()
            .ok()
            .map(|(listed, records)| (records.clone(), !listed.unchecked));
        assert_eq!(
            got,
            expected,
            "{:?}",
            read.as_ref().err().map(ToString::to_string)
        );
        let Ok((listed, records)) = read else { return };
        assert_eq!(listed.keys, records.len() as u64);
        let sum = records
            .iter()
            .map(|record| record.size)
            .try_fold(0_u64, |sum, size| sum.checked_add(size?));
        assert_eq!(
            listed.bytes, sum,
            "a sum that is too large, or a size that is not known, is no number"
        );
        let (again, same) = read_file(&written(&records)).unwrap();
        assert_eq!((same, again.unchecked), (records, false));
    };
    let records = ["a b", "tab\t%#\n", "😀/ü"].map(|key| KeyRecord {
        key: key.to_owned(),
        size: Some(7),
        etag: "e-2".to_owned(),
        storage_class: "GLACIER".to_owned(),
    });
    let seeds = vec![
        written(&records),
        b"# parfetch-keys 1\r\nx\ny\t5\n\n".to_vec(),
    ];
    let words = &[
        "\t",
        "\n",
        "\r\n",
        "\r",
        "%",
        "%00",
        "%FF",
        "%C3%BC",
        "#",
        "# sha256 ",
        "# parfetch-keys 1\n",
        "\u{feff}",
        "\0",
        "+",
    ];
    Target {
        name: "key-file",
        seeds,
        words,
        cases: 4_000,
    }
    .run(|bytes| {
        hold(bytes);
        hold(&summed(bytes));
    });
}

#[tokio::test]
async fn a_reader_that_nobody_waits_for_ends_at_its_next_line() {
    let dir = tempfile::tempdir().unwrap();
    let picker = Picker::create(&selection(), dir.path()).unwrap();
    let ((begin, has_begun), (end, ended)) =
        (std::sync::mpsc::channel(), std::sync::mpsc::channel());
    let reading = off_thread(picker, move |picker: &mut Picker| {
        begin.send(()).unwrap();
        // A file of very many lines.
        while picker.check_cancelled().is_ok() {
            std::thread::yield_now();
        }
        end.send(()).unwrap();
        picker.check_cancelled()
    });
    let signal = tokio::task::spawn_blocking(move || has_begun.recv().unwrap());
    tokio::select! {
        _ = reading => panic!("nothing ends it by itself"),
        signal = signal => signal.unwrap(),
    }
    ended.recv().unwrap();
}
