//! Stores that misbehave behind a given key: many streams find what one stream by tokens finds, or say that they cannot.

use std::cell::Cell;
use std::rc::Rc;

use proptest::prelude::*;

use super::everything;
use crate::lister::ListError;
use crate::lister::list::listing;
use crate::lister::pages::{PageSource, Pages};
use crate::sample::KeyRecord;
use crate::spool::keys::KeyFile;
use crate::store::{ListPage, PageQuery, StoreError, StoreErrorKind};

/// What a store does wrong. By tokens alone it lists every key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// The token of a page behind a key that does not exist passes over a key.
    SkipsOne,
    /// A page behind a given key is said to be the last.
    SaysLast,
    /// Behind a key that does not exist there is nothing.
    NothingBehindGuess,
    /// Behind any key there is nothing.
    NothingBehindKey,
    /// Goes on behind the folder that the key is in.
    SkipsFolder,
    /// Passes over a key behind each given one.
    SkipsNext,
    IgnoresStart,
    /// Begins with the given key.
    Inclusive,
    /// Lists by UTF-16 units.
    Utf16,
    /// Lists without regard to case.
    NoCase,
    /// Lists folder by folder.
    ByFolder,
    /// A token serves for one stream at a time: the newest.
    TokensExpire,
    /// Says of the last page that more follow.
    SaysMore,
    /// Every second page is empty.
    EmptyPages,
    /// Gives fewer keys than it may.
    FewKeys,
    /// Sends no token.
    NoTokens,
    /// Sends no token, and goes on by `marker` alone.
    MarkerAlone,
    /// Answers with a page of the wrong beginning now and then.
    Jumps,
}

const FAULTS: [Fault; 19] = [
    Fault::None,
    Fault::SkipsOne,
    Fault::SaysLast,
    Fault::NothingBehindGuess,
    Fault::NothingBehindKey,
    Fault::SkipsFolder,
    Fault::SkipsNext,
    Fault::IgnoresStart,
    Fault::Inclusive,
    Fault::Utf16,
    Fault::NoCase,
    Fault::ByFolder,
    Fault::TokensExpire,
    Fault::SaysMore,
    Fault::EmptyPages,
    Fault::FewKeys,
    Fault::NoTokens,
    Fault::MarkerAlone,
    Fault::Jumps,
];

#[derive(Clone)]
struct Odd {
    fault: Fault,
    /// In the store's order.
    keys: Rc<Vec<String>>,
    ranks: Rc<Vec<Vec<u8>>>,
    page: usize,
    asked: Rc<Cell<u64>>,
    newest: Rc<Cell<u64>>,
    /// What its name promises.
    ordered: bool,
}

impl Fault {
    fn rank(self, key: &str) -> Vec<u8> {
        match self {
            Self::Utf16 => key.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::NoCase => [key.to_lowercase().as_bytes(), &[0], key.as_bytes()].concat(),
            Self::ByFolder => key.replace('/', "\0").into_bytes(),
            _ => key.as_bytes().to_vec(),
        }
    }
}

impl Odd {
    fn new(fault: Fault, keys: impl IntoIterator<Item = String>, page: usize) -> Self {
        let mut keys: Vec<String> = keys.into_iter().collect();
        keys.sort_unstable();
        keys.dedup();
        keys.sort_by_cached_key(|key| fault.rank(key));
        let ranks = keys.iter().map(|key| fault.rank(key)).collect();
        Self {
            fault,
            ranks: Rc::new(ranks),
            keys: Rc::new(keys),
            page,
            asked: Rc::default(),
            newest: Rc::default(),
            ordered: true,
        }
    }

    fn behind(&self, key: &str) -> usize {
        let rank = self.fault.rank(key);
        self.ranks.partition_point(|other| *other <= rank)
    }

    fn exists(&self, key: &str) -> bool {
        self.ranks.binary_search(&self.fault.rank(key)).is_ok()
    }

