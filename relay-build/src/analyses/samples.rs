//! Names that a rule matches, and names that it almost matches: random, from a seed, and the same on every run.
//!
//! A name is made from the conditions (a beginning, a text within, a walk through the regex) and then checked
//! with the matcher itself, so every hit is one. Where random tries find nothing, the automata of `language`
//! are asked.

use super::language::{Answer, Languages, Names};
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use relay_runtime::{
    matcher,
    regex::parse,
    table::{Matcher, Pattern, RouteKind, Table},
};

/// How many random tries are made before the automata are asked.
const TRIES: usize = 12;

/// Names are lengthened to about this many bytes, a length that is usual in production.
const NAME_BYTES: usize = 42;

/// Nodes that are usual in names.
const NODES: [&str; 16] = [
    "cpu", "load", "mem", "disk", "net", "user", "system", "p99", "count", "mean", "web", "db", "queue",
    "rate", "eth0", "free",
];

/// Random numbers that depend on the seed only, not on the machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts from a seed, which may be any number.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed ^ 0x2545_f491_4f6c_dd1d)
    }

    /// The next number.
    pub const fn number(&mut self) -> u64 {
        // Splitmix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() >> 33).unwrap_or(0) % bound.max(1)
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }
}

/// A rule for which names are made.
pub struct Subject {
    rule: Matcher,
    ready: matcher::Matcher,
    regex: Option<Hir>,
    /// What the automata found; `None` until they are asked.
    #[expect(clippy::option_option, reason = "asked or not, found or not")]
    witness: Option<Option<String>>,
}

impl Subject {
    /// Makes a matcher ready to be sampled. Returns `None` if its regex is not valid.
    #[must_use]
    pub fn new(rule: &Matcher) -> Option<Self> {
        let ready = matcher::Matcher::new(rule).ok()?;
        let regex = rule.regex.as_deref().and_then(|regex| parse(regex).ok());
        Some(Self { rule: rule.clone(), ready, regex, witness: None })
    }

    /// One subject for every rule of a table: blocklist, rewriters, aggregators, routes and the matchers of
    /// their destinations.
    #[must_use]
    pub fn of_table(table: &Table) -> Vec<Self> {
        let rewriter = |pattern: &Pattern| match pattern {
            Pattern::Text(text) => Matcher { sub: Some(text.clone()), ..Matcher::default() },
            Pattern::Regex(regex) => Matcher { regex: Some(regex.clone()), ..Matcher::default() },
        };
        let mut rules: Vec<Matcher> = table.blocklist.clone();
        rules.extend(table.rewriters.iter().map(|one| rewriter(&one.old)));
        rules.extend(table.aggregators.iter().map(|one| one.matcher.clone()));
        for route in &table.routes {
            rules.push(route.matcher.clone());
            if let RouteKind::SendAllMatch { destinations } | RouteKind::SendFirstMatch { destinations } =
                &route.kind
            {
                let own = destinations.iter().map(|one| &one.matcher);
                rules.extend(own.filter(|matcher| !matcher.is_empty()).cloned());
            }
        }
        rules.iter().filter_map(Self::new).collect()
    }

    /// A name that the rule matches, if one is found.
    pub fn hit(&mut self, random: &mut Random) -> Option<String> {
        for _ in 0..TRIES {
            let name = self.attempt(random);
            if is_plain(&name) && self.ready.matches(name.as_bytes()) {
                return Some(self.lengthen(name, random));
            }
        }
        let rule = &self.rule;
        let find = || match Languages::new(200_000).find(Names::OfLines, &[rule], &[]) {
            Answer::Witness(name) => Some(name),
            Answer::Empty | Answer::Unknown => None,
        };
        self.witness.get_or_insert_with(find).clone()
    }

    /// A name that differs from a hit by one letter and that the rule does not match, if one is found.
    pub fn near_miss(&mut self, random: &mut Random) -> Option<String> {
        let hit = self.hit(random)?;
        let decisive = self.rule.prefix.as_deref().or(self.rule.sub.as_deref());
        let part = decisive.and_then(|text| Some((hit.find(text)?, text.len())));
        for attempt in 0..TRIES {
            let (start, length) = part.filter(|_| attempt < TRIES / 2).unwrap_or((0, hit.len()));
            // A literal is compared longest when only its end differs.
            let at = if attempt == 0 { start + length - 1 } else { start + random.below(length) };
            let letter = char::from(b'a' + u8::try_from(random.below(26)).unwrap_or(0));
            let mut near = String::with_capacity(hit.len());
            near.extend(hit.char_indices().map(|(place, c)| if place == at { letter } else { c }));
            if is_plain(&near) && !self.ready.matches(near.as_bytes()) {
                return Some(near);
            }
        }
        None
    }

    /// A name that may be a hit.
    fn attempt(&self, random: &mut Random) -> String {
        let mut name = self.rule.prefix.clone().unwrap_or_default();
        if let Some(regex) = &self.regex {
            let mut walked = String::new();
            let is_anchored = regex.properties().look_set_prefix().contains(Look::Start);
            if !is_anchored && name.is_empty() && random.below(4) > 0 {
                name.push_str(random.pick(&NODES).unwrap_or(&"a"));
                name.push_str(&random.below(100).to_string());
            }
            walk(regex, random, &mut walked);
            match walked.strip_prefix(name.as_str()) {
                Some(rest) => name.push_str(rest),
                None => name.push_str(&walked),
            }
        }
        if let Some(sub) = self.rule.sub.as_deref().filter(|sub| !name.contains(sub)) {
            if name.is_empty() && random.below(4) > 0 {
                name.push_str(random.pick(&NODES).unwrap_or(&"a"));
            }
            name.push_str(sub);
        }
        if name.is_empty() {
            name.push_str(random.pick(&NODES).unwrap_or(&"a"));
        }
        name
    }

