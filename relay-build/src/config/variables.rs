//! Finds variables: `${NAME}` with a name of upper-case letters, digits and underscores, and, without braces, only carbon-relay-ng's four names. Any other text with a dollar sign is left as it is (BUG-05).

use super::options::is_variable_name;
use std::ops::Range;

/// The variables of carbon-relay-ng; only these may be written without braces.
const UPSTREAM: [&str; 4] = ["HOST", "GRAFANA_NET_ADDR", "GRAFANA_NET_API_KEY", "GRAFANA_NET_USER_ID"];

/// A variable in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) range: Range<usize>,
}

/// The variables in a text, in order.
pub(super) fn find(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].find('$') {
        at += next;
        if text[at..].starts_with("$$") && !text[at + 1..].starts_with("${") {
            at += 2;
        } else if let Some((name, length)) = at_start(&text[at..]) {
            found.push(Found { name: name.to_owned(), range: at..at + length });
            at += length;
        } else {
            at += 1;
        }
    }
    found
}

/// Returns the name and the length of the variable at the start of the text.
pub(super) fn at_start(text: &str) -> Option<(&str, usize)> {
    let rest = text.strip_prefix('$')?;
    if let Some(braced) = rest.strip_prefix('{') {
        let (name, _) = braced.split_once('}')?;
        return is_variable_name(name).then_some((name, name.len() + 3));
    }
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    UPSTREAM.contains(&&rest[..end]).then_some((&rest[..end], end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &[&str]) {
        let names: Vec<_> = find(text).into_iter().map(|found| found.name).collect();
        assert_eq!(names, want, "{text}");
    }

    #[test]
    fn braces_make_any_upper_case_name_a_variable_and_only_upstreams_do_without() {
        check("${DC}.$DC.$HOST.${HOST}", &["DC", "HOST", "HOST"]);
        check("$GRAFANA_NET_ADDR/metrics", &["GRAFANA_NET_ADDR"]);
        check("$HOSTNAME $HOST_1 $HOST-1", &["HOST"]);
    }

    #[test]
    fn bug_05_other_references_are_left_alone() {
        check("x.${1}_yy $1 $$ ${name} ${} ${ $' $", &[]);
    }
}
