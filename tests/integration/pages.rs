//! The Markdown pages: every link leads somewhere, and the texts are in plain English.
//!
//! What is looked at is what a person reads: code blocks and code within a line are left out, and so are tables of figures that a program writes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::words::{REPLACED, holds};

/// What must not stand in a page, and what to write instead; beside the words that no text may have.
const ON_PAGES: &[(&str, &str)] = &[
    ("«", "`code` for names and values, or plain quotes"),
    ("beside", "next to, in addition to, apart from"),
    ("besides", "in addition"),
    ("told", "gets, reads, says"),
    ("tells", "says, shows"),
    ("heard", "received"),
    ("foretells", "forecasts"),
    ("kept", "stored, stays"),
    ("goes on", "continues, still runs"),
    ("went on", "continued, was still running"),
    ("go on", "continue"),
    ("gone round", "read again and again"),
    ("stands", "is"),
    ("whoever", "the person who"),
    ("nobody", "no one, or the passive voice"),
    ("that of", "repeat the noun"),
    ("those of", "repeat the noun"),
    ("than AWS's", "an endpoint that is not AWS"),
    ("how many vCPU", "vCPUs"),
    ("whole vCPU", "whole vCPUs"),
    ("two vCPU", "two vCPUs"),
    ("keys a second", "per second"),
    ("requests a second", "per second"),
    ("fetches a second", "per second"),
    ("bytes a second", "per second"),
    ("MB/s a connection", "per connection"),
    ("ms a page", "per page"),
    ("row a key", "per key"),
    ("row a fetch", "per fetch"),
    ("connection a worker", "per worker"),
    ("line a key", "per key"),
    ("one a shard", "per shard"),
    ("one a program", "per program"),
];

/// Words that a page may have: the page (its end), the word, and why.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("METHODOLOGY.md", "goodput", "a rate, defined there"),
    (
        "METHODOLOGY.md",
        "Verdict",
        "the field of summary and report, whose rules are there",
    ),
    ("FORMAT.md", "Verdict", "the name of a field"),
    (
        "ARCHITECTURE.md",
        "Verdict",
        "the name of a field and of its module",
    ),
    ("FORMAT.md", "goodput", "a rate, the name of fields"),
    (
        "bench/README.md",
        "unclear",
        "the word of a table of figures, explained there",
    ),
];

/// Pages that are not looked at for words: a history, and texts of others.
const OTHERS: [&str; 2] = ["CHANGELOG.md", "third_party"];

/// Longest sentence of a page, and the longest average of all its sentences, in words.
const LONGEST: usize = 36;
const AVERAGE: usize = 14;

#[test]
fn pages_use_the_words_that_people_know() {
    let mut wrong = Vec::new();
    let mut sentences = 0;
    for (path, page) in pages() {
        for sentence in self::sentences(&page) {
            sentences += 1;
            let is_allowed = |word: &str| {
                ALLOWED
                    .iter()
                    .any(|(end, allowed, _)| path.ends_with(end) && *allowed == word)
            };
            for (word, instead) in REPLACED
                .iter()
                .chain(ON_PAGES)
                .filter(|(word, _)| has(&sentence, word) && !is_allowed(word))
            {
                wrong.push(format!(
                    "{}: `{word}` in: {sentence}\n    write: {instead}",
                    path.display()
                ));
            }
            wrong.extend(singular(&sentence).into_iter().map(|text| {
                format!(
                    "{}: `{text}` in: {sentence}\n    write: vCPUs",
                    path.display()
                )
            }));
        }
    }
    assert!(
        sentences > 1_000,
        "the pages are where they were: {sentences} sentences"
    );
    assert!(
        wrong.is_empty(),
        "{}\n{} in all",
        wrong.join("\n"),
        wrong.len()
    );
}

#[test]
fn sentences_of_pages_are_short() {
    let mut wrong = Vec::new();
    for (path, page) in pages() {
        let lengths: Vec<(usize, String)> = sentences(&page)
            .into_iter()
            .map(|text| (words(&text), text))
            .filter(|(words, _)| *words > 2)
            .collect();
        let total: usize = lengths.iter().map(|(words, _)| words).sum();
        let average = total / lengths.len().max(1);
        if average > AVERAGE {
            wrong.push(format!("{}: {average} words a sentence", path.display()));
        }
        wrong.extend(
            lengths
                .iter()
                .filter(|(words, _)| *words > LONGEST)
                .map(|(words, text)| format!("{}: {words} words: {text}", path.display())),
        );
    }
    assert!(
        wrong.is_empty(),
        "{}\n{} in all",
        wrong.join("\n"),
        wrong.len()
    );
}

