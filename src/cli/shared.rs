//! Settings that several commands take: each has its words once.
//!
//! A setting that every fetch has belongs into [`EACH_FETCH`] or [`LIMITS`]: `run` and `submit` then take it.

use super::setting::Takes::{Choice, Many, Nothing, Optional, Times, Value};
use super::setting::{
    CLIENTS, EGRESS, FORMATS, LEVELS, MODES, ORDERS, Setting, WHEN, WORKS, settings, shared,
};

/// Settings of every subcommand.
pub const EVERYWHERE: &[Setting] = settings! {
    "What you see" {
        "quiet" -'q' [] Nothing, "", "No progress and no notes: the result, warnings and errors alone";
        "verbose" -'v' [] Times, "", "Log lines as well: -v is --log-level info, -vv is debug, -vvv is trace";
        "color" [] Choice("WHEN", &["auto", "always", "never"]), "auto", "Colours: always, never, or auto, where there is a terminal and neither NO_COLOR, CLICOLOR_FORCE nor CLICOLOR=0 says otherwise";
    }
};

shared! {
    "What to fetch" {
        BUCKET = "bucket" -'b' ["BUCKET_NAME"] Value("NAME"), "", "Source bucket, or s3://bucket/prefix: listed and read, never written";
        PREFIX = "prefix" ["PARFETCH_PREFIX"] Value("PREFIX"), "", "Only keys that begin with this";
        KEYS = "keys" ["PARFETCH_KEYS"] Value("PATH|s3://…"), "", "Take the keys from a key file or an S3 Inventory's manifest.json instead of listing";
        LIMIT = "limit" ["PARFETCH_LIMIT"] Value("N"), "", "Only the first N keys of the listing, which may be unlike the others";
        URLS = "urls" ["PARFETCH_URLS"] Value("FILE|-|s3://…"), "", "Request these URLs instead of objects: a file with one per line, - for standard input, or s3://bucket/key. URLs with blanks between them are taken too";
        REQUESTS = "requests" -'n' ["PARFETCH_REQUESTS"] Value("N"), "", "Make N requests, over the URLs again and again; without it, each URL once";
        DURATION = "duration" -'z' ["PARFETCH_DURATION"] Value("TIME"), "", "Read the keys again and again until this time has passed";
        EMBEDDED = "embedded" ["PARFETCH_EMBEDDED"] Optional("K=V,…"), "", "Fetch from parfetch's own server on 127.0.0.1; see `parfetch serve --help` for its keys", "Fetch from parfetch's own server";
    }
    "How to fetch" {
        CONCURRENCY = "concurrency" -'c' /"parallelism" ["CONCURRENCY"] Value("N"), "16", "Number of workers: up to 65,535 async, 4,096 thread, 1,024 process", "Number of workers";
        MODE = "mode" -'m' ["MODE"] Choice("MODE", MODES), "async", "What a worker is: async (task), thread or process", "async, thread or process";
        CLIENT = "client" ["PARFETCH_CLIENT"] Choice("CLIENT", CLIENTS), "lean", "S3 client: lean (measures the platform) or sdk (measures what a program on aws-sdk-s3 gets)", "lean or sdk";
        WORK = "work" ["PARFETCH_WORK"] Choice("WORK", WORKS), "none", "CPU work per object: none, md5, sha256 or crc64nvme";
        PART_SIZE = "part-size" ["PARFETCH_PART_SIZE"] Value("SIZE"), "", "Fetch larger objects in parts of this size at the same time, each part a separate fetch; at least 1 MiB";
        ORDER = "order" ["PARFETCH_ORDER"] Choice("ORDER", ORDERS), "listed", "Order of fetching: listed, largest-first or shuffled (always the same shuffle)";
        ATTEMPTS = "attempts" ["PARFETCH_ATTEMPTS"] Value("N"), "5", "Most HTTP attempts per object (or part), 1 to 10; 1 with URLs";
        CONNECT_TIMEOUT = "connect-timeout" ["PARFETCH_CONNECT_TIMEOUT"] Value("TIME"), "3s", "Longest time to a connection; no limit with URLs";
        STALL_TIMEOUT = "stall-timeout" ["PARFETCH_STALL_TIMEOUT"] Value("TIME"), "10s", "Longest time without a byte, and longest time to keep trying a store that refuses connections; no limit with URLs";
        TIMEOUT = "timeout" ["PARFETCH_TIMEOUT"] Value("TIME"), "", "Longest time of one fetch, attempts and back-off together";
    }
    "How to request URLs" {
        METHOD = "method" -'X' ["PARFETCH_METHOD"] Value("METHOD"), "GET", "HTTP method of the requests";
        HEADER = "header" -'H' ["PARFETCH_HEADERS"] Many("NAME: VALUE"), "", "A header of the requests; may be given several times. Names alone are shown and stored, never values";
        BODY = "body" -'d' ["PARFETCH_BODY"] Value("TEXT"), "", "Body of the requests, at most 1 MiB; never shown or stored";
        BODY_FILE = "body-file" -'D' ["PARFETCH_BODY_FILE"] Value("FILE"), "", "File that holds the body of the requests";
        EXPECT = "expect" ["PARFETCH_EXPECT"] Value("STATUS,…"), "2xx", "HTTP statuses of good answers, like 2xx,404";
        NO_KEEP_ALIVE = "no-keep-alive" ["PARFETCH_NO_KEEP_ALIVE"] Nothing, "", "Open a new connection for each request";
        CONNECT_TO = "connect-to" ["PARFETCH_CONNECT_TO"] Value("HOST:PORT,…"), "", "Open connections to these addresses in turn, not to the host of the URLs: replicas of a server";
    }
    "How to reach S3" {
        ENDPOINT_URL = "endpoint-url" ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] Value("URL"), "", "Another S3 endpoint; path style then", "Another S3 endpoint, such as MinIO";
        VIRTUAL_HOST = "virtual-host" ["PARFETCH_VIRTUAL_HOST"] Nothing, "", "With your own endpoint: bucket.host/key instead of host/bucket/key";
        REGION = "region" ["AWS_REGION", "AWS_DEFAULT_REGION"] Value("REGION"), "", "AWS region; a wrong one is corrected from the answer";
        PROFILE = "profile" ["AWS_PROFILE"] Value("NAME"), "", "Profile of the shared AWS configuration files";
        NO_SIGN_REQUEST = "no-sign-request" ["PARFETCH_NO_SIGN_REQUEST"] Nothing, "", "Send requests unsigned (public buckets)";
        REQUEST_PAYER = "request-payer" ["PARFETCH_REQUEST_PAYER"] Nothing, "", "Pay for requests and transfer of a requester-pays bucket";
        CA_BUNDLE = "ca-bundle" ["AWS_CA_BUNDLE"] Value("FILE"), "", "PEM file of the certificate authorities to trust instead of the system's";
    }
    "Where results go" {
        RESULT_BUCKET = "result-bucket" -'r' ["RESULT_BUCKET_NAME"] Value("NAME"), "", "Results bucket, or s3://bucket/folder";
        RESULT_PREFIX = "result-prefix" ["PARFETCH_RESULT_PREFIX"] Value("PREFIX"), "", "Put in front of the results' names in the bucket";
        OUT = "out" -'o' ["PARFETCH_OUT"] Value("DIR"), "", "Folder of the results";
        TAG = "tag" -'t' ["TAG"] Value("TAG"), "run", "Label in the results' names: [A-Za-z0-9._-], at most 64";
        SPOOL_DIR = "spool-dir" ["PARFETCH_SPOOL_DIR"] Value("DIR"), "", "Folder for temporary files; default the system's";
        NO_OVERWRITE = "no-overwrite" ["PARFETCH_NO_OVERWRITE"] Nothing, "", "Refuse to replace results of the same name";
        STACK = "stack" ["PARFETCH_STACK"] Value("NAME"), "", "CloudFormation stack (infra/template.yaml)", "The stack of infra/template.yaml";
        CLUSTER = "cluster" [] Value("NAME|ARN"), "", "Cluster in which tasks run";
    }
    "What you see" {
        EGRESS_TO = "egress" ["PARFETCH_EGRESS"] Choice("WHERE", EGRESS), "none", "Where the bytes go, for the price: none (they stay in the region), internet, or region (another one of AWS). A forecast on this machine assumes internet, unless this is set";
        PRICES = "prices" ["PARFETCH_PRICES"] Value("FILE"), "", "Price list to use instead of the built-in one";
        PROGRESS = "progress" ["PARFETCH_PROGRESS"] Choice("WHEN", WHEN), "auto", "auto or never";
        OUTPUT = "output" ["PARFETCH_OUTPUT"] Choice("FORMAT", FORMATS), "text", "Summary on stdout as text or json";
        LOG_LEVEL = "log-level" ["PARFETCH_LOG_LEVEL"] Choice("LEVEL", LEVELS), "warn", "error, warn, info, debug or trace";
        LOG_FORMAT = "log-format" ["PARFETCH_LOG_FORMAT"] Choice("FORMAT", FORMATS), "text", "Log lines as text or json";
    }
}

