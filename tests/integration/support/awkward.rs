//! Keys that break what takes keys for file names, URLs, XML or lines of text.

/// Every store under test takes these.
pub(crate) const TAKEN: [&str; 37] = [
    "a b",
    " leading space",
    "two  spaces",
    "a+b",
    "per%cent",
    "per%20cent",
    "per%2Fcent",
    "%",
    "q?x=1",
    "?",
    "h#ash",
    "amp&er;sand",
    "&amp;",
    "quo'te\"d",
    "\"",
    "new\nline",
    "carriage\rreturn",
    "tab\tx",
    "ctl\u{1}x",
    "del\u{7f}x",
    "emoji/😀/ü",
    "e\u{301} and \u{e9}",
    "star*",
    "sem=eq",
    "~tilde",
    "dot./x",
    "...",
    "curly{}[]",
    "$dollar",
    "comma,",
    "colon:",
    "at@x",
    "<lt>",
    "pipe|^`",
    "!bang(paren)",
    "zero",
    "folder/",
];

/// Stores that keep objects as files refuse some of these.
pub(crate) const REFUSED_BY_SOME: [&str; 10] = [
    "/lead",
    "//lead",
    "a//b",
    "trailing//",
    "a/./b",
    "a/../b",
    "./a",
    "../a",
    "back\\slash",
    "trailing space ",
];

/// A key of 1,024 bytes, the most that S3 takes, in segments that fit a file name.
pub(crate) fn longest() -> String {
    let mut key = [
        "x".repeat(250),
        "y".repeat(250),
        "ü".repeat(125),
        "w".repeat(250),
    ]
    .join("/");
    key.push('/');
    key.push_str(&"z".repeat(1024 - key.len()));
    key
}

/// True for keys whose object is empty.
pub(crate) fn is_empty(key: &str) -> bool {
    key == "zero" || key.ends_with('/')
}
