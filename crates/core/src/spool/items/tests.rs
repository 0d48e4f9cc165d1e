//! Layouts of a few keys, written down and read back.

use std::num::NonZeroU64;

use super::*;
use crate::plan::{Layout, Order};
use crate::platform::cancel::Cancelled;
use crate::spool::keys::KeyWriter;

/// `a` … in listing order.
fn keys(dir: &Path, sizes: &[Option<u64>]) -> KeyFile {
    let mut writer = KeyWriter::create(dir).unwrap();
    for (name, size) in ('a'..).zip(sizes) {
        let storage_class = if name == 'c' { "GLACIER" } else { "" }.to_owned();
        let etag = if name == 'b' {
            String::new()
        } else {
            format!("tag-{name}")
        };
        writer
            .push(&KeyRecord {
                key: name.to_string(),
                size: *size,
                etag,
                storage_class,
            })
            .unwrap();
    }
    writer.finish().unwrap();
    KeyFile::open(dir).unwrap()
}

const SIZES: [Option<u64>; 7] = [
    Some(5),
    Some(25),
    Some(99),
    None,
    Some(0),
    Some(20),
    Some(5),
];

/// What is fetched in this layout, in words, and the first item of every key.
fn laid_out(order: Order, part_size: u64) -> (LaidOut, Vec<String>, Option<Vec<Option<u64>>>) {
    let dir = tempfile::tempdir().unwrap();
    let keys = keys(dir.path(), &SIZES);
    let layout = Layout {
        order,
        part_size: NonZeroU64::new(part_size),
    };
    let found = lay_out(dir.path(), &keys, layout, &Cancelled::default()).unwrap();
    let items = Items::open(dir.path()).unwrap();
    assert_eq!(items.count(), found.items);
    let all = items.read(0..items.count()).unwrap().into_owned();
    for (number, item) in (0..).zip(&all) {
        assert_eq!(
            items.read(number..number + 1).unwrap().into_owned(),
            std::slice::from_ref(item)
        );
        let (key, target) = (&item.record.key, item.target());
        assert_eq!(
            item.record.etag,
            if key == "b" {
                String::new()
            } else {
                format!("tag-{key}")
            }
        );
        assert_eq!(
            (target.key, target.part.map(|part| (part.first, part.last))),
            (key.as_str(), item.part)
        );
    }
    let words = all.iter().map(|item| {
        item.part.map_or_else(
            || item.record.key.clone(),
            |(first, last)| format!("{}{first}-{last}", item.record.key),
        )
    });
    let places = places(dir.path())
        .ok()
        .map(|places| places.take(SIZES.len()).map(Result::unwrap).collect());
    (found, words.collect(), places)
}

#[test]
fn parts_of_an_object_follow_each_other_in_listing_order() {
    let (found, items, places) = laid_out(Order::Listed, 10);
    assert_eq!(
        items,
        [
            "a", "b0-9", "b10-19", "b20-24", "d", "e", "f0-9", "f10-19", "g"
        ],
        "c is archived"
    );
    assert_eq!(
        found,
        LaidOut {
            items: 9,
            objects: 6,
            divided: 2,
            unguarded: 1,
            unsized_keys: 1
        }
    );
    assert_eq!(places, None, "the order is the listing's");
}

#[test]
fn the_largest_come_first_and_equal_ones_as_listed() {
    let (found, items, places) = laid_out(Order::LargestFirst, 0);
    assert_eq!(
        items,
        ["b", "f", "a", "g", "e", "d"],
        "what has no size comes last"
    );
    assert_eq!(
        places.unwrap(),
        [Some(2), Some(0), None, Some(5), Some(4), Some(1), Some(3)]
    );
    assert_eq!((found.divided, found.unguarded), (0, 0));
    let (_, items, places) = laid_out(Order::LargestFirst, 10);
    assert_eq!(
        items,
        [
            "b0-9", "b10-19", "b20-24", "f0-9", "f10-19", "a", "g", "e", "d"
        ]
    );
    assert_eq!(
        places.unwrap(),
        [Some(5), Some(0), None, Some(8), Some(7), Some(3), Some(6)]
    );
}

#[test]
fn a_shuffle_is_another_order_and_always_the_same() {
    let (_, items, places) = laid_out(Order::Shuffled, 10);
    assert_eq!(laid_out(Order::Shuffled, 10).1, items);
    let mut sorted = items.clone();
    sorted.sort_unstable();
    assert_ne!(items, sorted);
    assert_eq!(
        sorted,
        [
            "a", "b0-9", "b10-19", "b20-24", "d", "e", "f0-9", "f10-19", "g"
        ]
    );
    for (name, place) in ('a'..).zip(places.unwrap()) {
        let first = items
            .iter()
            .position(|item| item.starts_with(name))
            .map(|place| place as u64);
        assert_eq!(place, first, "{name}");
    }
}

