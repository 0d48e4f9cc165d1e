//! The files that the page carries inside: style, chart library, and what draws the charts. All of them are compiled in.

use std::io;

use crate::escape;
use flate2::read::GzDecoder;
use serde::Serialize;

/// The page's style.
pub(super) const STYLE: &str = concat!(
    include_str!("assets/theme.css"),
    include_str!("assets/layout.css")
);

/// The chart library, built by `tools/charts/build.sh`. Packed in the program, which is a third of a megabyte smaller so.
pub(super) fn library() -> String {
    let packed = include_bytes!("../../../third_party/echarts/echarts.min.js.gz");
    io::read_to_string(GzDecoder::new(&packed[..]))
        .expect("it is compiled in, and a test unpacks it")
}

/// What draws this page's charts with the library.
pub(super) const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("assets/common.js"),
    include_str!("assets/lines.js"),
    include_str!("assets/price.js"),
    include_str!("assets/runs.js"),
    include_str!("assets/png.js"),
    include_str!("assets/page.js"),
    "})();\n"
);

/// Runs before anything is drawn: with JavaScript the boxes of the charts take their place.
pub(super) const FIRST: &str = "document.documentElement.classList.add(\"pf-js\");";

/// What the page may do: run and show what it carries, and nothing else.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// A value as JSON that can stand inside a `script` element: no `<` is left, so neither `</script` nor `<!--` can end or bend it.
pub(super) fn inline_json(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).expect("plain structs with string keys serialise");
    escape::json(&json).replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn the_library_is_the_one_that_was_built() {
        let kept = include_str!("../../../third_party/echarts/SHA256SUMS");
        let sum = hex::encode(Sha256::digest(library().as_bytes()));
        assert_eq!(kept, format!("{sum}  echarts.min.js\n"));
    }

    #[test]
    fn nothing_inlined_ends_its_element_or_reaches_out() {
        let library = library();
        for (name, text) in [
            ("library", library.as_str()),
            ("script", SCRIPT),
            ("first", FIRST),
        ] {
            assert!(
                !text.contains("</script") && !text.contains("<!--"),
                "{name}"
            );
            assert!(
                !text.contains("new Function") && !text.contains("eval("),
                "{name}"
            );
        }
        assert!(!STYLE.contains("</style"));
        for outside in ["url(", "@import", "http"] {
            assert!(!STYLE.contains(outside), "{outside}");
        }
    }

    #[test]
    fn json_cannot_leave_its_element() {
        let text = inline_json(&["</script><script>alert(1)</script>", "<!--"]);
        assert!(!text.contains('<'));
        let back: Vec<String> = serde_json::from_str(&text).unwrap();
        assert_eq!(back, ["</script><script>alert(1)</script>", "<!--"]);
    }
}
