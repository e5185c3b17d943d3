//! Decides how a table will run: the only place where algorithms are chosen.
//!
//! Each matcher becomes tests, cheapest first, and a regex that means the same as a literal becomes that
//! literal. Then each rule gets a guard, if possible: literals of which a name must contain one. If only a
//! few rules have guards of a kind, they are tested one by one; otherwise one scan of the name finds the
//! candidates among all of them.
//!
//! Code generation follows these decisions and makes none itself.

use super::literals::{Equivalent, Required, required};
use regex_syntax::hir::Hir;
use relay_runtime::{
    plan::Plan,
    regex::parse,
    table::{Condition, Matcher, Pattern, RouteDestination, RouteKind, Table},
};
use std::{collections::BTreeMap, ops::Range};

mod choose;
mod guards;
mod regexes;
mod stops;
mod traffic;
mod weigh;

pub use regexes::{RegexForm, StaticRegex};
pub use traffic::{Traffic, TrafficError};

use traffic::Question;
use weigh::Weigher;

/// All choices for one table.
#[derive(Clone, Debug)]
pub struct Strategy {
    /// How prefixes of the whole table are found.
    pub prefixes: PrefixStrategy,
    /// How substrings of the whole table are found.
    pub substrings: SubstringStrategy,
    /// Whether rules become code or data.
    pub form: RuleForm,
    /// The blocklist entries, aggregators and routes, numbered in one sequence in this order.
    pub rules: Vec<Rule>,
    /// The number of the first aggregator.
    pub first_aggregator: usize,
    /// The number of the first route.
    pub first_route: usize,
    /// For each route, the tests of each of its destinations in order.
    pub targets: Vec<Vec<Vec<Test>>>,
    /// For each route, whether it keeps any name from a later route.
    pub stops: Vec<bool>,
    /// The distinct regexes of matchers and of rewriters' `not`.
    pub regexes: Vec<StaticRegex>,
    /// For each rewriter, the literal and the test that it needs.
    pub rewriters: Vec<Rewriting>,
    /// For each rule, how many names of the corpus make it a candidate; empty without a corpus.
    pub called: Vec<Called>,
}

/// How many names of a corpus make a rule a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Called {
    /// The number of these names.
    pub names: u64,
    /// The number of all names.
    pub of: u64,
}

impl Strategy {
    /// The numbers of the blocklist's entries, of the aggregators and of the routes.
    #[must_use]
    pub fn stages(&self) -> [Range<usize>; 3] {
        let (aggregators, routes) = (self.first_aggregator, self.first_route);
        [0..aggregators, aggregators..routes, routes..self.rules.len()]
    }

    /// Whether a rule of this stage has a guard. If none has, all are tested one by one, and the scan of a
    /// name need not list them. Rows are always listed, if there is a scan at all.
    #[must_use]
    pub fn waits(&self, stage: Range<usize>) -> bool {
        let rules = if self.form == RuleForm::Rows { &self.rules } else { &self.rules[stage] };
        rules.iter().any(|rule| rule.guard != Guard::None)
    }
}

/// How prefixes are found, cheapest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrefixStrategy {
    /// Compared one by one.
    Compare,
    /// Looked up by the hash of each length that literals have.
    Hash,
    /// Found by walking a trie.
    Trie,
}

/// How substrings are found, cheapest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubstringStrategy {
    /// Searched one by one.
    Search,
    /// Found by a window that skips positions where no substring can begin.
    Skip,
    /// Found by one automaton for all.
    Automaton,
}

/// The form of the rules in the generated code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleForm {
    /// A function per rule.
    Code,
    /// A row per rule.
    Rows,
}

/// Overrides the choices, for tests and experiments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Force {
    /// Replaces the choice by the number of prefixes.
    pub prefixes: Option<PrefixStrategy>,
    /// Replaces the choice by the number of substrings.
    pub substrings: Option<SubstringStrategy>,
    /// Replaces the choice by the number of rules.
    pub form: Option<RuleForm>,
    /// Makes the engine of every regex at the relay's start, whatever the size of its automaton.
    pub regexes_at_start: bool,
    /// Uses every regex as it is written and without a guard, even one that means the same as a literal.
    pub regexes_plain: bool,
}

/// One blocklist entry, aggregator or route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What a name must contain before the rule is tested.
    pub guard: Guard,
    /// The tests for such a name; all must hold.
    pub tests: Vec<Test>,
    /// The strategy of the whole matcher.
    pub matching: MatchStrategy,
}

