//! Many streams against one, over made-up buckets.

mod odd;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};
use std::rc::Rc;
use std::time::Duration;

use proptest::prelude::*;

use crate::lister::list::listing;
use crate::lister::pages::{PageSource, Pages};
use crate::lister::{ListError, Listed};
use crate::plan::{KeySource, Selection, Shard};
use crate::sample::KeyRecord;
use crate::spool::keys::KeyFile;
use crate::store::{ListPage, PageQuery, StoreError, StoreErrorKind};

/// What a bucket does that is not S3's way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Oddity {
    #[default]
    None,
    /// Begins at the beginning whatever `start-after` says.
    IgnoresStart,
    /// Answers nothing behind a given key.
    NothingBehindStart,
    /// Lists backwards.
    Backwards,
    /// Lists folder by folder, as a file system does: `img/…` before `img-raw/…`, and the same behind a given key.
    ByFolder,
    /// The request of this number fails.
    Fails(u64),
    /// Knows no delimiter.
    NoFolders,
    /// Refuses one.
    RefusesFolders,
    /// Does not know `start-after`.
    RefusesStart,
}

/// Time of a page, in the mean, by a clock that stands still while there is something to do.
const MEAN_MS: u64 = 80;

#[derive(Clone)]
struct Fake {
    keys: Rc<RefCell<BTreeSet<String>>>,
    oddity: Oddity,
    /// Most keys of a page.
    page: usize,
    random: Rc<RefCell<fastrand::Rng>>,
    asked: Rc<Cell<u64>>,
    at_once: Rc<Cell<(u64, u64)>>,
    /// Times of a page that the listing took.
    turns: Rc<Cell<u64>>,
}

impl Fake {
    fn new(keys: impl IntoIterator<Item = String>, page: usize) -> Self {
        let keys = Rc::new(RefCell::new(keys.into_iter().collect()));
        let random = Rc::new(RefCell::new(fastrand::Rng::with_seed(7)));
        Self {
            keys,
            oddity: Oddity::None,
            page,
            random,
            asked: Rc::default(),
            at_once: Rc::default(),
            turns: Rc::default(),
        }
    }

    fn answer(&self, query: &PageQuery) -> Result<ListPage, StoreError> {
        self.asked.set(self.asked.get() + 1);
        let refused = self.oddity == Oddity::RefusesFolders && query.delimiter.is_some();
        if refused || self.oddity == Oddity::Fails(self.asked.get()) {
            return Err(StoreError::new(
                StoreErrorKind::Denied,
                "cannot list s3://b: access denied (AccessDenied)",
            ));
        }
        if self.oddity == Oddity::RefusesStart
            && query.start_after.is_some()
            && query.token.is_none()
        {
            return Err(StoreError::new(
                StoreErrorKind::NotImplemented,
                "the store does not know this request",
            ));
        }
        let all = self.keys.borrow();
        if self.oddity == Oddity::NothingBehindStart
            && query.start_after.is_some()
            && query.token.is_none()
        {
            return Ok(ListPage::default());
        }
        let start = query
            .start_after
            .clone()
            .filter(|_| self.oddity != Oddity::IgnoresStart);
        let after = query.token.clone().or(start).unwrap_or_default();
        let backwards = self.oddity == Oddity::Backwards;
        let by_folder = |key: &str| key.replace('/', "\0");
        let mut walked: Vec<&String> = Vec::new();
        if self.oddity == Oddity::ByFolder {
            walked.extend(all.iter().filter(|key| by_folder(key) > by_folder(&after)));
            walked.sort_by_cached_key(|key| by_folder(key));
        }
        let in_order: Box<dyn Iterator<Item = &String>> = match (backwards, after.is_empty()) {
            _ if self.oddity == Oddity::ByFolder => Box::new(walked.into_iter()),
            (true, true) => Box::new(all.iter().rev()),
            (true, false) => Box::new(all.range(..after).rev()),
            (false, _) => Box::new(all.range((Excluded(after), Unbounded))),
        };
        let size = if self.page > 3 && self.oddity != Oddity::ByFolder {
            self.random.borrow_mut().usize(self.page / 2..=self.page)
        } else {
            self.page
        };
        let size = query
            .max_keys
            .map_or(size, |most| size.min(usize::try_from(most).unwrap()));
        let mut page = ListPage::default();
        let delimiter = query.delimiter.filter(|_| self.oddity != Oddity::NoFolders);
        for key in in_order.filter(|key| key.starts_with(&query.prefix)) {
            let folder = delimiter.and_then(|d| {
                key[query.prefix.len()..]
                    .find(d)
                    .map(|at| key[..=query.prefix.len() + at].to_owned())
            });
            if folder.is_some() && page.prefixes.last() == folder.as_ref() {
                continue;
            }
            if page.keys.len() + page.prefixes.len() == size {
                page.truncated = true;
                page.next = page
                    .keys
                    .last()
                    .map(|record| record.key.clone())
                    .max(page.prefixes.last().cloned());
                break;
            }
            match folder {
                Some(folder) => page.prefixes.push(folder),
                None => page.keys.push(KeyRecord {
                    key: key.clone(),
                    size: Some(1),
                    ..KeyRecord::default()
                }),
            }
        }
        if backwards {
            page.next = page
                .next
                .and_then(|_| page.keys.last().map(|record| record.key.clone()));
        }
        Ok(page)
    }
}

