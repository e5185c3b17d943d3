//! Holds the repository to what its documents say of it: headers, links, the edges of the runtime, no stray files.
//!
//! Reads files as text and runs nothing. A new rule is a function here, with the reason beside it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Directories that are made, not written.
const MADE: [&str; 4] = [".git", "target", "dist", "corpus"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Every file of the repository, relative to its root.
fn files() -> Vec<PathBuf> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_symlink() || MADE.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let (root, mut found) = (root(), Vec::new());
    walk(&root, &mut found);
    found.sort();
    found.iter().map(|path| path.strip_prefix(&root).unwrap().to_owned()).collect()
}

fn named(ending: &str) -> impl Iterator<Item = (PathBuf, String)> {
    let files = files().into_iter().filter(move |path| path.to_string_lossy().ends_with(ending));
    files.map(|path| {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        (path, text)
    })
}

#[test]
fn no_tool_left_a_file_behind() {
    const STRAY: [&str; 7] = [".snap.new", ".pending-snap", ".orig", ".rej", ".bak", ".swp", "~"];
    let is_stray = |path: &PathBuf| STRAY.iter().any(|ending| path.to_string_lossy().ends_with(ending));
    let stray: Vec<_> = files().into_iter().filter(is_stray).collect();
    assert!(stray.is_empty(), "{stray:?}");
}

#[test]
fn every_file_of_code_says_what_it_is() {
    let without: Vec<_> =
        named(".rs").filter(|(_, text)| !text.starts_with("//!")).map(|(path, _)| path).collect();
    assert!(without.is_empty(), "no header: {without:?}");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for (path, text) in named(".md") {
        let directory = root().join(path.parent().unwrap());
        for link in links(&text).filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { root().join(&path) } else { directory.join(file) };
            let leads = target.exists()
                && (anchor.is_empty()
                    || anchors(&fs::read_to_string(&target).unwrap_or_default()).contains(anchor));
            if !leads {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// A picture without words is nothing to some readers, and with colours for paper only it is nothing to many.
#[test]
fn pictures_have_words_and_colours_for_light_and_dark() {
    let parts = ["role=\"img\"", "<title", "<desc", "prefers-color-scheme: dark"];
    let mut pictures = named(".svg").peekable();
    assert!(pictures.peek().is_some());
    for (path, text) in pictures {
        let missing: Vec<_> = parts.iter().filter(|part| !text.contains(**part)).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", path.display());
    }
}

/// The targets of `[text](target)`, outside of code.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    let prose = text.lines().filter(move |line| {
        in_code ^= line.trim_start().starts_with("```");
        !in_code
    });
    prose.flat_map(|line| line.split("](").skip(1)).filter_map(|rest| rest.split([')', ' ']).next())
}

/// The anchors of a document's headings, as they are made of their text.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        let kept: String = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect();
        kept.replace(' ', "-")
    };
    headings.map(anchor).collect()
}

/// ARCHITECTURE.md, "What must stay true": what decides about lines takes bytes, events and `now`.
#[test]
fn clocks_and_sockets_are_at_the_edge() {
    const EDGE: [&str; 5] = ["engine/", "serve/", "logging/", "record/", "measure.rs"];
    const SIGNS: [&str; 7] =
        ["Instant::now", "SystemTime::now", "mio::", "std::net::{T", "TcpStream", "UdpSocket", "UnixStream"];
    let mut inside = Vec::new();
    for (path, text) in named(".rs") {
        let Ok(place) = path.strip_prefix("relay-runtime/src") else { continue };
        let is_test = place.starts_with("destination/simulation") || place.ends_with("tests.rs");
        let code = text.split("#[cfg(test)]").next().unwrap();
        if !is_test && !EDGE.iter().any(|edge| place.starts_with(edge)) {
            let signs = SIGNS.iter().filter(|sign| code.contains(**sign));
            inside.extend(signs.map(|sign| format!("{}: {sign}", place.display())));
        }
    }
    assert!(inside.is_empty(), "{inside:#?}");
}

/// ARCHITECTURE.md names the modules with `unsafe`; there are no others.
#[test]
fn the_modules_with_unsafe_code_are_those_that_are_named() {
    let allows = |text: &str| {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        lines.any(|line| line.contains("unsafe {") || line.contains("unsafe fn"))
    };
    let named_there = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let this_file = Path::new("relay-build/tests/tidy.rs");
    let mut with = named(".rs").filter(|(path, text)| path != this_file && allows(text)).peekable();
    assert!(with.peek().is_some());
    for (path, _) in with {
        let place = path.strip_prefix("relay-runtime/src").unwrap_or(&path).display().to_string();
        assert!(named_there.contains(&format!("`{place}`")), "ARCHITECTURE.md does not name {place}");
    }
}

/// Comments refer to carbon-relay-ng's behaviour by "spec §5.5" and "BUG-22"; docs/compatibility.md says what that is.
#[test]
fn references_to_upstream_lead_to_the_page_on_compatibility() {
    let page = fs::read_to_string(root().join("docs/compatibility.md")).unwrap();
    let after = |text: &str, sign: &str, is_part: fn(char) -> bool| -> Vec<String> {
        let rest =
            text.split(sign).skip(1).map(|rest| rest.split(|c| !is_part(c)).next().unwrap_or_default());
        rest.map(|number| number.trim_end_matches('.').to_owned())
            .filter(|number| !number.is_empty())
            .collect()
    };
    let (mut missing, mut count) = (BTreeSet::new(), 0);
    let references = files().into_iter().filter(|path| {
        path.extension().is_some_and(|ending| ending == "rs" || ending == "md") && !path.ends_with("tidy.rs")
    });
    for path in references {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        let sections = text.lines().filter(|line| line.contains("spec §"));
        let sections = sections.flat_map(|line| after(line, "§", |c| c.is_ascii_digit() || c == '.'));
        let sections = sections.map(|number| format!("§{number}"));
        let faults =
            after(&text, "BUG-", |c| c.is_ascii_digit()).into_iter().map(|number| format!("BUG-{number}"));
        for reference in sections.chain(faults) {
            count += 1;
            if !page.contains(&format!("{reference} ")) {
                missing.insert(format!("{}: {reference}", path.display()));
            }
        }
    }
    assert!(count > 50 && missing.is_empty(), "{count}: {missing:#?}");
}
