//! The scanner against hand-written pages, and against the SDK's own parser on random and broken ones.

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::*;
use crate::fuzz::Target;

fn keys(page: &ListPage) -> Vec<&str> {
    page.keys.iter().map(|record| record.key.as_str()).collect()
}

fn listing(inside: &str) -> Result<ListPage, String> {
    scan(
        format!("<?xml version=\"1.0\"?>\n<ListBucketResult>{inside}</ListBucketResult>")
            .as_bytes(),
    )
}

#[test]
fn a_page_as_s3_writes_it() {
    let page = scan(
        br#"<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>images</Name><Prefix>a+b/</Prefix><KeyCount>3</KeyCount>
<MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>1ueGcxLP+/=</NextContinuationToken>
<Contents><Key>a+b/%F0%9F%98%80%2B.jpg</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag>
<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>434234</Size><Owner><ID>7</ID><DisplayName>Key</DisplayName></Owner>
<StorageClass>GLACIER</StorageClass><RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress><Size>1</Size></RestoreStatus></Contents>
<Contents><Key>a+b/plain</Key></Contents><CommonPrefixes><Prefix>a+b/c%25/</Prefix></CommonPrefixes></ListBucketResult>"#,
    )
    .unwrap();
    let first = KeyRecord {
        key: "a b/😀+.jpg".to_owned(),
        size: Some(434_234),
        etag: "fba9dede5f27731c9771645a39863328".to_owned(),
        storage_class: "GLACIER".to_owned(),
    };
    let second = KeyRecord {
        key: "a b/plain".to_owned(),
        ..KeyRecord::default()
    };
    let next = Some("1ueGcxLP+/=".to_owned());
    assert_eq!(
        page,
        ListPage {
            keys: vec![first, second],
            prefixes: vec!["a b/c%/".to_owned()],
            truncated: true,
            next
        }
    );
}

#[test]
fn the_encoding_may_be_told_behind_the_keys_or_not_at_all() {
    let behind =
        listing("<Contents><Key>a+%41</Key></Contents><EncodingType>url</EncodingType>").unwrap();
    assert_eq!(keys(&behind), ["a A"]);
    assert_eq!(
        keys(&listing("<Contents><Key>a+%41</Key></Contents>").unwrap()),
        ["a+%41"]
    );
}

#[test]
fn keys_of_a_url_encoded_page_come_back_verbatim() {
    assert_eq!(
        decode("a+b%2Bc%25%20d/%F0%9F%98%80").as_deref(),
        Some("a b+c% d/😀")
    );
    assert_eq!(decode("%FF"), None);
}

#[test]
fn keys_are_read_however_they_are_written() {
    let key = |text: &str| {
        listing(&format!("<Contents><Key>{text}</Key></Contents>"))
            .map(|page| page.keys[0].key.clone())
    };
    assert_eq!(
        key("&lt;&gt;&amp;amp;&quot;&apos;&#x1F600;&#65;").unwrap(),
        "<>&amp;\"'😀A"
    );
    assert_eq!(key("a<![CDATA[<Key>&amp;]]>b").unwrap(), "a<Key>&amp;b");
    assert_eq!(key("a<!-- <Key>no</Key> -->b<?go > on?>c").unwrap(), "abc");
    assert_eq!(key(" \n a ").unwrap(), " \n a ");
    assert_eq!(
        listing("<Contents><Key/></Contents>").unwrap().keys[0].key,
        ""
    );
    assert_eq!(key("a&nbsp;b").unwrap_err(), "there is no entity `nbsp`");
    assert_eq!(key("a&b").unwrap_err(), "an entity has no end");
    assert_eq!(
        key("a<b/>c").unwrap_err(),
        "there is <b> where a text should be"
    );
}

#[test]
fn prefixed_names_and_strange_elements_are_understood() {
    let page = scan(
        b"<s3:ListBucketResult xmlns:s3='a>b' x = \"/>\" ><s3:Contents a='<'><New><Key>no</Key><Size>x</Size></New><s3:Key >k</s3:Key ><Size>-1</Size></s3:Contents>
        <Other><Contents><Key>no</Key></Contents></Other><Key>no</Key></s3:ListBucketResult > <!-- end -->\n",
    );
    let page = page.unwrap();
    assert_eq!((keys(&page), page.keys[0].size), (vec!["k"], None));
}

