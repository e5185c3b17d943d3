//! `[[route.destination]]`: a destination as a table with typed values. It has the same options as a
//! destination string.

use super::{
    DestinationErrorKind, Written, check_address,
    option::{self, Kind},
    string,
};
use crate::config::{
    check::Check,
    fields::Fields,
    keys, matchers,
    raw::{Table, Value},
};
use crate::diagnostics::{Diagnostic, codes};
use relay_runtime::table::{Destination, Template};

/// Reads one table. If `closed` is true, the address must not have open variables.
pub(in crate::config) fn check_table(check: &mut Check<'_>, table: &Table, closed: bool) -> Option<Written> {
    let fields =
        Fields::read(check, table, "a destination", &[keys::DESTINATION, keys::OPTIONS, keys::MATCHER]);
    let address = if closed {
        fields.fixed(check, "address").map(|text| Template(text.text))
    } else {
        fields.open(check, "address")
    };
    let matcher = matchers::read(check, &fields);
    let mut destination = Destination::new(address.clone().unwrap_or_default());
    destination.instance = fields.fixed(check, "instance").map(|text| text.text);
    read_options(check, &fields, &mut destination);
    report_conflicts(check, &fields, &destination);
    if address.is_none() {
        if fields.text(check, "address").is_some() == fields.node("address").is_some() {
            check.report(
                Diagnostic::error(
                    codes::MISSING_ADDRESS,
                    fields.span_of("address"),
                    "a destination needs an address",
                )
                .help("write `address = \"<host>:<port>\"`"),
            );
        }
        return None;
    }
    check_address(check, &destination, fields.span_of("address")).then_some(Written { destination, matcher })
}

fn read_options(check: &mut Check<'_>, fields: &Fields<'_>, destination: &mut Destination) {
    for name in keys::OPTIONS {
        match option::kind(name) {
            Some(Kind::Flag) => destination.options.pickle = fields.boolean(check, name).unwrap_or(false),
            Some(Kind::Word(words)) => {
                if let Some(word) = word(check, fields, name, words) {
                    option::set_word(destination, name, word);
                }
            }
            Some(Kind::Number) => {
                if let Some(number) = fields.late(check, name, 0..=i64::MAX)
                    && let Some(place) = option::number_mut(&mut destination.options, name)
                {
                    *place = number;
                }
            }
            None => {}
        }
    }
}

/// Reads a word; a boolean is accepted if `true` and `false` are among the words.
fn word(
    check: &mut Check<'_>,
    fields: &Fields<'_>,
    name: &str,
    words: &'static [&'static str],
) -> Option<&'static str> {
    let is_boolean = matches!(fields.node(name)?.value, Value::Boolean(_));
    if is_boolean && words.contains(&"true") {
        return fields.boolean(check, name).map(|flag| if flag { "true" } else { "false" });
    }
    fields.choice(check, name, words)
}

fn report_conflicts(check: &mut Check<'_>, fields: &Fields<'_>, destination: &Destination) {
    for kind in string::conflicts(destination) {
        let diagnostic = match kind {
            DestinationErrorKind::Zero { option } => Diagnostic::error(
                codes::ZERO_OPTION,
                fields.span_of(option),
                format!("`{option}` must not be 0"),
            )
            .label("expected at least 1")
            .help(format!("write `{option} = {}`, which is the default", option::default_text(option))),
            DestinationErrorKind::Udp { option } => {
                let message = format!("`{option}` needs `protocol = \"tcp\"`");
                Diagnostic::error(codes::UDP_OPTION, fields.span_of(option), message)
                    .label("over UDP the relay cannot know what arrived")
                    .help(format!("remove `{option}` or `protocol`"))
            }
            _ => continue,
        };
        check.report(diagnostic);
    }
}
