//! Decides which `stop`s matter: those of routes that match a name which a later route also matches.
//!
//! If the routes match different names, as most do, no `stop` has an effect, and the generated code needs
//! none.

use super::{Test, TestKind};
use crate::analyses::language::Languages;
use relay_runtime::table::Route;
use std::collections::BTreeMap;

/// Fuel for a whole table, some tenths of a second in an unoptimised build. When it is used up, every
/// remaining `stop` counts as one that matters.
const FUEL: u64 = 500_000;

/// For each route, whether its `stop` keeps any name from a later one. `asked` are the tests of each.
pub(super) fn matter(routes: &[Route], asked: &[Vec<Test>]) -> Vec<bool> {
    let mut languages = Languages::new(FUEL);
    let mut later = Later::default();
    let mut matter = vec![false; routes.len()];
    for (at, (route, tests)) in routes.iter().zip(asked).enumerate().rev() {
        let prefix = prefix(tests);
        if route.stop {
            let mut overlaps =
                |other: usize| languages.intersect(&[&route.matcher, &routes[other].matcher]) != Some(false);
            matter[at] = later.candidates(prefix).any(&mut overlaps);
        }
        later.add(at, prefix);
    }
    matter
}

/// Returns a text with which every name begins that passes these tests.
fn prefix(tests: &[Test]) -> &[u8] {
    let literal = |test: &'_ Test| match &test.kind {
        TestKind::Exact(text) | TestKind::Prefix(text) if !test.negated => Some(text.len()),
        _ => None,
    };
    let longest = tests.iter().max_by_key(|test| literal(test));
    match longest {
        Some(Test { kind: TestKind::Exact(text) | TestKind::Prefix(text), negated: false }) => {
            text.as_bytes()
        }
        _ => b"",
    }
}

/// The later routes, by the text with which their names begin.
#[derive(Default)]
struct Later<'t>(BTreeMap<&'t [u8], Vec<usize>>);

impl<'t> Later<'t> {
    fn add(&mut self, route: usize, prefix: &'t [u8]) {
        self.0.entry(prefix).or_default().push(route);
    }

    /// Returns the routes whose names can begin with this: their prefix is a beginning of it, or begins with
    /// it.
    fn candidates<'l>(&'l self, prefix: &'l [u8]) -> impl Iterator<Item = usize> + 'l {
        let beginnings = (0..prefix.len()).filter_map(|length| self.0.get(&prefix[..length]));
        let longer = self.0.range(prefix..).take_while(move |(other, _)| other.starts_with(prefix));
        beginnings.chain(longer.map(|(_, routes)| routes)).flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Force, Strategy};
    use relay_runtime::{
        plan::Plan,
        table::{Condition, Matcher, Route, RouteKind, Table},
    };

    /// Routes that all stop, a condition each.
    #[track_caller]
    fn check(routes: &[(Condition, &str)], want: &[bool]) {
        let route = |(condition, text): &(Condition, &str)| {
            let mut matcher = Matcher::default();
            matcher.set(*condition, *text);
            Route { stop: true, ..Route::new("", matcher, RouteKind::Blackhole) }
        };
        let table = Table { routes: routes.iter().map(route).collect(), ..Table::default() };
        let strategy = Strategy::choose(&Plan { table, ..Plan::default() }, Force::default(), None);
        assert_eq!(strategy.expect("regexes").stops, want, "{routes:?}");
    }

    #[test]
    fn a_route_stops_only_what_a_later_one_would_take() {
        use Condition::{NotPrefix, Prefix, Regex, Sub};
        check(&[(Prefix, "a."), (Prefix, "b."), (Prefix, "c.")], &[false; 3]);
        check(&[(Prefix, "a.b."), (Prefix, "b."), (Prefix, "a.")], &[true, false, false]);
        check(&[(Prefix, "a."), (Prefix, "b."), (Prefix, "a.b.")], &[true, false, false]);
        check(&[(Prefix, "a."), (Sub, ".b."), (Prefix, "c.")], &[true, true, false]);
        check(&[(Regex, r"^(a|b)\.x\."), (Regex, r"^[^.]+\.y\."), (Prefix, "c.")], &[false, true, false]);
        check(&[(Prefix, "a."), (NotPrefix, "a.")], &[false, false]);
        check(&[(Regex, r"^a\.[0-9]+$"), (Prefix, "a.b")], &[false, false]);
    }

    #[test]
    fn a_thousand_prefixes_that_have_no_name_in_common_stop_nothing() {
        let texts: Vec<_> = (0..1_000).map(|number| format!("web{number:04}.")).collect();
        let routes: Vec<_> = texts.iter().map(|text| (Condition::Prefix, text.as_str())).collect();
        check(&routes, &[false; 1_000]);
    }
}