#[test]
fn documents_that_are_no_listing_are_errors() {
    let wrong = |text: &str| scan(text.as_bytes()).unwrap_err();
    assert_eq!(
        wrong("<Error><Code>SlowDown</Code></Error>"),
        "there is <Error> where <ListBucketResult> should be"
    );
    assert_eq!(wrong(""), "it ends early");
    assert_eq!(wrong("{}"), "there is text outside of its elements");
    assert_eq!(
        wrong("<ListBucketResult/> x"),
        "there is text outside of its elements"
    );
    assert_eq!(wrong("<!DOCTYPE html><html/>"), "it has a document type");
    assert_eq!(
        wrong("<ListBucketResult/><ListBucketResult/>"),
        "there is <ListBucketResult> where <ListBucketResult> should be"
    );
    assert_eq!(
        scan(b"<ListBucketResult>\xff</ListBucketResult>").unwrap_err(),
        "it is not UTF-8"
    );
    assert_eq!(
        listing("<Contents><Key>a</Size></Contents>").unwrap_err(),
        "there is </Size> where another element ends"
    );
    assert_eq!(
        listing("<Contents></Contents>").unwrap_err(),
        "an entry of the listing has no key"
    );
    assert_eq!(
        listing("<IsTruncated>perhaps</IsTruncated>").unwrap_err(),
        "IsTruncated is `perhaps`"
    );
    assert_eq!(
        listing("<Contents><Key>a</Key><Size>big</Size></Contents>").unwrap_err(),
        "the size of `a` is `big`"
    );
    assert_eq!(
        listing("<EncodingType>url</EncodingType><Contents><Key>%FF</Key></Contents>").unwrap_err(),
        "a key is not UTF-8"
    );
    assert_eq!(listing("").unwrap(), ListPage::default());
}

#[test]
fn what_is_said_twice_is_an_error() {
    let wrong = |inside: &str| listing(inside).unwrap_err();
    assert_eq!(
        wrong("<Contents><Key>a</Key><Size>1</Size><Key>b</Key></Contents>"),
        "Key is given twice"
    );
    assert_eq!(
        wrong("<Contents><Key>a</Key><Size>1</Size><Size>1</Size></Contents>"),
        "Size is given twice"
    );
    assert_eq!(
        wrong("<IsTruncated>true</IsTruncated><IsTruncated>false</IsTruncated>"),
        "IsTruncated is given twice"
    );
    assert_eq!(
        wrong("<NextContinuationToken>a</NextContinuationToken><NextContinuationToken/>"),
        "NextContinuationToken is given twice"
    );
    assert_eq!(
        wrong("<Contents><Key>&#0;</Key></Contents>"),
        "there is no entity `#0`"
    );
    assert_eq!(
        wrong("<Contents><Key>&#+65;</Key></Contents>"),
        "there is no entity `#+65`"
    );
}

#[test]
fn sizes_are_numbers_or_unknown() {
    let size = |text: &str| {
        listing(&format!(
            "<Contents><Size>{text}</Size><Key>k</Key></Contents>"
        ))
        .map(|page| page.keys[0].size)
    };
    assert_eq!(size(" 3\n"), Ok(Some(3)));
    assert_eq!(size("0"), Ok(Some(0)));
    assert_eq!(size("1152921504606846976"), Ok(Some(1 << 60)));
    for unknown in ["", "-1", "-9223372036854775809"] {
        assert_eq!(size(unknown), Ok(None), "{unknown}");
    }
    for wrong in ["3.0", "+3", "-", "--1", "1e3", "18446744073709551616"] {
        assert_eq!(size(wrong), Err(format!("the size of `k` is `{wrong}`")));
    }
    let truncated = |text: &str| {
        listing(&format!("<IsTruncated>{text}</IsTruncated>")).map(|page| page.truncated)
    };
    assert_eq!(
        (truncated("True"), truncated(" false ")),
        (Ok(true), Ok(false))
    );
    assert!(scan("\u{feff}<ListBucketResult/>".as_bytes()).is_ok());
}

#[test]
fn a_document_cut_anywhere_is_an_error() {
    let whole = b"<?xml version=\"1.0\"?><ListBucketResult><!-- x --><IsTruncated>false</IsTruncated><Contents><Key>a&amp;</Key><![CDATA[x]]></Contents></ListBucketResult>";
    assert!(scan(whole).is_ok());
    for end in 0..whole.len() {
        assert!(scan(&whole[..end]).is_err(), "cut at {end}");
    }
}

