//! Makes Rust identifiers from names of the configuration: valid, unique, and recognisable. The same names
//! always give the same identifiers.

use proc_macro2::{Ident, Span};
use std::collections::BTreeSet;

/// Makes identifiers and remembers which are in use.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// `statsd` after `route` gives `route_statsd`; a second one `route_statsd_2`. A name without a letter or
    /// digit gets a number.
    pub(super) fn function(&mut self, stem: &str, key: &str, number: usize) -> Ident {
        let words = words(key);
        let name = if words.is_empty() { format!("{stem}_{number}") } else { format!("{stem}_{words}") };
        self.unique(&name)
    }

    /// The same in capitals.
    pub(super) fn constant(&mut self, stem: &str, key: &str, number: usize) -> Ident {
        let name = self.function(&stem.to_lowercase(), key, number).to_string();
        Ident::new(&name.to_uppercase(), Span::call_site())
    }

    fn unique(&mut self, name: &str) -> Ident {
        let mut candidate = name.to_owned();
        let mut number = 1;
        while !self.taken.insert(candidate.clone()) {
            number += 1;
            candidate = format!("{name}_{number}");
        }
        Ident::new(&candidate, Span::call_site())
    }
}

/// Returns the ASCII letters and digits in lower case, with one underscore for anything between them. Long
/// keys are cut.
fn words(key: &str) -> String {
    let mut words = String::new();
    for character in key.chars() {
        if character.is_ascii_alphanumeric() {
            words.push(character.to_ascii_lowercase());
        } else if !words.is_empty() && !words.ends_with('_') {
            words.push('_');
        }
        if words.len() >= 48 {
            break;
        }
    }
    words.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_legal_unique_and_recognisable() {
        let mut names = Names::default();
        let mut check = |key, want| assert_eq!(names.function("route", key, 7).to_string(), want);
        check("statsd", "route_statsd");
        check("Statsd!", "route_statsd_2");
        check("carbon default", "route_carbon_default");
        check("", "route_7");
        check("é", "route_7_2");
        check("fn", "route_fn");
    }
}
