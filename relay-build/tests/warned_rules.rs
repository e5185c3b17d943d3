//! What is warned about is true: random tables, every short name taken through them rule by rule, and no rule of which a
//! warning says that nothing reaches it is ever reached. Nor is much overlooked.

use relay_build::{
    analyses::warnings,
    config::Origins,
    diagnostics::{Diagnostic, Span, codes},
};
use relay_runtime::{
    matcher, rewriter,
    rewriter::is_usable,
    table::{
        Condition, Destination, DestinationIndex, Matcher, Pattern, Rewriter, Route, RouteDestination,
        RouteKind, Table,
    },
};
use std::collections::BTreeSet;

const TEXTS: [&str; 6] = ["a", "b", "ab", "ba", ".", "c"];
const REGEXES: [&str; 8] = ["^a", "b$", "a+b", "^[ab]+$", "a|b", r"^a?b?$", r"\.", "[^a]"];

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }

    fn pick<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len())]
    }

    fn matcher(&mut self, conditions: usize) -> Matcher {
        let mut matcher = Matcher::default();
        for _ in 0..conditions {
            let condition = Condition::ALL[self.below(6)];
            let is_regex = matches!(condition, Condition::Regex | Condition::NotRegex);
            matcher.set(condition, self.pick(if is_regex { &REGEXES } else { &TEXTS }));
        }
        matcher
    }

    fn rewriter(&mut self) -> Rewriter {
        let not = match self.below(4) {
            0 => Some(Pattern::Text(self.pick(&TEXTS).to_owned())),
            1 => Some(Pattern::Regex(self.pick(&REGEXES).to_owned())),
            _ => None,
        };
        if self.below(3) == 0 {
            let new = self.pick(&["", "$1", "c", "${2}b", "a.$0"]).to_owned();
            let old = self.pick(&["^(a)(b)?", "(b+)$", "[ab]+", r"^a\.(.*)$"]).to_owned();
            return Rewriter { old: Pattern::Regex(old), new, not, max: None };
        }
        let old = Pattern::Text(self.pick(&TEXTS).to_owned());
        let new = self.pick(&["", "a", "b", "c", "ab", ".", "x y"]).to_owned();
        Rewriter { old, new, not, max: (self.below(3) == 0).then_some(1) }
    }

    fn route(&mut self) -> Route {
        let conditions = self.below(3);
        let matcher = self.matcher(conditions);
        let mut destination = |at| {
            let conditions = self.below(3);
            RouteDestination { destination: DestinationIndex::new(at), matcher: self.matcher(conditions) }
        };
        let destinations = (0..3).map(&mut destination).collect();
        let stop = self.below(3) == 0;
        Route { stop, ..Route::new("", matcher, RouteKind::SendFirstMatch { destinations }) }
    }

    fn table(&mut self) -> Table {
        let blocklist = (0..self.below(5)).map(|_| self.matcher(1)).collect();
        let rewriters = (0..self.below(4)).map(|_| self.rewriter()).collect();
        let routes = (0..3).map(|_| self.route()).collect();
        let destinations = (0..3).map(|at| Destination::new(format!("d:{at}"))).collect();
        Table { blocklist, rewriters, routes, destinations, ..Table::default() }
    }
}

/// One number for every rule of a table, which is also where it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    Entry(usize),
    Rewriter(usize),
    Route(usize),
    Destination(usize, usize),
}

impl Rule {
    fn place(self) -> Span {
        let start = match self {
            Self::Entry(at) => 1_000 + at,
            Self::Rewriter(at) => 2_000 + at,
            Self::Route(at) => 3_000 + at,
            Self::Destination(route, at) => 4_000 + 10 * route + at,
        };
        Span { start, end: start + 1 }
    }

    fn at(place: Span) -> Self {
        let at = place.start % 1_000;
        match place.start / 1_000 {
            1 => Self::Entry(at),
            2 => Self::Rewriter(at),
            3 => Self::Route(at),
            _ => Self::Destination(at / 10, at % 10),
        }
    }
}

fn origins(table: &Table) -> Origins {
    let places = |count, rule: fn(usize) -> Rule| (0..count).map(|at| rule(at).place()).collect();
    let destinations = |route| (0..3).map(|at| Rule::Destination(route, at).place()).collect();
    Origins {
        blocklist: places(table.blocklist.len(), Rule::Entry),
        rewriters: places(table.rewriters.len(), Rule::Rewriter),
        routes: places(table.routes.len(), Rule::Route),
        route_destinations: (0..table.routes.len()).map(destinations).collect(),
        ..Origins::default()
    }
}

