//! A plan survives its form as variables.

use std::ffi::OsString;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use crate::cli::{Invocation, Variables, parse};
use crate::plan::variables::RunVariables;
use crate::plan::{
    Access, ClientKind, Destination, FetchOptions, HostPort, HttpHeader, HttpSource, KeySample,
    KeySource, Layout, Limits, MAX_ATTEMPTS, MIN_PART_SIZE, Mode, ObjectSource, Order, RequestBody,
    RunPlan, S3Uri, SampleSize, Selection, Shard, Urls, Work,
};
use crate::price::Egress;

const KEYS: u64 = u32::MAX as u64;

fn text() -> BoxedStrategy<String> {
    "[ -~äöü…]{0,20}".boxed()
}

fn path() -> BoxedStrategy<PathBuf> {
    "[ -~ä]{1,20}"
        .prop_filter("an address is none", |text| !text.starts_with("s3:"))
        .prop_map(PathBuf::from)
        .boxed()
}

fn time() -> BoxedStrategy<Duration> {
    (1..400_u64 * 86_400_000_000_000 / 2)
        .prop_map(Duration::from_nanos)
        .boxed()
}

fn uri(key: &'static str) -> impl Strategy<Value = S3Uri> {
    ("[a-z0-9.-]{3,20}", key).prop_map(|(bucket, key)| S3Uri { bucket, key })
}

fn selection() -> impl Strategy<Value = Selection> {
    let shard = (1..100_000_u32)
        .prop_flat_map(|count| (0..count, Just(count)))
        .prop_map(|(index, count)| Shard {
            index,
            count: NonZeroU32::new(count).unwrap(),
        });
    let size = prop_oneof![
        Just(SampleSize::Auto),
        (1..=KEYS).prop_map(|keys| SampleSize::Keys(NonZeroU64::new(keys).unwrap())),
        (1..=u64::MAX).prop_map(|bytes| SampleSize::Bytes(NonZeroU64::new(bytes).unwrap())),
    ];
    let some = prop_oneof![
        Just((None, None)),
        (1..=KEYS).prop_map(|limit| (Some(limit), None)),
        (size, 0..=KEYS).prop_map(|(size, seed)| (None, Some(KeySample { size, seed }))),
    ];
    let source = prop_oneof![
        Just(KeySource::Listing),
        path().prop_map(KeySource::File),
        uri("[a-z/ ]{0,9}x").prop_map(KeySource::Object),
        uri("[a-z ]{1,9}/").prop_map(KeySource::Folder),
    ];
    (source, text(), some, of(shard)).prop_filter_map(
        "a folder of key files takes a shard",
        |(source, prefix, (limit, sample), shard)| {
            let is_whole = shard.is_some() || !matches!(source, KeySource::Folder(_));
            is_whole.then_some(Selection {
                source,
                prefix,
                limit,
                sample,
                shard,
            })
        },
    )
}

fn access() -> impl Strategy<Value = Access> {
    (
        of("https?://[a-z]{1,9}\\.example(:9000|/s3/)?"),
        of("[a-z]{2}-[a-z]{4,9}-[1-9]"),
        of("[a-z]{1,9}"),
        any::<[bool; 3]>(),
        of(path()),
    )
        .prop_map(
            |(
                endpoint_url,
                region,
                profile,
                [virtual_host, no_sign_request, request_payer],
                ca,
            )| {
                Access {
                    endpoint_url,
                    region,
                    profile,
                    virtual_host,
                    no_sign_request,
                    request_payer,
                    ca_bundle: ca,
                }
            },
        )
}

fn limits() -> impl Strategy<Value = Limits> {
    (1..=MAX_ATTEMPTS, time(), time(), of(time())).prop_map(
        |(attempts, connect_timeout, stall_timeout, fetch_timeout)| Limits {
            attempts,
            connect_timeout: Some(connect_timeout),
            stall_timeout: Some(stall_timeout),
            fetch_timeout,
        },
    )
}

fn destination() -> impl Strategy<Value = Destination> {
    (
        of("results-[a-z0-9.-]{3,20}"),
        text(),
        path(),
        of(path()),
        any::<bool>(),
    )
        .prop_map(
            |(bucket, prefix, out, spool_dir, no_overwrite)| Destination {
                out: bucket.is_none().then_some(out),
                bucket,
                prefix,
                spool_dir,
                no_overwrite,
            },
        )
}

