//! The settings of `serve`.

use std::path::PathBuf;

use super::reader::{SettingReader, usage};
use super::source::SERVE_HINT;
use crate::cli::{Given, Raw};
use crate::exit::Failure;
use crate::plan::is_listen_address;
use crate::plan::names::shown;
use crate::results::DEFAULT_OUT;
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
        .unwrap_or_else(|| PathBuf::from(DEFAULT_OUT));
    let mut config = server::ProcessConfig::new(options, folder);
    if let Some(address) = raw.get("listen") {
        config.address = listen_address(address)?;
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

/// Whether the address exists on this machine is known when it is listened on.
fn listen_address(given: &Given) -> Result<String, Failure> {
    let Given { value, name } = given;
    if is_listen_address(value) {
        return Ok(value.clone());
    }
    let port = value.trim_start_matches(':');
    let meant = if port.parse::<u16>().is_ok() {
        port.trim_start_matches('+')
    } else {
        "9000"
    };
    Err(usage(
        format!("{name} is {}, which is not HOST:PORT", shown(value)),
        format!("write it like 127.0.0.1:{meant}; port 0 takes a free one"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn what_is_listened_on_has_a_host_and_a_port() {
        let listens = |text: &str| {
            let given = Given {
                value: text.to_owned(),
                name: "--listen",
            };
            listen_address(&given).map_err(|wrong| {
                assert_eq!(wrong.exit, Exit::Usage);
                format!("{}\n{}", wrong.message, wrong.hint.unwrap())
            })
        };
        for text in ["127.0.0.1:9000", "localhost:0", "[::1]:9000"] {
            assert_eq!(listens(text).unwrap(), text);
        }
        for text in [
            "",
            "h",
            "h:",
            ":",
            "h:x",
            "h:+1",
            "h:99999",
            "http://h:1",
            "u@h:1",
            "::1",
        ] {
            assert!(listens(text).is_err(), "{text}");
        }
        for port in ["9000", ":9000"] {
            assert_eq!(
                listens(port).unwrap_err(),
                format!(
                    "--listen is `{port}`, which is not HOST:PORT\nwrite it like 127.0.0.1:9000; port 0 takes a free one"
                )
            );
        }
    }
}
