//! Objects to fetch, and the store that holds them: the same suite runs against every store.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use parfetch::internals::Variables;
use parfetch::internals::{ProcessConfig, Server};
use tempfile::TempDir;

use super::awkward;
use super::recording::{Passing, Recording};
use super::s3::{Endpoint, S3};

/// A store under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// parfetch's own server, in this process.
    Embedded,
    /// The `MinIO` whose address the environment gives.
    MinIo,
}

/// A set of objects, and where results of fetching it go.
#[derive(Clone)]
pub(crate) struct Source {
    /// The store.
    pub(crate) endpoint: Endpoint,
    /// Bucket with the objects.
    pub(crate) bucket: String,
    /// What their keys begin with, and those of nothing else in the bucket.
    pub(crate) prefix: String,
    /// Results bucket.
    pub(crate) results: String,
    /// Keys and sizes as aws-sdk-s3 lists them.
    pub(crate) objects: Vec<(String, u64)>,
    /// Serves for as long as a source needs it.
    server: Option<Arc<Serving>>,
}

/// A server, and the folder of its results bucket.
type Serving = (Server, TempDir);

/// Objects of the large source: three listing pages, the last not full.
pub(crate) const MANY: usize = 2_503;

impl Store {
    /// `MinIO`, or none and a line that says how to get one.
    pub(crate) fn minio() -> Option<Self> {
        let found = minio_endpoint().is_some();
        if !found {
            println!("skipped: PARFETCH_TEST_ENDPOINT is not set (infra/minio/run.sh sets it)");
        }
        found.then_some(Self::MinIo)
    }

    /// A source of its own with these objects. Keys are put behind the source's prefix.
    pub(crate) fn filled(self, objects: &BTreeMap<String, u64>) -> Source {
        let source = self.empty();
        let s3 = S3::new(&source.endpoint);
        s3.fill(
            &source.bucket,
            objects
                .iter()
                .map(|(key, size)| (format!("{}{key}", source.prefix), *size)),
        );
        let source = source.listed();
        // The store lists what was put, in the order of the keys' bytes.
        let put: Vec<_> = objects
            .iter()
            .map(|(key, size)| (format!("{}{key}", source.prefix), *size))
            .collect();
        assert_eq!(source.objects, put);
        source
    }

    /// A source of its own without objects.
    pub(crate) fn empty(self) -> Source {
        match self {
            // Its bucket for results takes any object, and may well be read.
            Self::Embedded => {
                let (server, endpoint, [_, results]) = serve("objects=0");
                let prefix = "source/".to_owned();
                Source {
                    endpoint,
                    bucket: results.clone(),
                    prefix,
                    results,
                    objects: Vec::new(),
                    server: Some(server),
                }
            }
            Self::MinIo => {
                let endpoint = minio_endpoint().expect("Store::minio saw it");
                let s3 = S3::new(&endpoint);
                let name = |what: &str| format!("{what}-{:012x}", fastrand::u64(..1 << 48));
                let (bucket, results) = (name("source"), name("results"));
                s3.create_bucket(&bucket);
                s3.create_bucket(&results);
                Source {
                    endpoint,
                    bucket,
                    prefix: String::new(),
                    results,
                    objects: Vec::new(),
                    server: None,
                }
            }
        }
    }

    /// The objects of an embedded server with these options.
    pub(crate) fn serving(options: &str) -> Source {
        let (server, endpoint, [bucket, results]) = serve(options);
        let source = Source {
            endpoint,
            bucket,
            prefix: String::new(),
            results,
            objects: Vec::new(),
            server: Some(server),
        };
        source.listed()
    }

    /// [`MANY`] objects with every awkward key that the store takes. Tests share the objects, and have a results bucket each.
    pub(crate) fn many(self) -> Source {
        static MINIO: OnceLock<Source> = OnceLock::new();
        match self {
            Self::Embedded => Self::serving(&format!(
                "objects={MANY},keys=awkward,size=2KiB,sizes=lognormal"
            )),
            Self::MinIo => {
                let shared = MINIO.get_or_init(|| many(self.empty()));
                let results = self.empty().results;
                Source {
                    results,
                    ..shared.clone()
                }
            }
        }
    }
}