fn layout() -> impl Strategy<Value = Layout> {
    let orders = select(&[Order::Listed, Order::LargestFirst, Order::Shuffled]);
    (orders, of(MIN_PART_SIZE..=u64::MAX)).prop_map(|(order, part_size)| Layout {
        order,
        part_size: part_size.and_then(NonZeroU64::new),
    })
}

fn plan() -> impl Strategy<Value = RunPlan> {
    let workers = select(&Mode::ALL).prop_flat_map(|mode| (Just(mode), 1..=mode.max_concurrency()));
    let works = select(&[Work::None, Work::Md5, Work::Sha256, Work::Crc64nvme]);
    let what = (
        "source-[a-z0-9.-]{3,20}",
        selection(),
        "[A-Za-z0-9._-]{1,64}",
    );
    let how = (workers, select(&ClientKind::ALL), works, layout());
    let around = (
        access(),
        limits(),
        of(time()),
        destination(),
        select(&Egress::ALL),
    );
    (what, how, around).prop_filter_map(
        "lean reads no directory bucket",
        |(
            (bucket, selection, tag),
            ((mode, concurrency), client, work, layout),
            (access, limits, duration, destination, egress),
        )| {
            (!bucket.ends_with("--x-s3") && !bucket.ends_with("--xa-s3")).then_some(RunPlan {
                source: ObjectSource::Bucket(bucket),
                selection,
                concurrency: NonZeroU32::new(concurrency)?,
                mode,
                client,
                tag,
                access,
                fetch: FetchOptions { limits, work },
                duration,
                layout,
                destination,
                egress,
            })
        },
    )
}

fn urls() -> impl Strategy<Value = Urls> {
    let target = "/[a-z0-9%?&=./-]{0,12}";
    let typed = (
        "https?://[a-z]{1,9}\\.example(:[1-9][0-9]{1,3})?",
        vec(target, 1..4),
    );
    prop_oneof![
        typed.prop_map(|(origin, targets)| {
            let url = |target: String| format!("{origin}{target}").parse().unwrap();
            Urls::Typed(targets.into_iter().map(url).collect())
        }),
        "[a-z]{1,9}/[a-z]{1,9}\\.txt".prop_map(|path| Urls::File(path.into())),
        Just(Urls::Stdin),
        uri("[a-z/]{0,9}x").prop_map(Urls::Object),
    ]
}

fn web() -> impl Strategy<Value = HttpSource> {
    let header = ("x-[a-z]{1,9}", "[!-~]([ -~]{0,9}[!-~])?");
    let header = header.prop_map(|(name, value)| HttpHeader { name, value });
    let body = prop_oneof![
        Just(RequestBody::None),
        "[ -~\n]{1,20}".prop_map(RequestBody::Text),
        path().prop_map(RequestBody::File),
    ];
    let replica = ("[a-z]{1,9}", 1..=u16::MAX).prop_map(|(host, port)| HostPort { host, port });
    let method = select(&["GET", "POST", "PUT", "HEAD", "PURGE"]);
    let expect = select(&["2xx", "2xx,404", "1xx,503"]);
    let what = (urls(), of(1..=u32::MAX), method, vec(header, 0..3), body);
    (what, any::<bool>(), expect, vec(replica, 0..3)).prop_map(
        |((urls, requests, method, headers, body), keep_alive, expect, connect_to)| HttpSource {
            urls,
            requests: requests.and_then(|requests| NonZeroU64::new(requests.into())),
            method: method.parse().unwrap(),
            headers,
            body,
            keep_alive,
            expect: expect.parse().unwrap(),
            connect_to,
        },
    )
}

/// The same plan over a web server, which has no use for what only buckets have.
fn web_plan() -> impl Strategy<Value = RunPlan> {
    (plan(), web()).prop_map(|(plan, http)| RunPlan {
        selection: Selection::of(KeySource::Listing),
        client: ClientKind::Lean,
        layout: Layout::default(),
        duration: plan.duration.filter(|_| http.requests.is_none()),
        source: ObjectSource::Http(Box::new(http)),
        ..plan
    })
}

fn read(plan: &RunPlan) -> RunPlan {
    let mut variables = Variables::default();
    for (name, value) in RunVariables::of(plan).complete() {
        variables.set(name, value);
    }
    match parse([OsString::from("parfetch")], variables) {
        Ok(Invocation::Run(raw)) => super::run(&raw).unwrap().plan,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn a_plan_survives_its_variables(plan in plan()) {
        prop_assert_eq!(read(&plan), plan);
    }

    #[test]
    fn a_plan_of_requests_survives_its_variables(plan in web_plan()) {
        prop_assert_eq!(read(&plan), plan);
    }
}
