//! Compares with the answers of Go's regexp, case by case, and with the `regex` crate for patterns that mean
//! the same there.
//!
//! The cases were recorded; the tests need no Go.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn matches(pattern: &str, texts: &[&str]) {
    let regex = Regex::new(pattern).unwrap();
    for text in texts {
        assert!(regex.is_match(text.as_bytes()), "{pattern} should match {text:?}");
    }
}

#[track_caller]
fn differs(pattern: &str, texts: &[&str]) {
    let regex = Regex::new(pattern).unwrap();
    for text in texts {
        assert!(!regex.is_match(text.as_bytes()), "{pattern} should not match {text:?}");
    }
}

#[track_caller]
fn refused(pattern: &str, position: usize) {
    let error = parse(pattern).expect_err(pattern);
    assert_eq!(error.position(), position, "{pattern}: {error}");
    assert!(error.range.end <= pattern.len());
}

#[test]
fn shorthand_classes_are_ascii() {
    matches(r"^\d\w\s$", &["1a ", "1_\t", "0Z\x0c"]);
    differs(r"^\d$", &["٣"]);
    differs(r"^\w$", &["é", "ß"]);
    differs(r"^\s$", &["\x0b", "\u{a0}"]);
    matches(r"^\S$", &["\x0b", "\u{a0}"]);
    matches(r"\bcpu\b", &["écpué", "a.cpu"]);
    differs(r"\bcpu\b", &["cpus"]);
    differs(r"\B", &["aéa"]);
}

#[test]
fn dot_is_one_character_but_not_a_line_feed() {
    matches("^.$", &["a", "é", "\u{1f600}", "\r"]);
    differs("^.$", &["\n", "ab", ""]);
    matches("(?s)^.$", &["\n"]);
}

#[test]
fn dollar_is_the_end_of_the_text_unless_told_otherwise() {
    differs("a$", &["a\n"]);
    matches("(?m)a$", &["a\nb", "b\na"]);
    matches(r"(?m)^b", &["a\nb"]);
    differs(r"(?m)\Ab", &["a\nb"]);
    matches(r"a\z", &["a"]);
}

#[test]
fn flags_last_to_the_end_of_their_group() {
    matches("a(?i)b|c", &["aB", "C"]);
    differs("(?:(?i)a)b", &["aB"]);
    matches("(?i:a)b", &["Ab"]);
    differs("(?i)a(?-i)b", &["aB"]);
    matches("(?i-s:A)", &["a"]);
}

#[test]
fn folding_is_unicode() {
    matches("(?i)^s$", &["S", "ſ"]);
    matches("(?i)^K$", &["k", "\u{212a}"]);
    matches("(?i)^É$", &["é"]);
    matches(r"(?i)^\w$", &["ſ"]);
    differs(r"(?i)^\W$", &["ſ"]);
    differs("(?i)^[^s]$", &["ſ", "S"]);
    matches("(?i)^[[:upper:]]$", &["a"]);
    differs("(?i)^İ$", &["i", "I"]);
}

#[test]
fn a_brace_that_starts_no_repetition_is_itself() {
    for pattern in ["a{,3}", "a{", "a{x}", "a{1,x}", "{", "a{}", "a{01}", "{a", "}"] {
        matches(pattern, &[pattern]);
    }
    matches("^a{2}$", &["aa"]);
    matches("^a{0}$", &[""]);
    matches("^a{1,}$", &["aaaa"]);
}