    /// Where a page begins: a place in `keys`. `None` for nothing at all.
    fn from(&self, query: &PageQuery) -> Result<Option<usize>, StoreError> {
        if let Some(marker) = &query.marker {
            return Ok(Some(if self.fault == Fault::NoTokens {
                0
            } else {
                self.behind(marker)
            }));
        }
        if let Some(token) = &query.token {
            let (place, number) = token.split_once('-').unwrap();
            if self.fault == Fault::TokensExpire && number.parse() != Ok(self.newest.get()) {
                return Err(StoreError::new(
                    StoreErrorKind::Other,
                    "cannot list s3://b: the token expired (InvalidArgument)",
                ));
            }
            return Ok(Some(place.parse().unwrap()));
        }
        let Some(start) = query
            .start_after
            .as_ref()
            .filter(|_| !matches!(self.fault, Fault::IgnoresStart | Fault::MarkerAlone))
        else {
            return Ok(Some(0));
        };
        let (exists, behind) = (self.exists(start), self.behind(start));
        Ok(match self.fault {
            Fault::NothingBehindKey => None,
            Fault::NothingBehindGuess if !exists => None,
            Fault::SkipsFolder => {
                let folder = start.rfind('/').map(|at| &start[..=at]);
                let rest = &self.keys[behind..];
                Some(
                    behind
                        + folder.map_or(0, |folder| {
                            rest.iter()
                                .take_while(|key| key.starts_with(folder))
                                .count()
                        }),
                )
            }
            Fault::SkipsNext => Some((behind + 1).min(self.keys.len())),
            Fault::Inclusive if exists => Some(behind - 1),
            Fault::Jumps if self.asked.get().is_multiple_of(5) => Some(behind.saturating_sub(2)),
            _ => Some(behind),
        })
    }

    fn answer(&self, query: &PageQuery) -> Result<ListPage, StoreError> {
        self.asked.set(self.asked.get() + 1);
        let by_start = query.token.is_none() && query.start_after.is_some();
        let guessed = by_start
            && !query
                .start_after
                .as_ref()
                .is_some_and(|start| self.exists(start));
        let Some(from) = self.from(query)? else {
            return Ok(ListPage::default());
        };
        let mut most = query.max_keys.map_or(self.page, |most| {
            self.page.min(usize::try_from(most).unwrap())
        });
        if self.fault == Fault::FewKeys {
            most = (usize::try_from(self.asked.get()).unwrap() * 7 % most).max(1);
        }
        if self.fault == Fault::EmptyPages && self.asked.get().is_multiple_of(2) {
            most = 0;
        }
        let (mut page, mut place) = (ListPage::default(), from);
        while let Some(key) = self.keys.get(place)
            && page.keys.len() + page.prefixes.len() < most
        {
            place += 1;
            match query.delimiter.and_then(|delimiter| key.find(delimiter)) {
                Some(at) if page.prefixes.last().is_some_and(|last| *last == key[..=at]) => {}
                Some(at) => page.prefixes.push(key[..=at].to_owned()),
                None => page.keys.push(KeyRecord {
                    key: key.clone(),
                    size: Some(1),
                    ..KeyRecord::default()
                }),
            }
        }
        let more = place < self.keys.len();
        page.truncated = (more && !(by_start && self.fault == Fault::SaysLast))
            || (self.fault == Fault::SaysMore && !page.keys.is_empty());
        let skipped = usize::from(self.fault == Fault::SkipsOne && guessed);
        self.newest.set(self.newest.get() + 1);
        let token = format!("{}-{}", place + skipped, self.newest.get());
        page.next = Some(token).filter(|_| {
            page.truncated && !matches!(self.fault, Fault::NoTokens | Fault::MarkerAlone)
        });
        Ok(page)
    }

    /// What is listed, sorted.
    fn listed(&self) -> Result<Vec<String>, ListError> {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let listing = async {
            listing(
                &mut self.clone(),
                (&everything(), folder.path()),
                &mut |_| {},
            )
            .await
        };
        runtime.block_on(listing)?.finish()?;
        let mut keys: Vec<String> = KeyFile::open(folder.path())
            .unwrap()
            .iter()
            .map(|record| record.unwrap().key)
            .collect();
        keys.sort_unstable();
        Ok(keys)
    }

