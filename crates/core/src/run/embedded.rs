//! How the embedded server is reached.

use crate::plan::Access;
use crate::server::Embedded;
use crate::store::StaticCredentials;

/// Credentials with which a run may read from its own server.
pub fn static_keys(server: &Embedded) -> StaticCredentials {
    let credentials = &server.ready().credentials;
    StaticCredentials {
        access_key: credentials.access_key.clone(),
        secret_key: credentials.secret_key.clone(),
    }
}

/// What reaches the source: the server, with its keys, in the place of `access` where there is one.
pub fn reached(access: &Access, server: Option<&Embedded>) -> (Access, Option<StaticCredentials>) {
    let Some(server) = server else {
        return (access.clone(), None);
    };
    let access = Access {
        endpoint_url: Some(server.ready().endpoint_url.clone()),
        ..Access::default()
    };
    (access, Some(static_keys(server)))
}
