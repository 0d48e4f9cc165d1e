//! What names and addresses look like: buckets, regions, endpoints. They reach headers, paths and terminals, so whatever cannot be one is refused
//! where it comes in, from people, files and servers alike.

use http::Uri;

/// Longest name of a region. AWS's have less than 20 characters.
const REGION_BYTES: usize = 64;
/// Longest name of a bucket, on the oldest ones of S3.
const BUCKET_BYTES: usize = 255;
/// Most characters of a wrong value that a message shows.
const SHOWN: usize = 80;

/// What is wrong with a value: a predicate for its name (`is …`), and what to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Goes on behind the name of the flag or variable.
    pub what: String,
    /// What to try.
    pub hint: String,
}

impl Wrong {
    pub(super) fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
        }
    }
}

/// The text without the line ends and blanks around it, which files and secrets often add.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}')
}

/// What a text contains that no single-line value has: `a line end` or `a control character`.
pub fn control_in(text: &str) -> Option<&'static str> {
    if text.contains(['\n', '\r']) {
        return Some("a line end");
    }
    text.contains(char::is_control)
        .then_some("a control character")
}

/// A URL, or a place that may be meant as one, without its `user:password@`: they belong into no output.
pub fn without_user(place: &str) -> String {
    let start = place
        .find("//")
        .filter(|at| !place[..*at].contains('/'))
        .map_or(0, |at| at + 2);
    let (scheme, rest) = place.split_at(start);
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest[..authority].rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}{}", &rest[host..])
}

/// A wrong value for a message: escaped, and not longer than a line.
pub fn shown(text: &str) -> String {
    let cut = if text.chars().count() > SHOWN {
        "…"
    } else {
        ""
    };
    let shown: String = text.chars().take(SHOWN).collect();
    format!(
        "`{}{cut}`",
        shown
            .escape_debug()
            .to_string()
            .replace("\\\"", "\"")
            .replace("\\'", "'")
    )
}