/// The SDK, to which every answer is this document.
#[derive(Clone, Debug)]
struct Canned(Vec<u8>);

impl HttpConnector for Canned {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Ok(HttpResponse::new(
            200_u16.try_into().unwrap(),
            SdkBody::from(self.0.clone()),
        )))
    }
}

/// What the SDK reads out of a document.
fn by_sdk(document: &[u8]) -> Option<ListPage> {
    let connector = SharedHttpConnector::new(Canned(document.to_vec()));
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("a", "b", None, None, "test"))
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
        .http_client(http_client_fn(move |_: &HttpConnectorSettings, _| {
            connector.clone()
        }))
        .build();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let answer = runtime.block_on(
        aws_sdk_s3::Client::from_conf(config)
            .list_objects_v2()
            .bucket("b")
            .send(),
    );
    answer.ok().and_then(of_sdk)
}

fn of_sdk(answer: ListObjectsV2Output) -> Option<ListPage> {
    let encoded = answer
        .encoding_type()
        .is_some_and(|encoding| encoding.as_str() == "url");
    let verbatim = |text: String| if encoded { decode(&text) } else { Some(text) };
    let record = |object: aws_sdk_s3::types::Object| {
        let storage_class = object
            .storage_class
            .map(|class| class.as_str().to_owned())
            .unwrap_or_default();
        let etag = object
            .e_tag
            .unwrap_or_default()
            .trim_matches(SPACE)
            .trim_matches('"')
            .to_owned();
        Some(KeyRecord {
            key: verbatim(object.key?)?,
            size: object.size.and_then(|size| u64::try_from(size).ok()),
            etag,
            storage_class,
        })
    };
    Some(ListPage {
        keys: answer
            .contents
            .unwrap_or_default()
            .into_iter()
            .map(record)
            .collect::<Option<_>>()?,
        prefixes: answer
            .common_prefixes
            .unwrap_or_default()
            .into_iter()
            .map(|common| verbatim(common.prefix?))
            .collect::<Option<_>>()?,
        truncated: answer.is_truncated.unwrap_or(false),
        next: answer.next_continuation_token,
    })
}

fn escaped(text: &str) -> String {
    let entity = |c| match c {
        '<' => "&lt;".to_owned(),
        '&' => "&amp;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        c if c < ' ' => format!("&#x{:X};", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(entity).collect()
}

/// Something that nobody asked for.
fn filler() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => Just(""),
        1 => Just("<!-- <Key>x</Key> -->"),
        1 => Just("<Owner><ID>1</ID><DisplayName>n</DisplayName></Owner>"),
        1 => Just("<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumAlgorithm>SHA1</ChecksumAlgorithm>"),
        1 => Just("<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>"),
        1 => Just("<Unknown a=\"&gt;\"><Key>no</Key><Deeper/></Unknown>"),
        1 => Just("\n\t "),
        1 => Just("<?target data?>"),
    ]
}

/// One entry's XML, with the key as the page encodes it.
fn entry(encoded: bool) -> impl Strategy<Value = String> {
    let key = prop_oneof!["[ -~]{0,12}", "\\PC{0,8}", "[a-z/+%&<>\"' \\n\\t]{1,12}"];
    let size = proptest::option::of(0..=i64::MAX);
    let etag = proptest::option::of("[0-9a-f]{4}(-[0-9])?");
    let class = proptest::option::of(prop_oneof![
        Just("STANDARD"),
        Just("DEEP_ARCHIVE"),
        Just("NEW_CLASS"),
        Just("")
    ]);
    (key, size, etag, class, [filler(), filler()]).prop_map(
        move |(key, size, etag, class, fillers)| {
            let key = if encoded {
                utf8_percent_encode(&key, NON_ALPHANUMERIC)
                    .to_string()
                    .replace("%20", "+")
            } else {
                key
            };
            let size = size.map_or_else(String::new, |size| format!("<Size>{size}</Size>"));
            let etag = etag.map_or_else(String::new, |etag| {
                format!("<ETag>&quot;{etag}&quot;</ETag>")
            });
            let class = class.map_or_else(String::new, |class| {
                format!("<StorageClass>{class}</StorageClass>")
            });
            let [before, between] = fillers;
            format!(
                "<Contents>{before}<Key>{}</Key>{size}{between}{etag}{class}</Contents>",
                escaped(&key)
            )
        },
    )
}

