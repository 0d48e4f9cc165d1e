//! The settings of `serve` and what its help says.

use super::setting::Takes::{Nothing, Value};
use super::setting::{Setting, settings};

/// Settings of `serve`.
pub const SERVE: &[Setting] = settings! {
    "Server" {
        "listen" ["PARFETCH_LISTEN"] Value("ADDRESS"), "127.0.0.1:0", "Address and port; port 0 takes a free one", "Address and port";
        "options" ["PARFETCH_SERVE_OPTIONS"] Value("K=V,…"), "", "What the server holds and how it behaves, as after --embedded=", "Objects, network, faults: see --help";
        "results-dir" ["PARFETCH_RESULTS_DIR"] Value("DIR"), "./parfetch-results", "Folder of the bucket `results`", "Results";
        "threads" ["PARFETCH_SERVE_THREADS"] Value("N"), "1", "Threads that serve";
        "tls-cert" ["PARFETCH_TLS_CERT"] Value("FILE"), "", "Serve https with this PEM certificate chain", "Serve https with this certificate";
        "tls-key" ["PARFETCH_TLS_KEY"] Value("FILE"), "", "Private key of --tls-cert";
        "anonymous" ["PARFETCH_ANONYMOUS"] Nothing, "", "Answer unsigned requests too", "Answer unsigned requests too";
        "access-key" ["PARFETCH_SERVE_ACCESS_KEY"] Value("KEY"), "", "Access key to take instead of a random one; its secret comes from PARFETCH_SERVE_SECRET_KEY";
    }
};

pub(super) const SERVE_ABOUT: &str = "Start an S3 endpoint on this machine, for trying and testing";

/// Examples below `serve -h`.
pub(super) const SERVE_BRIEF: &str = "\
Examples:
  parfetch serve --options objects=100000,size=16KiB
  parfetch serve --listen 127.0.0.1:9000 --options network=s3";

/// Examples below `serve --help`.
pub(super) const SERVE_EXAMPLES: &str = "\
Examples:
  parfetch serve --options objects=100000,size=16KiB
  parfetch serve --listen 127.0.0.1:9000 --options network=s3,ttfb-p99=200ms

Keys of --options (and of `run --embedded=`):
  objects=1000 size=256KiB sizes=fixed|lognormal seed=1 keys=plain|awkward
  prefixes=… page=1000 archived=0
  ttfb=0ms ttfb-p99=… conn-rate=… total-rate=… request-rate=… list-delay=…
  network=none|s3
  fault-reset= fault-stall= fault-short= fault-500= fault-slowdown=
  fault-expired= fault-missing=     (0 to 1, the share of GETs that fail so)";