    /// The name with nodes added up to the usual length, as long as the rule still matches it.
    fn lengthen(&self, mut name: String, random: &mut Random) -> String {
        while name.len() < NAME_BYTES {
            let node = random.pick(&NODES).unwrap_or(&"a");
            let dot = if name.ends_with('.') { "" } else { "." };
            let longer = format!("{name}{dot}{node}{}", random.below(100));
            if !self.ready.matches(longer.as_bytes()) {
                break;
            }
            name = longer;
        }
        name
    }
}

/// Whether every validation level accepts the name.
fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !name.is_empty() && name.bytes().all(is_plain)
}

/// Writes a text that the regex matches, if its anchors and word boundaries are ignored.
fn walk(hir: &Hir, random: &mut Random, text: &mut String) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => text.push(letter(class, random)),
        HirKind::Capture(capture) => walk(&capture.sub, random, text),
        HirKind::Concat(parts) => parts.iter().for_each(|part| walk(part, random, text)),
        HirKind::Alternation(parts) => {
            if let Some(part) = random.pick(parts) {
                walk(part, random, text);
            }
        }
        HirKind::Repetition(repetition) => {
            let least = repetition.min;
            let most = repetition.max.unwrap_or(u32::MAX).min(least.saturating_add(4));
            let more = random.below(usize::try_from(most - least).unwrap_or(0) + 1);
            for _ in 0..usize::try_from(least).unwrap_or(0) + more {
                walk(&repetition.sub, random, text);
            }
        }
    }
}

/// A letter or digit of the class if it has one, else its first character.
fn letter(class: &Class, random: &mut Random) -> char {
    let nice: Vec<char> = "abcdefghijklmnopqrstuvwxyz0123456789_-ABCDEFGHIJKLMNOPQRSTUVWXYZ."
        .chars()
        .filter(|c| holds(class, *c))
        .collect();
    let first = || match class {
        Class::Unicode(class) => class.ranges().first().map(regex_syntax::hir::ClassUnicodeRange::start),
        Class::Bytes(class) => class.ranges().first().map(|range| char::from(range.start())),
    };
    // Letters are chosen more often than the rest, as in names of production.
    let likely = nice.len().min(36);
    random.pick(&nice[..likely]).copied().or_else(first).unwrap_or('a')
}

fn holds(class: &Class, c: char) -> bool {
    match class {
        Class::Unicode(class) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&c))
        }
        Class::Bytes(class) => {
            let byte = u8::try_from(c).unwrap_or(u8::MAX);
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&byte))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Vec<Matcher> {
        let one = |prefix: &str, sub: &str, regex: &str| {
            let mut rule = Matcher::default();
            rule.set(relay_runtime::table::Condition::Prefix, prefix);
            rule.set(relay_runtime::table::Condition::Sub, sub);
            rule.set(relay_runtime::table::Condition::Regex, regex);
            rule
        };
        vec![
            one("servers.", "", ""),
            one("", ".cpu.", ""),
            one("a.", ".b.", ""),
            one("", "", r"^servers\.(dc1|dc2)\.[a-z]+[0-9]{2}\.cpu$"),
            one("servers.", ".x", r"^servers\.[^.]+\.(load|mem)"),
            one("", "", r"\.p(50|99)$"),
            Matcher { not_prefix: Some("cpu".to_owned()), ..Matcher::default() },
        ]
    }

    #[test]
    fn hits_are_taken_and_near_misses_are_not() {
        let mut random = Random::new(7);
        for rule in rules() {
            let ready = matcher::Matcher::new(&rule).unwrap();
            let mut subject = Subject::new(&rule).unwrap();
            let mut different = std::collections::BTreeSet::new();
            for _ in 0..50 {
                let hit = subject.hit(&mut random).expect("a hit");
                assert!(ready.matches(hit.as_bytes()), "{rule:?}: {hit}");
                different.insert(hit);
                if let Some(near) = subject.near_miss(&mut random) {
                    assert!(!ready.matches(near.as_bytes()), "{rule:?}: {near}");
                }
            }
            assert!(different.len() > 10, "{rule:?}: {different:?}");
        }
        let near = Subject::new(&rules()[0]).unwrap().near_miss(&mut random).expect("a near miss");
        assert!(near.starts_with("servers"), "{near}");
    }

    #[test]
    fn what_chance_does_not_find_the_automata_do() {
        let rule = Matcher { regex: Some("é$".to_owned()), ..Matcher::default() };
        assert_eq!(Subject::new(&rule).unwrap().hit(&mut Random::new(1)), Some("é".to_owned()));
        let nothing =
            Matcher { prefix: Some("a".to_owned()), not_prefix: Some("a".to_owned()), ..Matcher::default() };
        assert_eq!(Subject::new(&nothing).unwrap().hit(&mut Random::new(1)), None);
    }

    #[test]
    fn a_seed_gives_the_same_names_again() {
        let names = || -> Vec<_> {
            let mut random = Random::new(3);
            rules().iter().map(|rule| Subject::new(rule).unwrap().hit(&mut random)).collect()
        };
        assert_eq!(names(), names());
    }
}
