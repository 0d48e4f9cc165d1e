//! The error documents of S3.

/// Whether the body is an S3 error document, or the start of one: XML whose first element is `Error`.
pub(super) fn is_error_document(body: &[u8]) -> bool {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_reader(body);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => return start.local_name().as_ref() == b"Error",
            Ok(Event::Decl(_) | Event::Comment(_) | Event::PI(_)) => {}
            Ok(Event::Text(text)) if text.trim_ascii().is_empty() => {}
            _ => return false,
        }
    }
}

/// The text of the first `<name>` in an S3 error document; `None` where the body is not such a document.
pub(super) fn element(xml: &[u8], name: &str) -> Option<String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_reader(xml);
    let mut inside = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => inside = start.local_name().as_ref() == name.as_bytes(),
            Event::Text(text) if inside => {
                return Some(text.decode().ok()?.trim().to_owned()).filter(|text| !text.is_empty());
            }
            Event::End(_) => inside = false,
            Event::Eof => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Target;

    #[test]
    fn elements_of_an_error_document_are_found() {
        let xml = b"<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>x</Message><Region>eu-west-1</Region></Error>";
        assert_eq!(element(xml, "Code").as_deref(), Some("SlowDown"));
        assert_eq!(element(xml, "Region").as_deref(), Some("eu-west-1"));
        assert_eq!(element(b"not xml", "Code"), None);
    }

    #[test]
    fn fuzz_error_documents() {
        let words = &[
            "<Code>",
            "</Code>",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "&amp;",
            "&#0;",
            "<?",
            "?>",
            "<!DOCTYPE",
            ">",
            "<a:Code>",
        ];
        let seed = b"<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>x</Message><Region>eu-west-1</Region></Error>";
        Target {
            name: "error-document",
            seeds: vec![seed.to_vec()],
            words,
            cases: 30_000,
        }
        .run(|bytes| {
            let found = element(bytes, "Code");
            assert!(found.is_none_or(|code| !code.is_empty() && code.len() <= 3 * bytes.len()));
        });
    }
}