impl Source {
    /// A client of its store.
    pub(crate) fn s3(&self) -> S3 {
        S3::new(&self.endpoint)
    }

    /// The folder of its results bucket, where a server of this process serves it.
    pub(crate) fn results_folder(&self) -> Option<&std::path::Path> {
        let (_, folder) = self.server.as_deref()?;
        Some(folder.path())
    }

    /// The same source, and on the way to it this becomes of each request.
    pub(crate) fn through(
        mut self,
        rule: impl Fn(&str) -> Passing + Send + Sync + 'static,
    ) -> Self {
        self.endpoint.url = Recording::ruled(&self.endpoint.url, rule).url;
        self
    }

    /// With what its store lists now.
    fn listed(self) -> Self {
        Self {
            objects: self.s3().list(&self.bucket, &self.prefix),
            ..self
        }
    }
}

/// A server of its own, and its source and results buckets.
fn serve(options: &str) -> (Arc<Serving>, Endpoint, [String; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let config = ProcessConfig::new(options.parse().unwrap(), folder.path().to_owned());
    let server = Server::start(&config).unwrap();
    let ready = server.ready().clone();
    let endpoint = Endpoint {
        url: ready.endpoint_url,
        region: "us-east-1".to_owned(),
        access_key: ready.credentials.access_key,
        secret_key: ready.credentials.secret_key,
    };
    (
        Arc::new((server, folder)),
        endpoint,
        [ready.source_bucket, ready.results_bucket],
    )
}

fn minio_endpoint() -> Option<Endpoint> {
    let variables = Variables::of_process();
    let value = |name: &str| variables.get(name).map(str::to_owned);
    let url = value("PARFETCH_TEST_ENDPOINT")?;
    let needed = |name: &str| {
        value(name).unwrap_or_else(|| panic!("PARFETCH_TEST_ENDPOINT is set and {name} is not"))
    };
    Some(Endpoint {
        url,
        region: needed("PARFETCH_TEST_REGION"),
        access_key: needed("PARFETCH_TEST_ACCESS_KEY"),
        secret_key: needed("PARFETCH_TEST_SECRET_KEY"),
    })
}

/// Fills an empty source: awkward keys as far as the store takes them, then plain ones.
fn many(source: Source) -> Source {
    let s3 = source.s3();
    let bytes = |size: u64| vec![b'x'; usize::try_from(size).unwrap()];
    let size = |key: &str| {
        if awkward::is_empty(key) {
            0
        } else {
            key.len() as u64 * 37 % 5_000
        }
    };
    for key in awkward::TAKEN
        .iter()
        .map(|key| (*key).to_owned())
        .chain([awkward::longest()])
    {
        s3.put((&source.bucket, &key), bytes(size(&key))).unwrap();
    }
    for key in awkward::REFUSED_BY_SOME {
        if let Err(refused) = s3.put((&source.bucket, key), bytes(size(key))) {
            println!("the store does not take {refused}");
        }
    }
    // Counted by the listing: a store may take two keys for one.
    let listed = s3.list(&source.bucket, "");
    assert!(
        awkward::TAKEN
            .iter()
            .all(|taken| listed.iter().any(|(key, _)| key == taken)),
        "{listed:?}"
    );
    let taken = listed.len();
    // Two bodies of many reads, some of several, most of one.
    let plain = |number: usize| match number {
        0 => 5_000_000,
        1 => 300_000,
        number => (number * number * 31 % 9_973) as u64,
    };
    s3.fill(
        &source.bucket,
        (0..MANY - taken).map(|number| (format!("data/{}/{number:06}", number % 7), plain(number))),
    );
    let source = source.listed();
    assert_eq!(source.objects.len(), MANY);
    source
}
