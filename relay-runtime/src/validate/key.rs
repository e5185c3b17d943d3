//! The class of a metric's name, and the rules of that class (spec §5.2 to §5.4).
//!
//! Fields and numbers are checked elsewhere; here a name is all that matters.

use super::Reason;
use crate::table::{LegacyLevel, Metrics20Level, Validation};
use memchr::{memchr, memmem};

/// The classes of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyClass {
    /// Plain Graphite, with or without tags.
    Legacy,
    /// metrics 2.0, written `unit=B`.
    Metrics20,
    /// metrics 2.0, written `unit_is_B`.
    Metrics20NoEquals,
}

/// Checks a metric as received, with its leading dot if it has one.
pub(crate) fn check(name: &[u8], validation: Validation) -> Result<(), Reason> {
    let bare = without_leading_dot(name);
    if bare.is_empty() {
        return Err(Reason::EmptyKey);
    }
    match class(name) {
        KeyClass::Legacy => check_legacy(bare, validation.legacy),
        _ if validation.metrics20 == Metrics20Level::None => Ok(()),
        KeyClass::Metrics20 => check_metrics20(bare, b"_is_", [b"unit=", b"mtype="]),
        KeyClass::Metrics20NoEquals => check_metrics20(bare, b"=", [b"unit_is_", b"mtype_is_"]),
    }
}

/// The metric without its leading dot, if it has one: the form that is checked, and that the order check uses.
pub(crate) fn without_leading_dot(name: &[u8]) -> &[u8] {
    name.strip_prefix(b".").unwrap_or(name)
}

/// The class as the first node determines it. Tags do not matter, even if no dot separates them from the first
/// node (BUG-29).
pub(crate) fn class(name: &[u8]) -> KeyClass {
    for (at, &byte) in name.iter().enumerate() {
        match byte {
            b'.' | b';' => return KeyClass::Legacy,
            b'=' => return KeyClass::Metrics20,
            b'_' if name[at..].starts_with(b"_is_") => return KeyClass::Metrics20NoEquals,
            _ => {}
        }
    }
    KeyClass::Legacy
}

fn check_legacy(bare: &[u8], level: LegacyLevel) -> Result<(), Reason> {
    if level == LegacyLevel::None {
        return Ok(());
    }
    let tags_at = memchr(b';', bare).unwrap_or(bare.len());
    let (path, tags) = bare.split_at(tags_at);
    if path.is_empty() {
        return Err(Reason::EmptyKey);
    }
    if !is_tag_appendix(tags) {
        return Err(Reason::InvalidTagAppendix);
    }
    if level == LegacyLevel::Strict {
        check_strict(path)?;
    }
    check_medium(bare)
}

/// The first invalid byte decides the reason.
fn check_medium(bare: &[u8]) -> Result<(), Reason> {
    match bare.iter().find(|&&byte| byte == 0 || byte >= 0x80) {
        None => Ok(()),
        Some(0) => Err(Reason::NullByte),
        Some(_) => Err(Reason::NonAsciiChar),
    }
}

fn check_strict(path: &[u8]) -> Result<(), Reason> {
    let mut before = 0;
    for &byte in path {
        match byte {
            b'.' if before == b'.' => return Err(Reason::EmptyNode),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' => before = byte,
            _ => return Err(Reason::IllegalChar),
        }
    }
    Ok(())
}

/// Whether the text is empty or any number of `;name=value`.
fn is_tag_appendix(tags: &[u8]) -> bool {
    let Some(tags) = tags.strip_prefix(b";") else { return tags.is_empty() };
    tags.split(|&byte| byte == b';').all(|tag| match memchr(b'=', tag) {
        None | Some(0) => false,
        Some(equals) => {
            let (name, value) = (&tag[..equals], &tag[equals + 1..]);
            !name.contains(&b'!') && !value.is_empty() && !value.contains(&b'=')
        }
    })
}

fn check_metrics20(bare: &[u8], other_class: &[u8], [unit, mtype]: [&[u8]; 2]) -> Result<(), Reason> {
    if memmem::find(bare, other_class).is_some() {
        return Err(Reason::MixEqualsTypes);
    }
    let has_node = |start: &[u8]| bare.split(|&byte| byte == b'.').any(|node| node.starts_with(start));
    if !has_node(unit) {
        return Err(Reason::NoUnit);
    }
    if !has_node(mtype) {
        return Err(Reason::NoMtype);
    }
    if memchr::memchr_iter(b'.', bare).nth(1).is_none() {
        return Err(Reason::NotEnoughTags);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_medium(name: &str, want: Result<(), Reason>) {
        assert_eq!(check(name.as_bytes(), Validation::default()), want, "{name}");
    }

    #[test]
    fn tags_do_not_decide_the_class() {
        check_medium("cpu;host=a", Ok(()));
        check_medium("cpu;it_is_on=a", Ok(()));
        check_medium("foo_is_bar", Err(Reason::NoUnit));
        check_medium("foo_is_bar;a=b", Err(Reason::MixEqualsTypes));
        check_medium("foo=bar", Err(Reason::NoUnit));
        check_medium("a.foo=bar", Ok(()));
    }

    #[test]
    fn an_empty_name_is_refused_at_every_level() {
        let lax = Validation {
            legacy: LegacyLevel::None,
            metrics20: Metrics20Level::None,
            ..Validation::default()
        };
        for name in [&b""[..], b"."] {
            assert_eq!(check(name, lax), Err(Reason::EmptyKey));
        }
        assert_eq!(check(b";a=b", lax), Ok(()));
        check_medium(".;a=b", Err(Reason::EmptyKey));
        check_medium("..", Ok(()));
    }

    #[test]
    fn tags_are_names_and_values() {
        for tags in ["", ";a=b", ";a=b;c=~d", ";a=b!"] {
            check_medium(&format!("x{tags}"), Ok(()));
        }
        for tags in [";", ";a", ";a=", ";=b", ";a=b;", ";a=b=c", ";;a=b", ";a!=b"] {
            check_medium(&format!("x{tags}"), Err(Reason::InvalidTagAppendix));
        }
    }

    #[test]
    fn metrics20_needs_unit_mtype_and_one_more() {
        check_medium("unit=B.mtype=gauge.what=x", Ok(()));
        check_medium("a=b.unit=B.mtype=gauge", Ok(()));
        check_medium("unit=B.mtype=gauge", Err(Reason::NotEnoughTags));
        check_medium("unit=B.what=x.y=z", Err(Reason::NoMtype));
        check_medium("unit_is_B.mtype_is_gauge.x_is_y", Ok(()));
        check_medium("unit=B.mtype=gauge.x_is_y", Err(Reason::MixEqualsTypes));
    }
}