impl PageSource for Fake {
    type Pages = Self;

    async fn first(&mut self, query: &PageQuery) -> Result<ListPage, StoreError> {
        self.answer(query)
    }

    async fn pages(&mut self, _number: u32) -> Result<Self, StoreError> {
        Ok(self.clone())
    }

    fn lists_in_order(&self) -> bool {
        true
    }
}

impl Pages for Fake {
    async fn page(&mut self, query: &PageQuery) -> Result<ListPage, StoreError> {
        let (now, most) = self.at_once.get();
        self.at_once.set((now + 1, most.max(now + 1)));
        // Answers come in any order.
        let time = self.random.borrow_mut().u64(MEAN_MS - 20..=MEAN_MS + 20);
        tokio::time::sleep(Duration::from_millis(time)).await;
        let (now, most) = self.at_once.get();
        self.at_once.set((now - 1, most));
        self.answer(query)
    }
}

fn everything() -> Selection {
    Selection {
        source: KeySource::Listing,
        prefix: String::new(),
        limit: None,
        sample: None,
        shard: None,
    }
}

fn listed(fake: &Fake, selection: &Selection) -> Result<(Listed, Vec<String>), ListError> {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let heard = Cell::new(0);
    let picker = runtime.block_on(async {
        let begin = tokio::time::Instant::now();
        let picker = listing(&mut fake.clone(), (selection, folder.path()), &mut |keys| {
            heard.set(keys);
        })
        .await;
        fake.turns
            .set(u64::try_from(begin.elapsed().as_millis()).unwrap() / MEAN_MS);
        picker
    })?;
    let listed = picker.finish()?;
    let keys: Vec<String> = KeyFile::open(folder.path())
        .unwrap()
        .iter()
        .map(|record| record.unwrap().key)
        .collect();
    // Every page is counted; requests that nobody waited for any more may not have been sent.
    assert!(
        (fake.asked.get()..=fake.asked.get() + 32).contains(&listed.pages),
        "{} of {}",
        listed.pages,
        fake.asked.get()
    );
    assert_eq!(listed.keys, keys.len() as u64);
    assert!(
        heard.get() == listed.keys || selection.limit.is_some(),
        "{}",
        heard.get()
    );
    Ok((listed, keys))
}

fn all(fake: &Fake) -> Vec<String> {
    fake.keys.borrow().iter().cloned().collect()
}