#[test]
fn a_plain_layout_needs_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let keys = keys(dir.path(), &SIZES);
    lay_out(dir.path(), &keys, Layout::default(), &Cancelled::default()).unwrap();
    let items = Items::open(dir.path()).unwrap();
    assert!(matches!(items, Items::Few(_)) && items.count() == 7);
    assert_eq!(
        items.read(2..3).unwrap().into_owned(),
        [Item {
            record: keys.read(2..3).unwrap().remove(0),
            part: None
        }]
    );
}

#[test]
fn it_ends_when_it_is_cancelled() {
    let dir = tempfile::tempdir().unwrap();
    let keys = keys(dir.path(), &SIZES);
    for order in [Order::Listed, Order::Shuffled] {
        let layout = Layout {
            order,
            part_size: NonZeroU64::new(1),
        };
        let error = lay_out(dir.path(), &keys, layout, &Cancelled::already()).unwrap_err();
        assert!(
            matches!(&error, LayoutError::Spool(error) if error.kind() == io::ErrorKind::Interrupted),
            "{error}"
        );
    }
}

#[test]
fn what_no_disk_holds_is_refused_before_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |size: u64, part_size: u64| {
        let keys = keys(dir.path(), &[Some(5), Some(size)]);
        let layout = Layout {
            order: Order::Listed,
            part_size: NonZeroU64::new(part_size),
        };
        lay_out(dir.path(), &keys, layout, &Cancelled::default())
            .unwrap_err()
            .to_string()
    };
    let implausible = "the key `b` is listed with 1,152,921,504,606,846,976 bytes, and S3's largest objects have 50 TB";
    assert_eq!(refused(1 << 60, 1 << 20), implausible);
    let too_many = refused(50 << 40, 1);
    assert!(
        too_many.starts_with("54,975,581,388,805 objects and parts need "),
        "{too_many}"
    );
    assert!(!dir.path().join(OFFSETS).exists());
}

/// What is left when the queue is empty, in bytes of the longest worker, as a share of the whole run: workers fetch as many bytes at a time.
fn tail_share(sizes: &[Option<u64>], layout: Layout, workers: usize) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let keys = keys_of(dir.path(), sizes);
    lay_out(dir.path(), &keys, layout, &Cancelled::default()).unwrap();
    let items = Items::open(dir.path()).unwrap();
    let mut busy_until = vec![0_u64; workers];
    let mut empty_at = 0;
    for item in items.read(0..items.count()).unwrap().into_owned() {
        let place: usize = item.record.key.parse().unwrap();
        let bytes = item
            .part
            .map_or(sizes[place].unwrap(), |(first, last)| last - first + 1);
        let next = busy_until.iter_mut().min().unwrap();
        empty_at = *next;
        *next += bytes;
    }
    let end = busy_until.into_iter().max().unwrap();
    (end - empty_at) as f64 / end as f64
}

fn keys_of(dir: &Path, sizes: &[Option<u64>]) -> KeyFile {
    let mut writer = KeyWriter::create(dir).unwrap();
    for (place, size) in sizes.iter().enumerate() {
        writer
            .push(&KeyRecord {
                key: place.to_string(),
                size: *size,
                ..KeyRecord::default()
            })
            .unwrap();
    }
    writer.finish().unwrap();
    KeyFile::open(dir).unwrap()
}

#[test]
fn the_tail_of_a_lognormal_bucket_gets_shorter() {
    let mut random = fastrand::Rng::with_seed(7);
    // A power of two whose exponent is a sum of coin flips, and so nearly normal: 64 KiB to 256 MiB, 4 MiB in the middle.
    let mut exponent = || 16 + (0..12).filter(|_| random.bool()).count();
    let mut sizes: Vec<Option<u64>> = (0..400).map(|_| Some(1 << exponent())).collect();
    // Worst for the order of the listing: the largest comes last.
    sizes.push(Some(2_000_000_000));
    let share = |order, part_size| {
        tail_share(
            &sizes,
            Layout {
                order,
                part_size: NonZeroU64::new(part_size),
            },
            16,
        )
    };
    let listed = share(Order::Listed, 0);
    let largest_first = share(Order::LargestFirst, 0);
    let parts = share(Order::Listed, 8 << 20);
    let both = share(Order::LargestFirst, 8 << 20);
    assert!(listed > 0.5, "{listed}");
    assert!(parts < 0.05 && both < 0.01, "{parts} {both}");
    assert!(
        largest_first < listed,
        "{largest_first}: one object alone takes as long as it takes"
    );
}
