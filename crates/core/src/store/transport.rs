//! Which code and remedy a broken connection or body gets: the same for both clients.

use std::error::Error;
use std::io;

use super::attempt::{AttemptError, Remedy};

/// How far the attempt had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttemptPhase {
    /// No connection yet.
    Connecting,
    /// The request is out, no head came; `reused` connections may have been closed by the server meanwhile.
    Waiting { reused: bool },
    /// The head came, the body is not complete.
    Reading,
}

/// Sorts a transport error by the innermost I/O error of its chain.
pub(super) fn transport(error: &(dyn Error + 'static), phase: AttemptPhase) -> AttemptError {
    if find::<rustls::Error>(error).is_some() {
        let untrusted = phase == AttemptPhase::Connecting;
        return AttemptError::own(
            "tls",
            if untrusted {
                Remedy::Nothing(crate::sample::Outcome::Failed)
            } else {
                Remedy::BackOff
            },
        );
    }
    let kind = find::<io::Error>(error).map(io::Error::kind);
    let hyper = find::<hyper::Error>(error);
    let closed = hyper
        .is_some_and(|e| e.is_incomplete_message() || e.is_canceled() || e.is_closed())
        || kind == Some(io::ErrorKind::UnexpectedEof);
    let reset = matches!(
        kind,
        Some(
            io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::NotConnected
        )
    );
    match phase {
        AttemptPhase::Connecting => connecting(kind),
        AttemptPhase::Waiting { reused: true } if closed || reset => {
            AttemptError::own("stale-connection", Remedy::NewConnection)
        }
        AttemptPhase::Waiting { .. } if closed || reset => {
            AttemptError::own("reset", Remedy::BackOff)
        }
        AttemptPhase::Reading if reset => AttemptError::own("reset", Remedy::BackOff),
        AttemptPhase::Reading if closed => AttemptError::own("short-body", Remedy::BackOff),
        _ if kind == Some(io::ErrorKind::TimedOut) => AttemptError::own("timeout", Remedy::BackOff),
        _ if kind == Some(io::ErrorKind::InvalidData)
            || kind == Some(io::ErrorKind::InvalidInput) =>
        {
            protocol()
        }
        _ if hyper.is_some_and(|e| e.is_parse() || e.is_user()) => protocol(),
        _ => AttemptError::own("other", Remedy::BackOff),
    }
}

/// An answer that breaks the rules of HTTP.
fn protocol() -> AttemptError {
    AttemptError::own("protocol", Remedy::BackOff)
}

fn connecting(kind: Option<io::ErrorKind>) -> AttemptError {
    let word = match kind {
        Some(io::ErrorKind::ConnectionRefused) => "connect-refused",
        Some(io::ErrorKind::TimedOut) => "connect-timeout",
        _ => "connect",
    };
    AttemptError::own(word, Remedy::Reconnect)
}

/// The first error of type `T` in the chain, also where an I/O error wraps it.
pub(super) fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<T>() {
            return Some(found);
        }
        let wrapped = current
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => current.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(kind: io::ErrorKind, phase: AttemptPhase) -> (String, Remedy) {
        let error = transport(&io::Error::from(kind), phase);
        (error.code.to_string(), error.remedy)
    }

    #[test]
    fn a_reused_connection_that_closed_before_the_answer_is_retried_at_once() {
        let reset = io::ErrorKind::ConnectionReset;
        assert_eq!(
            code(reset, AttemptPhase::Waiting { reused: true }),
            ("stale-connection".to_owned(), Remedy::NewConnection)
        );
        assert_eq!(
            code(reset, AttemptPhase::Waiting { reused: false }),
            ("reset".to_owned(), Remedy::BackOff)
        );
        assert_eq!(
            code(reset, AttemptPhase::Reading),
            ("reset".to_owned(), Remedy::BackOff)
        );
    }

    #[test]
    fn a_body_that_ends_early_is_short() {
        assert_eq!(
            code(io::ErrorKind::UnexpectedEof, AttemptPhase::Reading).0,
            "short-body"
        );
    }

    #[test]
    fn an_answer_against_the_rules_is_named_so_wherever_it_breaks_them() {
        for phase in [
            AttemptPhase::Waiting { reused: true },
            AttemptPhase::Reading,
        ] {
            for kind in [io::ErrorKind::InvalidData, io::ErrorKind::InvalidInput] {
                assert_eq!(code(kind, phase), ("protocol".to_owned(), Remedy::BackOff));
            }
        }
    }

    #[test]
    fn a_refused_connection_is_no_attempt() {
        assert_eq!(
            code(io::ErrorKind::ConnectionRefused, AttemptPhase::Connecting),
            ("connect-refused".to_owned(), Remedy::Reconnect)
        );
    }

    #[test]
    fn a_tls_error_inside_an_io_error_is_found() {
        let error = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::DecryptError);
        assert_eq!(
            transport(&error, AttemptPhase::Connecting).code.to_string(),
            "tls"
        );
    }
}