/// Lists everything, compares it with the bucket, and tells requests, and the time in pages of one stream.
#[track_caller]
fn lists_all(fake: &Fake) -> (u64, u64) {
    let (listed, keys) = listed(fake, &everything()).unwrap();
    assert!(
        keys == all(fake),
        "{} keys of {}",
        keys.len(),
        fake.keys.borrow().len()
    );
    (listed.pages, fake.turns.get())
}

#[test]
fn a_bucket_of_many_folders_is_listed_by_many_streams() {
    let fake = Fake::new(
        (0..40_000).map(|n| format!("p{:04}/{n:09}.bin", n / 200)),
        100,
    );
    let (pages, turns) = lists_all(&fake);
    // Some 533 pages, of 75 keys in the mean: 17 turns of 32 streams, and two in which there is nothing to divide yet.
    assert!((400..750).contains(&pages), "{pages}");
    assert!(turns <= 32, "{turns}");
}

#[test]
fn a_flat_bucket_is_listed_by_many_streams() {
    let fake = Fake::new((0..40_000).map(|n| format!("img-{n:07}.jpg")), 100);
    let (pages, turns) = lists_all(&fake);
    assert!((400..750).contains(&pages), "{pages}");
    assert!(turns <= 32, "{turns}");
}

#[test]
fn nested_numbers_words_and_hashes_are_listed_by_many_streams() {
    type Name = Box<dyn Fn(u64) -> String>;
    let hash = |n: u64| format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&n.to_le_bytes()));
    let names: [(&str, Name); 4] = [
        (
            "embedded",
            Box::new(|n| format!("data/{:02}/{n:09}.bin", n / 400)),
        ),
        ("hashes", Box::new(hash)),
        (
            "dates",
            Box::new(|n| {
                format!(
                    "logs/{}/{:02}/{:02}/{n}.gz",
                    2020 + n / 7_000,
                    n / 600 % 12,
                    n / 20 % 30
                )
            }),
        ),
        (
            "words",
            Box::new(move |n| format!("übung/日本{}/ключ-{n}", n % 7)),
        ),
    ];
    for (what, name) in names {
        let fake = Fake::new((0..6_000).map(name), 20);
        let (pages, turns) = lists_all(&fake);
        assert!(
            turns <= 36 && pages < 750,
            "{what}: {pages} pages in {turns} turns"
        );
    }
}

#[test]
fn small_buckets_cost_few_requests() {
    for (keys, most) in [(50, 1), (150, 20), (350, 40)] {
        let fake = Fake::new((0..keys).map(|n| format!("k{n:05}")), 100);
        let (pages, _) = lists_all(&fake);
        assert!(pages <= most, "{keys} keys: {pages} pages");
    }
}

#[test]
fn a_limit_gives_up_what_lies_behind() {
    let fake = Fake::new((0..100_000).map(|n| format!("p{:03}/{n:06}", n / 300)), 100);
    let limited = Selection {
        limit: Some(5_000),
        ..everything()
    };
    let (listed, keys) = listed(&fake, &limited).unwrap();
    assert!(keys == all(&fake)[..5_000]);
    assert!(listed.pages < 500, "{}", listed.pages);
    let few = Fake::new((0..100_000).map(|n| format!("{n:06}")), 100);
    let selection = Selection {
        limit: Some(150),
        ..everything()
    };
    let (listed, _) = self::listed(&few, &selection).unwrap();
    assert!(listed.pages <= 3, "one stream: {}", listed.pages);
}

#[test]
fn prefix_and_shards_take_what_one_stream_takes() {
    let fake = Fake::new(
        (0..20_000).map(|n| format!("{}/{n:06}", ["a", "b", "c"][n % 3])),
        50,
    );
    let mut together = Vec::new();
    for index in 0..2 {
        let shard = Some(Shard {
            index,
            count: 2.try_into().unwrap(),
        });
        let fake = Fake {
            asked: Rc::default(),
            ..fake.clone()
        };
        together.extend(
            listed(
                &fake,
                &Selection {
                    shard,
                    prefix: "b/".to_owned(),
                    ..everything()
                },
            )
            .unwrap()
            .1,
        );
    }
    together.sort_unstable();
    assert_eq!(
        together,
        all(&fake)
            .into_iter()
            .filter(|key| key.starts_with("b/"))
            .collect::<Vec<_>>()
    );
}