/// Whether a region can be called so. Stores other than AWS have regions such as `RegionOne`.
pub fn is_region(text: &str) -> bool {
    (1..=REGION_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Refuses what cannot be the name of a region.
///
/// # Errors
/// What is wrong with it.
pub fn check_region(text: &str) -> Result<(), Wrong> {
    if is_region(text) {
        return Ok(());
    }
    let hint = "a region is like eu-west-1: letters, digits and - _ . without quotes";
    Err(Wrong::new(
        format!("is {}, which is not a region's name", shown(text)),
        hint,
    ))
}

/// Refuses what cannot be the name of a bucket. ARNs are names of other things.
///
/// # Errors
/// What is wrong with it.
pub fn check_bucket(text: &str) -> Result<(), Wrong> {
    if let Some(arn) = text.strip_prefix("arn:") {
        return Err(Wrong::new(
            format!("is {}, and ARNs are not taken", shown(text)),
            instead_of_arn(arn),
        ));
    }
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    if (1..=BUCKET_BYTES).contains(&text.len()) && text.bytes().all(known) {
        return Ok(());
    }
    let hint = "a bucket's name has letters, digits and - _ . without quotes";
    Err(Wrong::new(
        format!("is {}, which is not a bucket's name", shown(text)),
        hint,
    ))
}

/// What to give instead of `partition:service:region:account:resource`.
fn instead_of_arn(rest: &str) -> String {
    let mut fields = rest.splitn(5, ':').skip(1);
    let (service, account, resource) = (
        fields.next().unwrap_or_default(),
        fields.nth(1).unwrap_or_default(),
        fields.next().unwrap_or_default(),
    );
    let alias = match service {
        "s3-outposts" => "use the access point's alias, which ends in --op-s3",
        "s3-object-lambda" => "use the access point's alias, which ends in --ol-s3",
        _ if resource.rsplit('.').next() == Some("mrap") => {
            "multi-region access points are not supported: use a bucket behind it, or the alias of an access point (…-s3alias)"
        }
        _ if resource.starts_with("accesspoint") => {
            "use the access point's alias, which ends in -s3alias"
        }
        "s3" if account.is_empty() && check_bucket(resource).is_ok() => {
            return format!("use the bucket's name: {resource}");
        }
        _ => "use the bucket's name",
    };
    alias.to_owned()
}

/// An endpoint's URL as both clients take it: with a slash behind its path, where it has one.
///
/// # Errors
/// What is wrong with it. A value that may hold a password is not shown.
pub fn endpoint(text: &str) -> Result<String, Wrong> {
    let hint = "write it like http://127.0.0.1:9000 or https://s3.example.com";
    if text.contains('@') {
        return Err(Wrong::new("holds a user name or password", hint));
    }
    if text.contains(['?', '#']) {
        return Err(Wrong::new(
            "holds a query or a fragment",
            format!("leave out what follows the path; {hint}"),
        ));
    }
    let not_a_url =
        |hint: String| Wrong::new(format!("is {}, which is not a URL", shown(text)), hint);
    let Some(uri) = text.parse::<Uri>().ok().filter(is_whole) else {
        let with_scheme = format!("http://{text}");
        let lacks_scheme = !text.contains("://")
            && !text.contains(['"', '\''])
            && with_scheme.parse::<Uri>().is_ok_and(|uri| is_whole(&uri));
        return Err(not_a_url(if lacks_scheme {
            format!("write the scheme in front: {with_scheme} or https://{text}")
        } else {
            hint.to_owned()
        }));
    };
    let slash = if uri.path().ends_with('/') || text.ends_with('/') {
        ""
    } else {
        "/"
    };
    Ok(if uri.path() == "/" {
        text.to_owned()
    } else {
        format!("{text}{slash}")
    })
}

/// A scheme of HTTP, a host, and a port that is one.
fn is_whole(uri: &Uri) -> bool {
    let authority = uri.authority().map_or("", http::uri::Authority::as_str);
    // A port of more than 65535 is part of the text and of no port.
    let end = authority.rsplit(']').next().unwrap_or_default();
    matches!(uri.scheme_str(), Some("http" | "https"))
        && !authority.is_empty()
        // `+80` would be read as a number.
        && !authority.contains('+')
        && (!end.contains(':') || uri.port_u16().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_without_a_password() {
        for (place, shown) in [
            ("https://u:p@w@h/x@y", "https://h/x@y"),
            ("//u@h?a@b", "//h?a@b"),
            ("u:p@h:8000/a@b", "h:8000/a@b"),
            ("http://h/u@x", "http://h/u@x"),
            ("/u@x//y@z", "/u@x//y@z"),
            ("http://u:p@", "http://"),
        ] {
            assert_eq!(without_user(place), shown);
        }
    }

    #[test]
    fn line_ends_and_blanks_around_a_value_are_cut() {
        assert_eq!(trimmed(" \u{feff}us-east-1\r\n"), "us-east-1");
        assert_eq!(trimmed("a b"), "a b");
        assert_eq!(
            (control_in("a\rb"), control_in("a\x1bb"), control_in("ab")),
            (Some("a line end"), Some("a control character"), None)
        );
    }

    #[test]
    fn a_region_has_a_grammar() {
        for good in ["us-east-1", "auto", "RegionOne", "us_1", "gra.1"] {
            assert!(check_region(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a\x1bb",
            "\"us-east-1\"",
            "us east",
            "ü",
            &"x".repeat(65),
        ] {
            assert!(
                check_region(bad)
                    .unwrap_err()
                    .what
                    .ends_with(", which is not a region's name"),
                "{bad}"
            );
        }
        assert!(
            check_region("a\x1bb")
                .unwrap_err()
                .what
                .starts_with("is `a\\u{1b}b`,")
        );
    }

    #[test]
    fn a_bucket_is_a_name_and_no_arn() {
        for good in [
            "images",
            "my.dotted.bucket",
            "Weird_Bucket",
            "dir--euw1-az1--x-s3",
            "tenant:bucket",
        ] {
            assert_eq!(check_bucket(good), Ok(()), "{good}");
        }
        for bad in ["", "\"data\"", "a/b", "a b", "ä", "a\nb"] {
            assert!(
                check_bucket(bad)
                    .unwrap_err()
                    .what
                    .ends_with(", which is not a bucket's name"),
                "{bad}"
            );
        }
        let hint = |arn: &str| check_bucket(arn).unwrap_err().hint;
        assert_eq!(hint("arn:aws:s3:::data"), "use the bucket's name: data");
        assert!(
            hint("arn:aws:s3:eu-west-1:123456789012:accesspoint/myap")
                .ends_with("ends in -s3alias")
        );
        assert!(
            hint("arn:aws:s3:eu-west-1:123456789012:accesspoint:myap")
                .ends_with("ends in -s3alias")
        );
        assert!(
            hint("arn:aws-cn:s3-outposts:eu-west-1:1:outpost/op-1/accesspoint/x")
                .ends_with("--op-s3")
        );
        assert!(hint("arn:aws:s3-object-lambda:eu-west-1:1:accesspoint/x").ends_with("--ol-s3"));
        assert!(
            hint("arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap")
                .starts_with("multi-region")
        );
        assert_eq!(hint("arn:"), "use the bucket's name");
    }

    #[test]
    fn a_path_of_an_endpoint_ends_in_a_slash() {
        for (given, taken) in [
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://127.0.0.1:9000/", "http://127.0.0.1:9000/"),
            ("https://h/s3", "https://h/s3/"),
            ("https://h/storage/v1/s3/", "https://h/storage/v1/s3/"),
            ("http://[::1]:9000/a", "http://[::1]:9000/a/"),
        ] {
            assert_eq!(endpoint(given).as_deref(), Ok(taken));
        }
    }

    #[test]
    fn an_endpoint_that_may_hold_a_secret_is_not_shown() {
        for bad in [
            "user:PASS@h",
            "http://user:PASS@h/",
            "http://h/?key=PASS",
            "http://h/#PASS",
            "h?PASS",
        ] {
            let Wrong { what, hint } = endpoint(bad).unwrap_err();
            assert!(
                what.starts_with("holds a ") && !format!("{what}{hint}").contains("PASS"),
                "{bad}: {what}; {hint}"
            );
        }
    }

    #[test]
    fn an_endpoint_without_a_scheme_is_told_so() {
        assert_eq!(
            endpoint("127.0.0.1:9000").unwrap_err().hint,
            "write the scheme in front: http://127.0.0.1:9000 or https://127.0.0.1:9000"
        );
        assert_eq!(
            endpoint("s3.example.com").unwrap_err().hint,
            "write the scheme in front: http://s3.example.com or https://s3.example.com"
        );
        for bad in [
            "\"http://h\"",
            "ftp://h",
            "http://",
            "http://h:99999",
            "http://h:+80",
            "not a url",
        ] {
            assert_eq!(
                endpoint(bad).unwrap_err().hint,
                "write it like http://127.0.0.1:9000 or https://s3.example.com",
                "{bad}"
            );
        }
    }
}