#[test]
fn the_readme_is_short() {
    let page = fs::read_to_string(root().join("README.md")).unwrap();
    let widest = page
        .lines()
        .filter(|line| !line.starts_with('|'))
        .map(|line| line.chars().count())
        .max()
        .unwrap();
    assert!(
        page.lines().count() <= 150 && widest <= 110,
        "{} lines, the widest has {widest} letters",
        page.lines().count()
    );
}

#[test]
fn every_link_leads_somewhere() {
    let mut wrong = Vec::new();
    let mut links = 0;
    for path in markdown(&root()) {
        let page = fs::read_to_string(&path).unwrap();
        for link in self::links(&page) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            links += 1;
            let (file, anchor) = link
                .split_once('#')
                .map_or((link.as_str(), None), |(file, anchor)| (file, Some(anchor)));
            let target = if file.is_empty() {
                path.clone()
            } else {
                path.parent().unwrap().join(file)
            };
            let is_there = target.exists()
                && anchor.is_none_or(|anchor| {
                    target.extension().is_some_and(|end| end == "md")
                        && anchors(&fs::read_to_string(&target).unwrap()).contains(anchor)
                });
            if !is_there {
                wrong.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(links > 50, "links are found: {links}");
    assert!(
        wrong.is_empty(),
        "links that lead nowhere:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_page_of_docs_is_in_its_index() {
    let folder = root().join("docs");
    let index: BTreeSet<String> = links(&fs::read_to_string(folder.join("README.md")).unwrap())
        .into_iter()
        .collect();
    for path in markdown(&folder) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            name == "README.md" || index.contains(&name),
            "docs/README.md has no link to {name}"
        );
    }
}

#[test]
fn pages_are_taken_apart() {
    let page = "# A `b` heading\n\nOne sentence. Another\none: here `--a.b` is [a link](x.md#y)!\n\n- item\n  more\n\n```sh\nno text. at all\n```\n| a | b. c |\n|---|---|\n\
                <!-- figures -->\n| 2 vCPU |\n<!-- end -->\n";
    let expected = [
        "A ` heading",
        "One sentence.",
        "Another one: here ` is a link!",
        "item more",
        "a",
        "b.",
        "c",
    ];
    assert_eq!(sentences(page), expected);
    assert_eq!(links(page), ["x.md#y"]);
    assert_eq!(
        anchors("# The lines of a log (`--log-format json`)\n## A & b\n## A & b\n"),
        BTreeSet::from(
            ["the-lines-of-a-log---log-format-json", "a--b", "a--b-1"].map(str::to_owned)
        )
    );
    assert_eq!(
        singular("of 2 vCPU, 1 vCPU, 0.5 vCPU, 4,000 vCPU and 4 vCPUs"),
        ["2 vCPU", "4,000 vCPU"]
    );
    assert_eq!(words("`, ` and ` are three"), 5);
    assert!(has("It is told.", "told") && has("a «word»", "«") && !has("retold", "told"));
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The pages that people read, with their paths.
fn pages() -> Vec<(PathBuf, String)> {
    let is_ours = |path: &PathBuf| {
        !OTHERS
            .iter()
            .any(|other| path.strip_prefix(root()).unwrap().starts_with(other))
    };
    markdown(&root())
        .into_iter()
        .filter(is_ours)
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

fn markdown(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir()
            && !name.starts_with('.')
            && !["target", "node_modules"].contains(&name.as_str())
        {
            found.extend(markdown(&path));
        } else if path.extension().is_some_and(|end| end == "md") && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The lines of a page without code blocks and tables of figures.
fn lines(page: &str) -> impl Iterator<Item = &str> {
    let (mut in_code, mut in_figures) = (false, false);
    page.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        in_figures =
            line.starts_with("<!-- figures") || (in_figures && !line.starts_with("<!-- end"));
        !in_code && !is_fence && !in_figures && !line.starts_with("<!--")
    })
}

/// The sentences of a page: of each paragraph, item, heading and field of a table. Code within a line is one mark.
fn sentences(page: &str) -> Vec<String> {
    let mut texts = vec![String::new()];
    for line in lines(page) {
        let trimmed = line.trim();
        let item = trimmed.strip_prefix("- ").or_else(|| {
            trimmed
                .split_once(". ")
                .filter(|(number, _)| number.parse::<u8>().is_ok())
                .map(|(_, text)| text)
        });
        if trimmed.starts_with('|') {
            texts.extend(
                without_code(trimmed)
                    .replace("\\|", "/")
                    .split('|')
                    .map(|field| field.trim().to_owned()),
            );
            texts.push(String::new());
        } else if trimmed.is_empty() {
            texts.push(String::new());
        } else if let Some(item) = item {
            texts.push(item.to_owned());
        } else if trimmed.starts_with('#') {
            texts.extend([
                trimmed.trim_start_matches(['#', ' ']).to_owned(),
                String::new(),
            ]);
        } else {
            let text = texts.last_mut().unwrap();
            text.push_str(if text.is_empty() { "" } else { " " });
            text.push_str(trimmed);
        }
    }
    let is_text = |text: &String| text.chars().any(char::is_alphabetic);
    texts
        .iter()
        .map(|text| without_links(&without_code(text)).replace("**", ""))
        .flat_map(|text| split(&text))
        .filter(is_text)
        .collect()
}

/// A text at the ends of its sentences.
fn split(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for word in text.split_whitespace() {
        let last = found.last_mut().unwrap();
        last.push_str(if last.is_empty() { "" } else { " " });
        last.push_str(word);
        let is_short = ["vs.", "e.g.", "i.e.", "ca."].contains(&word);
        if word
            .trim_end_matches([')', '"', '*'])
            .ends_with(['.', '!', '?'])
            && !is_short
        {
            found.push(String::new());
        }
    }
    found
}

/// Words of a sentence; names in code that follow one another with commas are one.
fn words(sentence: &str) -> usize {
    let mut count = 0;
    let mut was_code = false;
    for word in sentence.split_whitespace() {
        let is_code = word.starts_with('`');
        count += usize::from(
            !(is_code && was_code) && word.chars().any(|c| c.is_alphanumeric() || c == '`'),
        );
        was_code = is_code;
    }
    count
}

/// A text with a mark in place of each piece of code.
fn without_code(text: &str) -> String {
    text.split('`')
        .enumerate()
        .map(|(part, text)| if part % 2 == 0 { text } else { "`" })
        .collect()
}

/// A text with the words of links, without where they lead.
fn without_links(text: &str) -> String {
    let mut parts = text.split("](");
    let mut found = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        found.push_str(part.split_once(')').map_or(part, |(_, rest)| rest));
    }
    found.replace(['[', ']'], "")
}

/// Where the links and pictures of a page lead.
fn links(page: &str) -> Vec<String> {
    let text = lines(page).collect::<Vec<_>>().join("\n");
    without_code(&text)
        .split("](")
        .skip(1)
        .filter_map(|part| part.split_once(')'))
        .map(|(link, _)| link.to_owned())
        .collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in lines(page).filter(|line| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim();
        let letters = heading
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .collect::<String>()
            .replace(' ', "-");
        let mut anchor = letters.clone();
        let mut twins = 0;
        while !found.insert(anchor.clone()) {
            twins += 1;
            anchor = format!("{letters}-{twins}");
        }
    }
    found
}

/// Whether a sentence has this word, or this mark.
fn has(sentence: &str, word: &str) -> bool {
    holds(&sentence.to_lowercase(), &word.to_lowercase())
        || (!word.chars().any(char::is_alphabetic) && sentence.contains(word))
}

/// More than one vCPU in the singular.
fn singular(sentence: &str) -> Vec<String> {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    words
        .windows(2)
        .filter(|pair| pair[1].trim_end_matches(|c: char| !c.is_alphanumeric()) == "vCPU")
        .filter(|pair| {
            pair[0]
                .replace(',', "")
                .parse::<f64>()
                .is_ok_and(|number| number > 1.0)
        })
        .map(|pair| format!("{} vCPU", pair[0]))
        .collect()
}
