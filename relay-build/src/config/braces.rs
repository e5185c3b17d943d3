//! `${{1}}` and `${{name}}`: how groups are written for carbon-relay-ng, which takes one pair of braces away (BUG-05).
//!
//! Here `${1}` stays as it is, so the doubled form means the same, with a note. Completing variables comes first: what stands in
//! doubled braces never is a variable.

use super::{check::Check, raw::Text};
use crate::diagnostics::{Diagnostic, codes};

/// The text with plain references in place of doubled ones.
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
            format!("`${{{{{name}}}}}` is taken as `${{{name}}}`"),
        )
        .label("carbon-relay-ng needs the doubled braces, this relay does not")
        .help(format!("write `${{{name}}}`")),
    );
    Text { text: plain, at: None, ..text }
}

/// Letters, digits and `_`, as a group's name or number has.
fn is_reference(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