/// How every fetch is made.
pub(super) const EACH_FETCH: [Setting; 3] = [WORK, PART_SIZE, ORDER];
/// What is sent to a web server, and which answers are good.
pub(super) const EACH_REQUEST: [Setting; 7] = [
    METHOD,
    HEADER,
    BODY,
    BODY_FILE,
    EXPECT,
    NO_KEEP_ALIVE,
    CONNECT_TO,
];
/// When a fetch is given up.
pub(super) const LIMITS: [Setting; 4] = [ATTEMPTS, CONNECT_TIMEOUT, STALL_TIMEOUT, TIMEOUT];
/// How a source is reached.
pub(super) const TO_SOURCE: &[Setting] = &[
    ENDPOINT_URL,
    VIRTUAL_HOST,
    REGION,
    PROFILE,
    NO_SIGN_REQUEST,
    REQUEST_PAYER,
    CA_BUNDLE,
];
/// How results are reached that were stored before.
pub(super) const TO_RESULTS: &[Setting] = &[
    ENDPOINT_URL,
    VIRTUAL_HOST,
    REGION,
    PROFILE,
    NO_SIGN_REQUEST,
    CA_BUNDLE,
];
/// Where the bytes went that results are of, and what that costs.
pub(super) const PRICED: [Setting; 2] = [
    EGRESS_TO.typed().help("Where the bytes went, for the price: none (they stayed in the region), internet, or region (another one of AWS)"),
    PRICES.typed().help("Price list to take instead of the built-in one"),
];