    /// Every key, or what one stream says too.
    fn loses_nothing(&self) {
        let mut all = self.keys.to_vec();
        all.sort_unstable();
        let one = Self {
            ordered: false,
            ..self.clone()
        }
        .listed();
        if let Ok(one) = &one {
            assert_eq!(*one, all, "by tokens alone: {:?}", self.fault);
        }
        match (self.listed(), one) {
            (Ok(keys), _) => assert!(
                keys == all,
                "{:?}: {} keys of {}",
                self.fault,
                keys.len(),
                all.len()
            ),
            (Err(_), Err(_)) => {}
            (Err(error), Ok(_)) => panic!("{:?}: {error}", self.fault),
        }
    }
}

impl PageSource for Odd {
    type Pages = Self;

    async fn first(&mut self, query: &PageQuery) -> Result<ListPage, StoreError> {
        self.answer(query)
    }

    async fn pages(&mut self, _number: u32) -> Result<Self, StoreError> {
        Ok(self.clone())
    }

    fn lists_in_order(&self) -> bool {
        self.ordered
    }
}

impl Pages for Odd {
    async fn page(&mut self, query: &PageQuery) -> Result<ListPage, StoreError> {
        // Answers come in any order.
        tokio::time::sleep(std::time::Duration::from_millis(
            60 + self.asked.get() * 7 % 40,
        ))
        .await;
        self.answer(query)
    }
}

#[test]
fn no_fault_loses_a_key_of_a_large_bucket() {
    for fault in FAULTS {
        let dates = (0..6_000).map(|n| format!("day={:02}/part-{:05}.parquet", n % 30, n / 30));
        Odd::new(fault, dates, 100).loses_nothing();
        let names = [
            "Alpha",
            "alpine",
            "Beta",
            "beta2",
            "\u{e000}",
            "\u{1f600}",
            "z",
            "a",
            "a-b",
        ];
        Odd::new(
            fault,
            (0..5_400).map(|n| format!("{}/{:05}", names[n % 9], n / 9)),
            100,
        )
        .loses_nothing();
        Odd::new(fault, (0..5_000).map(|n| format!("img-{n:07}.jpg")), 50).loses_nothing();
        // Pages end where folders do.
        Odd::new(
            fault,
            (0..5_000).map(|n| format!("f{:02}/{n:05}", n / 100)),
            100,
        )
        .loses_nothing();
    }
}

#[test]
fn to_be_sure_costs_two_requests() {
    // 1,000 pages: before the store was asked to prove anything, the same listing took two requests fewer.
    for (name, most) in [("img-", 1_090), ("img/", 1_090)] {
        let sane = Odd::new(
            Fault::None,
            (0..100_000).map(|n| format!("{name}{n:07}.jpg")),
            100,
        );
        assert_eq!(sane.listed().unwrap(), *sane.keys);
        assert!(
            (1_002..=most).contains(&sane.asked.get()),
            "{} requests",
            sane.asked.get()
        );
    }
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[abAB]{1,5}",
        4 => "[a-cA-C]/[0-9]{1,4}",
        2 => "a(-b)?/[0-9]{1,3}",
        1 => "(\u{e000}|\u{1f600}|z|/){1,4}",
        1 => "deep/deep/deep/[0-9a-f]{1,4}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn no_fault_loses_a_key(keys in proptest::collection::vec(key(), 0..400), page in 2..12_usize, fault in proptest::sample::select(&FAULTS[..])) {
        // Where no page has two keys of a folder nobody can see that the store passes over the rest of one.
        let folder = if fault == Fault::SkipsFolder { "f/" } else { "" };
        Odd::new(fault, keys.into_iter().map(|key| folder.to_owned() + &key.replace('/', if folder.is_empty() { "/" } else { "-" })), page).loses_nothing();
    }
}