/// What a name must contain before a rule is tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Nothing.
    None,
    /// The name starts with one of these, each of at most [`LENGTH_MAX`](relay_runtime::matching::LENGTH_MAX) bytes.
    Prefixes(Vec<String>),
    /// The name contains one of these.
    Substrings(Vec<String>),
}

/// One test of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// The condition.
    pub kind: TestKind,
    /// Whether the condition must not hold.
    pub negated: bool,
}

/// The kinds of tests, cheapest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestKind {
    /// The name is this.
    Exact(String),
    /// It starts with this.
    Prefix(String),
    /// It ends with this.
    Suffix(String),
    /// It contains this, which the scan of the name has already found.
    Found(String),
    /// It contains this.
    Contains(String),
    /// This regex matches.
    Regex(usize),
    /// This regex matches a name that is known to contain the literal that it requires.
    Confirm(usize),
    /// True for every name (an empty condition).
    Always,
}

/// How one matcher runs, cheapest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MatchStrategy {
    /// Every name matches; there is no test.
    Always,
    /// The whole name equals a literal.
    Exact,
    /// A literal at the start decides.
    Prefix,
    /// A literal at the end decides.
    Suffix,
    /// A literal anywhere decides.
    Substring,
    /// Several literals decide.
    Literals,
    /// A required literal lets few names through to the regex.
    GuardedRegex,
    /// Only the regex decides.
    Regex,
}

/// The tests before one rewriter runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewriting {
    /// The literal that a regex in `old` requires.
    pub required: Option<String>,
    /// The test that exempts a name.
    pub not: Option<Test>,
}

/// A regex cannot be parsed; a checked plan contains no such regex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRegex {
    /// The pattern.
    pub pattern: String,
    /// The parser's message.
    pub reason: String,
}

impl std::fmt::Display for BadRegex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the regex `{}` cannot be compiled: {}", self.pattern, self.reason)
    }
}

impl std::error::Error for BadRegex {}

impl Strategy {
    /// Chooses the strategy for a plan; with `traffic`, the one that is cheapest for it.
    pub fn choose(plan: &Plan, force: Force, traffic: Option<&Traffic>) -> Result<Self, BadRegex> {
        let mut reader = Reader { force, ..Reader::default() };
        let mut asked = reader.read_plan(plan)?;
        let guards = guards::choose(&asked.rules, &reader.regexes);
        let guards = match traffic {
            Some(traffic) => reader.steer(&mut asked, guards, traffic),
            None => guards,
        };
        let mut strategy = choose::choose(reader, asked, guards, &plan.table);
        strategy.called = traffic.map(|traffic| called(&strategy, traffic)).unwrap_or_default();
        Ok(strategy)
    }
}

/// For each rule, how many names of the corpus contain its guard.
fn called(strategy: &Strategy, traffic: &Traffic) -> Vec<Called> {
    let called = |rule: &Rule| {
        let names = rule.guard.literals().map(|literal| traffic.yes(&Question::of_literal(literal)));
        Called { names: names.sum(), of: traffic.names }
    };
    strategy.rules.iter().map(called).collect()
}

/// The tests of all matchers of a table.
struct Asked {
    /// The blocklist, the aggregators and the routes.
    rules: Vec<Vec<Test>>,
    /// For each route, the tests of each destination.
    targets: Vec<Vec<Vec<Test>>>,
    rewriters: Vec<Rewriting>,
}

impl Asked {
    fn all_mut(&mut self) -> impl Iterator<Item = &mut Vec<Test>> {
        self.rules.iter_mut().chain(self.targets.iter_mut().flatten())
    }
}

/// Converts matchers to tests and collects their regexes.
#[derive(Default)]
struct Reader {
    force: Force,
    regexes: Vec<StaticRegex>,
    known: BTreeMap<String, usize>,
}

impl Reader {
    fn read_plan(&mut self, plan: &Plan) -> Result<Asked, BadRegex> {
        let Table { blocklist, rewriters, aggregators, routes, .. } = &plan.table;
        let matchers = blocklist
            .iter()
            .chain(aggregators.iter().map(|aggregator| &aggregator.matcher))
            .chain(routes.iter().map(|route| &route.matcher));
        let rules = matchers.map(|matcher| self.read(matcher)).collect::<Result<_, _>>()?;
        let mut targets = Vec::new();
        for route in routes {
            targets.push(match &route.kind {
                RouteKind::SendAllMatch { destinations } | RouteKind::SendFirstMatch { destinations } => {
                    let tests = |one: &RouteDestination| self.read(&one.matcher);
                    destinations.iter().map(tests).collect::<Result<_, _>>()?
                }
                _ => Vec::new(),
            });
        }
        let rewriters = rewriters.iter().map(|rule| self.read_rewriter(rule)).collect::<Result<_, _>>()?;
        Ok(Asked { rules, targets, rewriters })
    }

