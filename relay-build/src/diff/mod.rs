//! What two configurations do differently, however they are written.
//!
//! For each kind of difference the report has either a shortest metric that shows it, found with the automata
//! of the rules (`search`), or the statement that no metric does. What automata cannot decide (rewriters that
//! change names, limits of size) is searched for among names made from the rules, and the report says so. Hash
//! routes are compared over all positions of their rings (`rings`), settings by their values (`settings`).

mod effect;
mod follow;
mod render;
mod rings;
mod search;
mod settings;
mod stops;

use crate::analyses::{
    language::Languages,
    samples::{Random, Subject},
};
use effect::{Effect, meaning, own_matchers, written};
use follow::{Outcome, Side};
use relay_runtime::{
    interpret::Error,
    plan::Plan,
    table::{Route, RouteKind, Table},
};
use search::Found;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

pub use render::{markdown, text};
pub use rings::RingMoves;
pub use settings::SettingChange;

/// Fuel for one search, and for all of them together.
const FUEL_EACH: u64 = 3_000_000;
const FUEL: u64 = 60_000_000;

/// If there are more rules of one kind than this, they are not searched one by one.
const SEARCHES_MAX: usize = 200;

/// How many names are tried where automata do not decide.
const SAMPLES_MAX: usize = 4_000;

/// The kinds of differences that a metric can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The new blocklist drops the metric; the old one does not.
    NewlyBlocked,
    /// The old blocklist drops the metric; the new one does not.
    NoLongerBlocked,
    /// A route takes the metric that did not take it before.
    RouteGained,
    /// A route that took the metric does not take it any more.
    RouteLost,
    /// A route that takes the metric in both tables sends it to one more destination.
    DestinationGained,
    /// A route that takes the metric in both tables sends it to one destination less.
    DestinationLost,
    /// The rewriters turn the metric into another name than before.
    RewrittenOtherwise,
    /// An aggregation takes the metric in one of the two tables only.
    AggregatedOtherwise,
}

impl Kind {
    /// All kinds, in the order in which a line meets the rules.
    pub const ALL: [Self; 8] = [
        Self::NewlyBlocked,
        Self::NoLongerBlocked,
        Self::RewrittenOtherwise,
        Self::AggregatedOtherwise,
        Self::RouteGained,
        Self::RouteLost,
        Self::DestinationGained,
        Self::DestinationLost,
    ];

    /// The kind in words for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NewlyBlocked => "newly blocked",
            Self::NoLongerBlocked => "no longer blocked",
            Self::RouteGained => "route gained",
            Self::RouteLost => "route lost",
            Self::DestinationGained => "destination gained",
            Self::DestinationLost => "destination lost",
            Self::RewrittenOtherwise => "rewritten otherwise",
            Self::AggregatedOtherwise => "aggregated otherwise",
        }
    }
}

/// A difference and a metric that shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The kind of the difference.
    pub kind: Kind,
    /// The route, destination or aggregation that differs.
    pub subject: String,
    /// A metric that shows it.
    pub witness: String,
    /// Whether it is proven that no shorter metric shows it.
    pub is_shortest: bool,
}

/// What is known about one kind of difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KindReport {
    /// The kind.
    pub kind: Kind,
    /// A shortest metric that shows it; `None` if none was found.
    pub witness: Option<String>,
    /// Whether automata prove the result: that no shorter metric shows it or, without a witness, that none
    /// does.
    pub is_proven: bool,
}

/// What two configurations do differently.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Whether no difference was found at all.
    pub equal: bool,
    /// Whether automata prove all of it: that there is no difference, or that every witness is a shortest one.
    pub exact: bool,
    /// One entry per kind, in the order in which a line meets the rules.
    pub kinds: Vec<KindReport>,
    /// Each route, destination and aggregation that differs, with a metric that shows it.
    pub differences: Vec<Difference>,
    /// Hash routes that place some metrics on other destinations.
    pub rings: Vec<RingMoves>,
    /// Routes that choose among their destinations in another way, one sentence each.
    pub choices: Vec<String>,
    /// Settings that differ.
    pub settings: Vec<SettingChange>,
    /// What metrics in use show, if a file of them was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corpus: Option<Corpus>,
}

/// What the names of a file show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Corpus {
    /// The number of names.
    pub names: usize,
    /// The number of names that the tables treat differently.
    pub different: usize,
    /// The number of names by kind of difference.
    pub counts: BTreeMap<Kind, usize>,
    /// Every name that is treated differently, with the kinds of its differences.
    pub list: Vec<(String, Vec<Kind>)>,
}

