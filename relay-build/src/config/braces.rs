//! `${{1}}` and `${{name}}`: groups as people write them for carbon-relay-ng, which removes one pair of
//! braces (BUG-05).
//!
//! Here `${1}` needs no doubling, so the doubled form means the same and causes a note. Variables are
//! completed first, and a name in doubled braces is never a variable.

use super::{check::Check, raw::Text};
use crate::diagnostics::{Diagnostic, codes};

/// Replaces each reference in doubled braces by one in single braces.
pub(super) fn undouble(check: &mut Check<'_>, text: Text) -> Text {
    let mut plain = String::with_capacity(text.text.len());
    let (mut rest, mut first) = (text.text.as_str(), None);
    while let Some((before, after)) = rest.split_once("${{") {
        plain.push_str(before);
        let name = after.split_once("}}").map(|(name, _)| name).filter(|name| is_reference(name));
        if let Some(name) = name {
            let start = text.text.len() - after.len() - "${{".len();
            first.get_or_insert((start, name.to_owned()));
            plain.push_str("${");
            plain.push_str(name);
            plain.push('}');
            rest = &after[name.len() + "}}".len()..];
        } else {
            plain.push_str("${{");
            rest = after;
        }
    }
    plain.push_str(rest);
    let Some((start, name)) = first else { return text };
    let place = text.part(start..start + name.len() + "${{}}".len());
    check.report(
        Diagnostic::note(
            codes::DOUBLED_BRACES,
            place,
            format!("`${{{{{name}}}}}` means the same as `${{{name}}}`"),
        )
        .label("carbon-relay-ng needs the doubled braces, this relay does not")
        .help(format!("write `${{{name}}}`")),
    );
    Text { text: plain, at: None, ..text }
}

/// Whether the name consists of letters, digits and `_`, like a group's name or number.
fn is_reference(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