fn document() -> impl Strategy<Value = String> {
    any::<bool>().prop_flat_map(|encoded| {
        let next = proptest::option::of("[A-Za-z0-9+/=]{1,20}");
        let prefixes = proptest::collection::vec("[a-z]{1,5}/", 0..3);
        let entries = proptest::collection::vec(entry(encoded), 0..6);
        (entries, prefixes, next, proptest::option::of(any::<bool>()), filler()).prop_map(move |(entries, prefixes, next, truncated, filler)| {
            let encoding = if encoded { "<EncodingType>url</EncodingType>" } else { "" };
            let prefixes: Vec<_> = prefixes.iter().map(|prefix| format!("<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>")).collect();
            let next = next.map_or_else(String::new, |next| format!("<NextContinuationToken>{next}</NextContinuationToken>"));
            let truncated = truncated.map_or_else(String::new, |truncated| format!("<IsTruncated>{truncated}</IsTruncated>"));
            let inside = [truncated, next, filler.to_owned(), entries.concat(), prefixes.concat(), encoding.to_owned()].concat();
            format!("<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3\">{inside}</ListBucketResult>")
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn both_parsers_read_the_same(document in document()) {
        let scanned = scan(document.as_bytes());
        let read = by_sdk(document.as_bytes());
        prop_assert_eq!(scanned.as_ref().ok(), read.as_ref(), "{:?}", scanned);
    }

    #[test]
    fn a_broken_page_is_an_error_or_what_the_sdk_reads(
        document in document(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..4),
    ) {
        let mut bytes = document.into_bytes();
        for (place, byte, kind) in changes {
            let at = place.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        if let (Ok(scanned), Some(read)) = (scan(&bytes), by_sdk(&bytes)) {
            prop_assert!(scanned.keys.len() >= read.keys.len(), "{}", String::from_utf8_lossy(&bytes));
        }
    }
}

/// A page as a model of the document has it, by an XML library that is strict; `None` when it is not one whole page.
fn by_library(document: &[u8]) -> Option<ListPage> {
    use quick_xml::events::Event;
    let text = std::str::from_utf8(document).ok()?;
    let mut reader = quick_xml::Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let (mut open, mut roots) = (vec![Node::default()], 0);
    loop {
        let (name, empty) = match reader.read_event().ok()? {
            Event::Start(tag) => (tag.local_name().as_ref().to_owned(), false),
            Event::Empty(tag) => (tag.local_name().as_ref().to_owned(), true),
            Event::End(_) => {
                let node = open.pop()?;
                open.last_mut()?.inner.push(node);
                continue;
            }
            Event::Text(text) => {
                open.last_mut()?.text.push_str(&text.decode().ok()?);
                continue;
            }
            Event::CData(text) => {
                open.last_mut()?.text.push_str(&text.decode().ok()?);
                continue;
            }
            Event::GeneralRef(name) => {
                let character = match name.resolve_char_ref().ok()? {
                    Some(character) => character.to_string(),
                    None => quick_xml::escape::resolve_xml_entity(&name.decode().ok()?)?.to_owned(),
                };
                open.last_mut()?.text.push_str(&character);
                continue;
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => continue,
            Event::DocType(_) => return None,
            Event::Eof => break,
        };
        roots += usize::from(open.len() == 1);
        let node = Node {
            name: String::from_utf8(name).ok()?,
            ..Node::default()
        };
        if empty {
            open.last_mut()?.inner.push(node);
        } else {
            open.push(node);
        }
    }
    let [document] = open.try_into().ok()?;
    let Node { text, inner, .. } = document;
    let [root] = inner.try_into().ok()?;
    (roots == 1 && text.trim().is_empty() && root.name == "ListBucketResult").then_some(())?;
    root.page()
}

#[derive(Debug, Default)]
struct Node {
    name: String,
    text: String,
    inner: Vec<Self>,
}

impl Node {
    /// The text of the one element of this name; an error when there are two, or it has elements of its own.
    fn text(&self, name: &str) -> Result<Option<&str>, ()> {
        let mut found = self.inner.iter().filter(|node| node.name == name);
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some(node), None) if node.inner.is_empty() => Ok(Some(&node.text)),
            _ => Err(()),
        }
    }

    fn page(&self) -> Option<ListPage> {
        let encoded = self.text("EncodingType").ok()? == Some("url");
        let verbatim = |text: &str| {
            if encoded {
                decode(text)
            } else {
                Some(text.to_owned())
            }
        };
        let named = |name: &'static str| self.inner.iter().filter(move |node| node.name == name);
        let keys = named("Contents").map(|entry| {
            let size = match entry
                .text("Size")
                .ok()?
                .unwrap_or_default()
                .trim_matches(SPACE)
            {
                "" => None,
                text if text.starts_with('-') => text[1..]
                    .bytes()
                    .all(|byte| byte.is_ascii_digit())
                    .then_some(None)?,
                text => Some(text.parse().ok()?),
            };
            let etag = entry
                .text("ETag")
                .ok()?
                .unwrap_or_default()
                .trim_matches(SPACE)
                .trim_matches('"')
                .to_owned();
            let storage_class = entry
                .text("StorageClass")
                .ok()?
                .unwrap_or_default()
                .trim_matches(SPACE)
                .to_owned();
            Some(KeyRecord {
                key: verbatim(entry.text("Key").ok()??)?,
                size,
                etag,
                storage_class,
            })
        });
        let prefixes = named("CommonPrefixes")
            .flat_map(|common| &common.inner)
            .filter(|node| node.name == "Prefix");
        let truncated = self
            .text("IsTruncated")
            .ok()?
            .unwrap_or("false")
            .trim_matches(SPACE)
            .to_ascii_lowercase();
        Some(ListPage {
            keys: keys.collect::<Option<_>>()?,
            prefixes: prefixes
                .map(|prefix| verbatim(Some(&prefix.text).filter(|_| prefix.inner.is_empty())?))
                .collect::<Option<_>>()?,
            truncated: truncated.parse().ok()?,
            next: self.text("NextContinuationToken").ok()?.map(str::to_owned),
        })
    }
}

/// Whatever the scanner takes for a page is the page that the library reads.
fn hold(document: &[u8]) {
    if let Ok(page) = scan(document) {
        assert_eq!(Some(page), by_library(document));
    }
}

/// Pages of every kind, for the fuzzer to take apart.
fn seeds() -> Vec<Vec<u8>> {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let made = (0..24).map(|_| {
        document()
            .new_tree(&mut runner)
            .unwrap()
            .current()
            .into_bytes()
    });
    let kept = [
        "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>\n<Contents><Key>a</Key><Size>1</Size><ETag>\"e\"</ETag></Contents>\n<Contents><Key>b&amp;c</Key><Size>-1</Size></Contents>\n<CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes></ListBucketResult>",
        "<a:ListBucketResult xmlns:a='>'><!-- x --><a:Contents><a:Key><![CDATA[<]]>&#x41;</a:Key></a:Contents><EncodingType>url</EncodingType></a:ListBucketResult>",
    ];
    made.chain(kept.map(|text| text.as_bytes().to_vec()))
        .collect()
}

#[test]
fn the_library_reads_the_same_pages() {
    for seed in seeds() {
        assert_eq!(
            scan(&seed).ok(),
            by_library(&seed),
            "{}",
            String::from_utf8_lossy(&seed)
        );
        for end in 0..seed.len() {
            hold(&seed[..end]);
        }
    }
}

#[test]
fn fuzz_listing_pages() {
    let words = &[
        "<Contents>",
        "</Contents>",
        "<Key>",
        "</Key>",
        "<Size>",
        "</Size>",
        "</Contents><Contents>",
        "<Key/>",
        "<Contents/>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "&amp;",
        "&#65;",
        "&#0;",
        "&",
        ";",
        "<?",
        "?>",
        "<!DOCTYPE x>",
        ">",
        "<",
        "/>",
        "\"",
        "'",
        "%2F",
        "%",
        "\u{feff}",
        "<IsTruncated>false</IsTruncated>",
        "</ListBucketResult>",
        "<ListBucketResult>",
    ];
    Target {
        name: "listing-page",
        seeds: seeds(),
        words,
        cases: 20_000,
    }
    .run(hold);
}