/// Compares two plans. `names` are metrics in use, if any are known. Fails if a regex of a plan cannot be
/// compiled.
pub fn diff(old: &Plan, new: &Plan, names: Option<&[String]>) -> Result<Report, Error> {
    let sides = (Side::new(&old.table)?, Side::new(&new.table)?);
    let effects = effects(&old.table, &new.table);
    let mut languages = Languages::new(0);
    let mut fuel = FUEL;
    let mut samples = Samples { names: None, seed: 1 };
    let mut report = Report { exact: true, ..Report::default() };
    for kind in Kind::ALL {
        let mut summary = KindReport { kind, witness: None, is_proven: true };
        for (is_new, effect) in effects.get(&kind).into_iter().flatten() {
            let (one, other) = if *is_new { (&sides.1, &sides.0) } else { (&sides.0, &sides.1) };
            languages.fuel = FUEL_EACH.min(fuel);
            let before = languages.fuel;
            let mut found = search::search(effect, one, other, &mut languages);
            fuel -= before - languages.fuel;
            if found.name.is_none() && !found.is_proven {
                found = samples.search(effect, *is_new, &sides);
            }
            summary.is_proven &= found.is_proven;
            if let Some(witness) = found.name {
                let shorter = summary.witness.as_ref().is_none_or(|shown| witness.len() < shown.len());
                if shorter {
                    summary.witness = Some(witness.clone());
                }
                let subject = subject(effect);
                report.differences.push(Difference { kind, subject, witness, is_shortest: found.is_proven });
            }
        }
        report.exact &= summary.is_proven;
        report.kinds.push(summary);
    }
    report.rings = rings::compare(&old.table, &new.table);
    report.choices = choices(&old.table, &new.table);
    report.settings = settings::compare(old, new);
    report.corpus = names.map(|names| corpus(names, &sides.0, &sides.1, &effects));
    report.equal = report.differences.is_empty()
        && report.rings.is_empty()
        && report.choices.is_empty()
        && report.settings.is_empty()
        && report.corpus.as_ref().is_none_or(|corpus| corpus.different == 0);
    Ok(report)
}

/// The effects to search for, by kind; the flag is true for an effect of the new table.
type Effects = BTreeMap<Kind, Vec<(bool, Effect)>>;

fn effects(old: &Table, new: &Table) -> Effects {
    let mut effects = Effects::new();
    let mut add = |kind, is_new, effect| effects.entry(kind).or_default().push((is_new, effect));
    if old.blocklist != new.blocklist || old.validation != new.validation {
        add(Kind::NewlyBlocked, true, Effect::Blocks);
        add(Kind::NoLongerBlocked, false, Effect::Blocks);
    }
    if old.rewriters != new.rewriters {
        add(Kind::RewrittenOtherwise, true, Effect::Rewrites);
    }
    // A rule that comes before the routes can change which names they see.
    let is_front_equal = old.rewriters == new.rewriters && old.aggregators == new.aggregators;
    for (is_new, one, other) in [(true, new, old), (false, old, new)] {
        if !is_front_equal {
            let meanings: BTreeSet<String> = one.aggregators.iter().map(meaning).collect();
            for meaning in meanings.into_iter().take(SEARCHES_MAX) {
                add(Kind::AggregatedOtherwise, is_new, Effect::Aggregates(meaning));
            }
        }
        let (taking, sending) = if is_new {
            (Kind::RouteGained, Kind::DestinationGained)
        } else {
            (Kind::RouteLost, Kind::DestinationLost)
        };
        let (ours, theirs) = (by_key(one), by_key(other));
        let (reached, reached_there) = (stops::reached(one), stops::reached(other));
        let mut searches = 0;
        for (key, routes) in &ours {
            let others = theirs.get(key).map_or(&[][..], Vec::as_slice);
            let is_taken_alike = is_front_equal && reached.get(key) == reached_there.get(key);
            if !is_taken_alike && searches < SEARCHES_MAX {
                searches += 1;
                add(taking, is_new, Effect::Takes((*key).to_owned()));
            }
            if others.is_empty() || sends(one, routes) == sends(other, others) && is_taken_alike {
                continue;
            }
            let to: BTreeSet<String> = routes
                .iter()
                .flat_map(|route| own_matchers(&route.kind).0)
                .map(|destination| written(one, destination.destination.get()))
                .collect();
            for destination in to.into_iter().take(SEARCHES_MAX) {
                add(sending, is_new, Effect::Sends((*key).to_owned(), destination));
            }
        }
    }
    effects
}

fn by_key(table: &Table) -> BTreeMap<&str, Vec<&Route>> {
    let mut routes: BTreeMap<&str, Vec<&Route>> = BTreeMap::new();
    for route in &table.routes {
        routes.entry(&route.key).or_default().push(route);
    }
    routes
}