#[test]
fn quoted_text_is_literal() {
    matches(r"^\Qa.b*\E$", &["a.b*"]);
    matches(r"^\Qab\E+$", &["abb"]);
    matches(r"^\Qa.b", &["a.b"]);
    matches(r"^\Qab\", &[r"ab\"]);
    matches(r"^a*\Q\E*$", &["aa"]);
    refused(r"\Q\E*", 4);
}

#[test]
fn classes_have_no_set_operations() {
    matches("^[a&&b]$", &["a", "&", "b"]);
    matches("^[+--b]$", &[",", "b"]);
    refused("[a--b]", 1);
    matches("^[a~~b]$", &["~"]);
    matches("^[[a]$", &["[", "a"]);
    matches("^[[a]]$", &["a]"]);
    matches(r"^[a-z&&[^b]]$", &["&]", "b]"]);
    matches("^[]a]+$", &["]a"]);
    matches("^[^]a]$", &["b", "\n"]);
    matches("^[a-]+$", &["a-"]);
    matches(r"^[\d-z]+$", &["1-z"]);
    matches("^[[:word:].-]+$", &["a_1.-"]);
    matches("^[[:^alpha:]]$", &["1", "é"]);
    matches("^[[:a]+$", &["[:a"]);
    matches("^[[:space:]]$", &["\x0b"]);
}

#[test]
fn escapes_are_gos() {
    matches(r"^\x41\x{1F600}\101\0\07$", &["A\u{1f600}A\0\x07"]);
    matches(r"^\a\f\n\r\t\v\_\-\ $", &["\x07\x0c\n\r\t\x0b_- "]);
    differs(r"\x{D800}", &["", "a"]);
    matches(r"^[^\x{D800}]$", &["\u{d7ff}"]);
    for pattern in
        [r"\1", r"\8", r"\C", r"\Z", r"\G", r"\K", r"\<", r"\h", r"\E", r"\x4", r"\x{}", r"\x{110000}"]
    {
        if pattern != r"\<" {
            refused(pattern, 0);
        }
    }
    matches(r"\<", &["<"]);
    refused(r"a\é", 1);
    refused(r"ab\", 2);
    refused(r"[a-\d]", 3);
    refused(r"[\b]", 1);
}

#[test]
fn unicode_classes_have_the_names_of_go_1_25() {
    matches(r"^\pN\p{Greek}\p{Lu}\PL\p{^L}\P{^L}$", &["1αA11a"]);
    matches(r"^[\pL\d]+$", &["é1"]);
    matches(r"^\p{Any}$", &["\n"]);
    matches(r"^\p{Zl}$", &["\u{2028}"]);
    matches(r"^\p{C}\p{Cn}\p{unassigned}$", &["\u{378}\u{378}\u{378}"]);
    matches(r"^\p{greek}\p{Letter}\p{lowercase_letter}\p{LC}\p{ASCII}\p{Assigned}$", &["αéaAz1"]);
    matches(r"^\p{Old_Italic}\p{old italic}\p{OLD-ITALIC}$", &["\u{10300}\u{10300}\u{10300}"]);
    matches(r"^\p{Kawi}\pl$", &["\u{11f02}x"]);
    for pattern in
        [r"\pX", r"\p{Letters}", r"\p{", r"\p", r"\p{sc=Greek}", r"\p{}", r"\p{Greek", r"\p{Alphabetic}"]
    {
        refused(pattern, 0);
    }
}

#[test]
fn groups_are_plain_named_or_flagged() {
    matches("^(?P<n>a)(?P<n>b)()(|c)$", &["ab", "abc"]);
    matches(r"^telegraf\.(?<host>[^.]+)\.(?<metric>.*)", &["telegraf.web1.cpu.user"]);
    assert_eq!(
        parse_groups("(?<a>x)(?P<b>y)").unwrap().groups,
        [None, Some("a".to_owned()), Some("b".to_owned())]
    );
    for pattern in [
        "(?x)a", "(?u)a", "(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", "(?<n", "(?<>a)", "(?>a)", "(?#c)", "(?i",
        "(?-)a",
    ] {
        refused(pattern, 0);
    }
    for pattern in ["(?P<>a)", "(?P<é>a)", "(?P<n", "(?P<a-b>c)", "(?P=n)", "(?i--s)", "("] {
        refused(pattern, 0);
    }
    refused("a(b", 1);
    refused("ab)", 2);
    refused("[ab", 0);
    refused("a[b-a]", 2);
    refused("[[:foo:]]", 1);
}

#[test]
fn repetitions_are_bounded_and_do_not_stack() {
    for pattern in ["a**", "a*+", "a??+", "a+{2}", "a{2}{3}", "a{2}*"] {
        refused(pattern, 1);
    }
    for pattern in ["*a", "+", "?", "{2}", "|*", "(*)"] {
        assert!(parse(pattern).is_err(), "{pattern}");
    }
    refused("a{1001}", 1);
    refused("a{2,1}", 1);
    refused("a{1,99999999999999}", 1);
    refused("(?:a{100}){11}", 10);
    for pattern in ["a{1000}", "(?:a{100}){10}", "(?:a{1000}){0}", "a*?", "^*", r"\b+", "(?:a*)*", "a(?i)*"] {
        assert!(Regex::new(pattern).is_ok(), "{pattern}");
    }
}

#[test]
fn ungreedy_swaps() {
    let find = |pattern: &str| {
        let regex = Regex::new(pattern).unwrap();
        regex.captures(&Haystack::new(b"aaa")).unwrap().get(0).unwrap().len()
    };
    assert_eq!([find("a+"), find("a+?"), find("(?U)a+"), find("(?U)a+?")], [3, 1, 1, 3]);
}

#[test]
fn an_invalid_byte_is_one_replacement_character() {
    let check = |pattern: &str, text: &[u8], want: bool| {
        assert_eq!(Regex::new(pattern).unwrap().is_match(text), want, "{pattern} on {text:?}");
    };
    check("^.$", b"\xff", true);
    check("^..$", b"\xe2\x82", true);
    check("^[^a]$", b"\x80", true);
    check("\u{fffd}", b"a\x80", true);
    check("^..$", "é".as_bytes(), false);
    check("\u{e9}", b"\xe9", false);
}

#[test]
fn groups_lie_in_the_original_text() {
    let regex = Regex::new(r"(\.)(.)$").unwrap();
    let text = Haystack::new(b"\xffa.\xfe");
    let captures = regex.captures(&text).unwrap();
    assert_eq!(text.original(captures.get(1).unwrap()), b".");
    assert_eq!(text.original(captures.get(2).unwrap()), b"\xfe");
    assert_eq!(captures.get(3), None);
}

#[test]
fn depth_is_bounded() {
    let nested = |levels| "(".repeat(levels) + &")".repeat(levels);
    assert!(Regex::new(&nested(900)).is_ok());
    assert_eq!(parse(&nested(1001)).unwrap_err().kind, RegexErrorKind::TooDeep);
}

#[test]
fn size_is_bounded() {
    assert_eq!(Regex::new(r"\pL{1000}").err().unwrap().kind, RegexErrorKind::TooLarge);
}

proptest! {
    #[test]
    fn no_pattern_panics(pattern in r"(?:[\\\[\](){}|*+?^$.a1:<>,PpQEx&~-]|é|\\[pPQEbBdDsSwW]|\(\?[imsU-]{0,2}|\{[0-9],?[0-9]?\}){0,14}") {
        if let Ok(regex) = Regex::new(&pattern) {
            let _ = regex.is_match(b"a1.\xff");
        }
    }

    #[test]
    fn plain_ascii_patterns_mean_what_the_regex_crate_takes_them_for(
        pattern in r"(?:[abc.]|\[\^?[abc]{1,3}\]|\(a\|b?\)|\(?[ab]\)?|[ab][*+?]|[ab]\{[0-2],[2-4]\}|\||\^|\$|\\b|\\d){0,8}",
        text in "[abc1. ]{0,8}",
    ) {
        let theirs = regex::bytes::RegexBuilder::new(&pattern).unicode(false).build();
        match (Regex::new(&pattern), theirs) {
            (Ok(ours), Ok(theirs)) => {
                let found = theirs.find(text.as_bytes()).map(|found| found.range());
                let captures = ours.captures(&Haystack::new(text.as_bytes()));
                prop_assert_eq!(captures.and_then(|captures| captures.get(0)), found);
            }
            (ours, theirs) => prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{}", pattern),
        }
    }
}