/// A table that notes which rules did something.
struct Observed {
    blocklist: Vec<matcher::Matcher>,
    rewriters: Vec<rewriter::Rewriter>,
    /// Each with whether it stops, and its destinations.
    routes: Vec<(matcher::Matcher, bool, Vec<matcher::Matcher>)>,
    reached: BTreeSet<Rule>,
}

impl Observed {
    fn new(table: &Table) -> Self {
        let ready = |one: &Matcher| matcher::Matcher::new(one).expect("regexes that parse");
        let route = |one: &Route| match &one.kind {
            RouteKind::SendFirstMatch { destinations } => {
                let destinations = destinations.iter().map(|one| ready(&one.matcher)).collect();
                (ready(&one.matcher), one.stop, destinations)
            }
            other => panic!("{other:?}"),
        };
        Self {
            blocklist: table.blocklist.iter().map(ready).collect(),
            rewriters: table
                .rewriters
                .iter()
                .map(|one| rewriter::Rewriter::new(one).expect("a rewriter"))
                .collect(),
            routes: table.routes.iter().map(route).collect(),
            reached: BTreeSet::new(),
        }
    }

    /// Takes a name through; whether it could be sent, if it was not blocked.
    fn take(&mut self, name: &str) -> Option<bool> {
        if let Some(entry) = self.blocklist.iter().position(|one| one.matches(name.as_bytes())) {
            self.reached.insert(Rule::Entry(entry));
            return None;
        }
        let (mut name, mut next) = (name.as_bytes().to_vec(), Vec::new());
        for (at, rewriter) in self.rewriters.iter().enumerate() {
            if rewriter.apply(&name, &mut next) {
                self.reached.insert(Rule::Rewriter(at));
                std::mem::swap(&mut name, &mut next);
            }
        }
        if !is_usable(&name) {
            return Some(false);
        }
        for (at, (route, stop, destinations)) in self.routes.iter().enumerate() {
            if !route.matches(&name) {
                continue;
            }
            self.reached.insert(Rule::Route(at));
            if let Some(first) = destinations.iter().position(|one| one.matches(&name)) {
                self.reached.insert(Rule::Destination(at, first));
            }
            if *stop {
                break;
            }
        }
        Some(true)
    }
}

/// Every name of one to five letters.
fn names() -> Vec<String> {
    let mut names = Vec::new();
    let mut longest = vec![String::new()];
    for _ in 0..5 {
        longest = longest
            .iter()
            .flat_map(|name| ['a', 'b', 'c', '.', 'z'].map(|letter| format!("{name}{letter}")))
            .collect();
        names.extend(longest.iter().cloned());
    }
    names
}

#[test]
fn what_is_said_to_be_unreached_is_never_reached() {
    let names = names();
    let mut dice = Dice(7);
    let (mut said, mut overlooked) = (0, 0);
    for _ in 0..300 {
        let table = dice.table();
        let mut observed = Observed::new(&table);
        for name in &names {
            observed.take(name);
        }
        let found = warnings(&table, &origins(&table));
        let mut warned = BTreeSet::new();
        for one in &found {
            let rule = Rule::at(one.place.as_ref().expect("a place").0);
            match one.code {
                codes::UNUSABLE_NAME => check_witness(&mut observed, one),
                codes::DUPLICATE_ROUTE => {}
                _ => {
                    assert!(!observed.reached.contains(&rule), "{one:?}\n{table:?}");
                    warned.insert(rule);
                }
            }
        }
        said += warned.len();
        // Of rules that only what is not rewritten reaches, everything can be known.
        if table.rewriters.is_empty() {
            let entries = (0..table.blocklist.len()).map(Rule::Entry);
            let rules = entries.chain((0..table.routes.len()).map(Rule::Route));
            let silent = rules.filter(|rule| !observed.reached.contains(rule) && !warned.contains(rule));
            overlooked += silent.inspect(|rule| println!("{rule:?} of {table:?}")).count();
        }
    }
    println!("{said} warnings, {overlooked} overlooked");
    assert!(said > 200 && overlooked == 0, "{said} {overlooked}");
}

/// The name in the message, its last word in backticks, is one that cannot be sent.
fn check_witness(observed: &mut Observed, one: &Diagnostic) {
    let name = one.message.trim_end_matches('`').rsplit_once('`').expect("a name").1;
    assert_eq!(observed.take(name), Some(false), "{one:?}");
}
