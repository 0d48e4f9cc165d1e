//! The settings of `serve`.

use std::path::PathBuf;

use super::reader::{SettingReader, usage};
use super::source::SERVE_HINT;
use crate::cli::{Given, Raw};
use crate::exit::Failure;
use crate::server;

/// The settings of `serve`.
pub fn serve(raw: &Raw) -> Result<server::ProcessConfig, Failure> {
    let reader = SettingReader(raw);
    let options = match raw.get("options") {
        None => server::Options::default(),
        Some(Given { value, name }) => value
            .parse()
            .map_err(|error| usage(format!("{name}: {error}"), SERVE_HINT))?,
    };
    let folder = reader
        .path("results-dir")
        .unwrap_or_else(|| PathBuf::from("./parfetch-results"));
    let mut config = server::ProcessConfig::new(options, folder);
    if let Some(address) = reader.text("listen") {
        config.address = address;
    }
    config.threads = reader
        .number("threads", 1..=256, "threads that serve")?
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or(1);
    config.anonymous = reader.switch("anonymous")?;
    config.tls = match (reader.path("tls-cert"), reader.path("tls-key")) {
        (Some(certificate), Some(key)) => Some(server::TlsFiles { certificate, key }),
        (None, None) => None,
        _ => {
            return Err(usage(
                "--tls-cert and --tls-key go together",
                "give both, or neither for plain http",
            ));
        }
    };
    if let Some(access_key) = reader.text("access-key") {
        let secret = raw
            .variables
            .get("PARFETCH_SERVE_SECRET_KEY")
            .map(str::to_owned);
        let secret_key = secret.ok_or_else(|| {
            usage(
                "--access-key has no secret",
                "set PARFETCH_SERVE_SECRET_KEY",
            )
        })?;
        config.credentials = Some(server::ServerCredentials {
            access_key,
            secret_key,
            session_token: None,
        });
    }
    Ok(config)
}