#[test]
fn stores_that_heed_no_start_or_order_are_listed_by_one_stream() {
    for oddity in [
        Oddity::IgnoresStart,
        Oddity::NothingBehindStart,
        Oddity::NoFolders,
        Oddity::RefusesFolders,
    ] {
        for flat in [true, false] {
            let name = |n: u64| {
                if flat {
                    format!("k{n:05}")
                } else {
                    format!("{}/{n}", n / 300)
                }
            };
            let fake = Fake {
                oddity,
                ..Fake::new((0..6_000).map(name), 100)
            };
            lists_all(&fake);
        }
    }
    let fake = Fake {
        oddity: Oddity::Backwards,
        ..Fake::new((0..500).map(|n| format!("k{n:05}")), 100)
    };
    let (_, mut keys) = listed(&fake, &everything()).unwrap();
    keys.reverse();
    assert_eq!(keys, all(&fake));
    assert_eq!(fake.at_once.get().1, 1);
}

#[test]
fn a_store_that_goes_folder_by_folder_loses_no_key() {
    // Pages end where folders do, and of `f00/` and `f00-raw/` only the latter begins a range: so no page and no range is out of order by itself.
    let name = |n: u64| match (n / 126).checked_sub(1) {
        None => format!("a/{n:05}"),
        Some(folder) => format!(
            "f{:02}{}/{n:05}",
            folder / 2,
            if folder.is_multiple_of(2) { "" } else { "-raw" }
        ),
    };
    let fake = Fake {
        oddity: Oddity::ByFolder,
        ..Fake::new((0..63 * 126).map(name), 63)
    };
    let (_, mut keys) = listed(&fake, &everything()).unwrap();
    keys.sort_unstable();
    assert!(keys == all(&fake), "{} of {}", keys.len(), all(&fake).len());
}

#[test]
fn a_store_that_refuses_to_begin_behind_a_key_is_listed_by_one_stream() {
    let fake = Fake {
        oddity: Oddity::RefusesStart,
        ..Fake::new((0..6_000).map(|n| format!("{}/{n}", n / 300)), 100)
    };
    lists_all(&fake);
}

#[test]
fn one_stream_that_fails_fails_the_listing() {
    for request in [1, 6, 40, 100] {
        let fake = Fake {
            oddity: Oddity::Fails(request),
            ..Fake::new((0..20_000).map(|n| format!("{n:05}")), 100)
        };
        assert_eq!(
            listed(&fake, &everything())
                .map(drop)
                .unwrap_err()
                .to_string(),
            "cannot list s3://b: access denied (AccessDenied)",
            "request {request}"
        );
    }
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ab]{1,6}",
        4 => "[a-c]/[0-9]{1,4}",
        2 => "deep/deep/deep/deep/[0-9a-f]{1,6}",
        2 => "[a-z]{1}",
        2 => "\\PC{1,5}",
        1 => "(é|日|🦀|/|~|!){1,6}",
        1 => "a{1,30}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_divided_every_key_comes_once_and_in_order(
        keys in proptest::collection::vec(key(), 0..400),
        (page, seed) in (1..12_usize, any::<u64>()),
        limit in proptest::option::of(1..300_u64),
    ) {
        let fake = Fake { random: Rc::new(RefCell::new(fastrand::Rng::with_seed(seed))), ..Fake::new(keys, page) };
        let (found, keys) = listed(&fake, &Selection { limit, ..everything() }).unwrap();
        let mut expected = all(&fake);
        expected.truncate(usize::try_from(limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX));
        prop_assert_eq!(keys, expected);
        prop_assert!(found.pages <= 2 * fake.keys.borrow().len() as u64 + 200, "{} pages", found.pages);
    }
}