/// What routes send by matchers of their destinations, in a form that can be compared across tables.
fn sends(table: &Table, routes: &[&Route]) -> Vec<(bool, Vec<(String, relay_runtime::table::Matcher)>)> {
    let one = |route: &&Route| {
        let (destinations, is_first) = own_matchers(&route.kind);
        let to = destinations.iter().map(|one| (written(table, one.destination.get()), one.matcher.clone()));
        (is_first, to.collect())
    };
    routes.iter().map(one).collect()
}

fn subject(effect: &Effect) -> String {
    match effect {
        Effect::Blocks => "the blocklist".to_owned(),
        Effect::Takes(key) => format!("route `{key}`"),
        Effect::Sends(key, to) => format!("route `{key}` to {to}"),
        Effect::Aggregates(meaning) => format!("aggregation {meaning}"),
        Effect::Rewrites => "the rewriters".to_owned(),
    }
}

/// Routes that both tables have but that are of another kind now, or choose among other destinations.
fn choices(old: &Table, new: &Table) -> Vec<String> {
    let theirs = by_key(new);
    let mut sentences = Vec::new();
    for (key, routes) in by_key(old) {
        for (route, other) in routes.iter().zip(theirs.get(key).into_iter().flatten()) {
            let (one, two) = (choice(old, &route.kind), choice(new, &other.kind));
            if one != two {
                sentences.push(format!("route `{key}`: {one} became {two}"));
            }
        }
    }
    sentences
}

fn choice(table: &Table, kind: &RouteKind) -> String {
    let list = |destinations: &[relay_runtime::table::DestinationIndex]| {
        destinations.iter().map(|one| written(table, one.get())).collect::<Vec<_>>().join(", ")
    };
    match kind {
        // These are compared by the metrics that each destination gets, and hash routes by position.
        RouteKind::SendAllMatch { .. } | RouteKind::SendFirstMatch { .. } => "by matcher".to_owned(),
        RouteKind::ConsistentHash(_) => "by hash".to_owned(),
        RouteKind::RoundRobin { destinations } => format!("in turn to {}", list(destinations)),
        RouteKind::Failover { destinations } => format!("to the first that is up of {}", list(destinations)),
        RouteKind::Blackhole => "nowhere".to_owned(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

/// Names made from the rules of both tables, with the outcome in each table. Made when first needed.
struct Samples {
    names: Option<Vec<(String, Outcome, Outcome)>>,
    seed: u64,
}

impl Samples {
    fn search(&mut self, effect: &Effect, is_new: bool, (old, new): &(Side<'_>, Side<'_>)) -> Found {
        let seed = self.seed;
        let names = self.names.get_or_insert_with(|| {
            let names = sample_names(old.table, new.table, seed).into_iter();
            names
                .map(|name| (old.follow(&name), new.follow(&name), name))
                .map(|(o, n, name)| (name, o, n))
                .collect()
        });
        let differs = |(_, olds, news): &&(String, Outcome, Outcome)| {
            if is_new {
                effect.differs((new, news), (old, olds))
            } else {
                effect.differs((old, olds), (new, news))
            }
        };
        let name = names.iter().filter(differs).map(|(name, _, _)| name.clone()).min_by_key(String::len);
        Found { name, is_proven: false }
    }
}

fn sample_names(one: &Table, other: &Table, seed: u64) -> Vec<String> {
    let mut random = Random::new(seed);
    let mut subjects = Subject::of_table(one);
    subjects.extend(Subject::of_table(other));
    let rounds = (SAMPLES_MAX / subjects.len().max(1)).clamp(1, 40);
    let mut names = Vec::new();
    for round in 0..rounds {
        for subject in subjects.iter_mut().take(SAMPLES_MAX) {
            names.extend(if round % 4 == 3 {
                subject.near_miss(&mut random)
            } else {
                subject.hit(&mut random)
            });
        }
    }
    names.sort();
    names.dedup();
    names
}

fn corpus(names: &[String], old: &Side<'_>, new: &Side<'_>, effects: &Effects) -> Corpus {
    let mut corpus = Corpus { names: names.len(), ..Corpus::default() };
    for name in names {
        let (olds, news) = (old.follow(name), new.follow(name));
        let mut kinds = BTreeSet::new();
        for (kind, of_kind) in effects {
            let differs = |(is_new, effect): &(bool, Effect)| {
                let (news, olds) = ((new, &news), (old, &olds));
                if *is_new { effect.differs(news, olds) } else { effect.differs(olds, news) }
            };
            if of_kind.iter().any(differs) {
                kinds.insert(*kind);
                *corpus.counts.entry(*kind).or_default() += 1;
            }
        }
        if !kinds.is_empty() {
            corpus.different += 1;
            corpus.list.push((name.clone(), kinds.into_iter().collect()));
        }
    }
    corpus
}

#[cfg(test)]
mod tests;