    /// Chooses by traffic which literal is searched for first, the order of tests, and the guards.
    fn steer(&mut self, asked: &mut Asked, plain: Vec<Guard>, traffic: &Traffic) -> Vec<Guard> {
        let weigher = Weigher { traffic, reader: self };
        let steered = |regex: &StaticRegex| {
            let rarest = weigher.rarest(&regex.required.substrings);
            if regex.literal.is_some() { rarest.or_else(|| regex.literal.clone()) } else { None }
        };
        let literals: Vec<_> = self.regexes.iter().map(steered).collect();
        for (regex, literal) in self.regexes.iter_mut().zip(literals) {
            regex.literal = literal;
        }
        let weigher = Weigher { traffic, reader: self };
        asked.all_mut().for_each(|tests| weigher.order(tests));
        weigher.guards(&asked.rules, plain)
    }

    fn read(&mut self, matcher: &Matcher) -> Result<Vec<Test>, BadRegex> {
        let mut tests = Vec::new();
        for (condition, text) in matcher.conditions() {
            let negated = matches!(condition, Condition::NotPrefix | Condition::NotSub | Condition::NotRegex);
            let kind = match condition {
                Condition::Prefix | Condition::NotPrefix => TestKind::Prefix(text.to_owned()),
                Condition::Sub | Condition::NotSub => TestKind::Contains(text.to_owned()),
                Condition::Regex | Condition::NotRegex => self.read_regex(text)?,
            };
            let test = Test { kind, negated };
            let idle = test.kind == TestKind::Always && !test.negated;
            if !idle && !tests.contains(&test) {
                tests.push(test);
            }
        }
        tests.sort_by_key(|test| test.kind.cost());
        Ok(tests)
    }

    fn read_rewriter(&mut self, rewriter: &relay_runtime::table::Rewriter) -> Result<Rewriting, BadRegex> {
        let required = match &rewriter.old {
            Pattern::Regex(regex) => required_literal(&required(&parsed(regex)?)),
            Pattern::Text(_) => None,
        };
        let not = match &rewriter.not {
            Some(Pattern::Text(text)) if text.is_empty() => Some(TestKind::Always),
            Some(Pattern::Text(text)) => Some(TestKind::Contains(text.clone())),
            Some(Pattern::Regex(regex)) => Some(self.read_regex(regex)?),
            None => None,
        };
        Ok(Rewriting { required, not: not.map(|kind| Test { kind, negated: false }) })
    }

    fn read_regex(&mut self, pattern: &str) -> Result<TestKind, BadRegex> {
        if let Some(&known) = self.known.get(pattern) {
            return Ok(TestKind::Regex(known));
        }
        let hir = parsed(pattern)?;
        let mut required = required(&hir);
        if self.force.regexes_plain {
            required = Required::default();
        }
        Ok(match required.equivalent.take() {
            Some(Equivalent::Everything) => TestKind::Always,
            Some(Equivalent::Prefix(text)) => TestKind::Prefix(text),
            Some(Equivalent::Exact(text)) => TestKind::Exact(text),
            Some(Equivalent::Substring(text)) => TestKind::Contains(text),
            Some(Equivalent::Suffix(text)) => TestKind::Suffix(text),
            None => {
                self.known.insert(pattern.to_owned(), self.regexes.len());
                self.regexes.push(StaticRegex::new(pattern, &hir, required, self.force.regexes_at_start));
                TestKind::Regex(self.regexes.len() - 1)
            }
        })
    }
}

fn parsed(pattern: &str) -> Result<Hir, BadRegex> {
    parse(pattern).map_err(|error| BadRegex { pattern: pattern.to_owned(), reason: error.to_string() })
}

/// The literal to search for before a regex is run.
fn required_literal(required: &Required) -> Option<String> {
    let prefix = match required.prefixes.as_slice() {
        [one] => Some(one),
        _ => None,
    };
    let all = required.substrings.iter().chain(prefix).chain(match required.any_substring.as_slice() {
        [one] => Some(one),
        _ => None,
    });
    // Every ordinary name has dots.
    all.filter(|text| *text != ".").max_by_key(|text| text.len()).cloned()
}

impl TestKind {
    const fn cost(&self) -> u8 {
        match self {
            Self::Always => 0,
            Self::Exact(_) | Self::Prefix(_) => 1,
            Self::Suffix(_) => 2,
            Self::Found(_) => 3,
            Self::Contains(_) => 4,
            Self::Confirm(_) | Self::Regex(_) => 5,
        }
    }
}
