//! Random tables and random names that hit their literals and just miss them. The same seed gives the same.

use relay_runtime::table::{
    Aggregator, AggregatorOptions, Condition, Destination, DestinationIndex, Function, HashAlgorithm,
    HashRing, Matcher, Pattern, Rewriter, Route, RouteDestination, RouteKind, Table,
};

const TEXTS: [&str; 14] = [
    "a.",
    "a.b.",
    "servers.",
    "servers.web01.",
    "stats.timers.",
    ".cpu",
    "count",
    "é.",
    "a",
    "b",
    "_sum",
    "servers.web01.cpu.total.usage.per.core.in.percent.of.everything.there.is.x.",
    "..",
    "web0",
];

const REGEXES: [&str; 18] = [
    r"^a\.",
    r"^servers\.(web01|web02)\.",
    r"\.count$",
    r"^a\.b\.cpu$",
    r"cpu",
    r"^(a|b)\.",
    r"[0-9]+$",
    r"a.*cpu.*b",
    r"(?i)CPU",
    r"^servers\.[^.]+\.cpu",
    r".*",
    r"^foo|^servers",
    r"x?",
    r"^é",
    r"\bcpu\b",
    r"^s.*\.(count|sum)$",
    r"..\.",
    r"_(sum|max)",
];

/// A source of numbers.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % end
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    pub(crate) fn table(&mut self) -> Table {
        let destination = |port| Destination::new(format!("127.0.0.1:{port}"));
        let mut table = Table { destinations: (2003..2007).map(destination).collect(), ..Table::default() };
        for _ in 0..self.below(3) {
            let mut entry = Matcher::default();
            self.condition(&mut entry);
            table.blocklist.push(entry);
        }
        for _ in 0..self.below(4) {
            table.rewriters.push(self.rewriter());
        }
        for _ in 0..self.below(3) {
            let drop_raw = self.below(4) == 0;
            table.aggregators.push(Aggregator {
                functions: if self.below(2) == 0 {
                    vec![Function::Sum]
                } else {
                    vec![Function::Max, Function::Median]
                },
                matcher: self.matcher(),
                format: self.pick(&["sum.$0", "a.b.${1}.x", "servers.$1.$2", "one"]).to_owned(),
                interval: 10,
                wait: 20,
                cache: true,
                drop_raw,
                options: AggregatorOptions::default(),
            });
        }
        let routes = if self.below(4) == 0 { 40 } else { 6 };
        for _ in 0..self.below(routes) {
            let key = format!("r{}", self.below(5));
            let stop = self.below(4) == 0;
            table.routes.push(Route { key, matcher: self.matcher(), stop, kind: self.kind() });
        }
        table
    }

    pub(crate) fn name(&mut self) -> Vec<u8> {
        let mut name = Vec::new();
        for _ in 0..=self.below(4) {
            name.extend_from_slice(self.pick(&TEXTS).as_bytes());
        }
        match self.below(6) {
            0 => _ = name.pop(),
            1 => name.push(0xFF),
            2 => name.insert(0, b'.'),
            3 => {
                let at = self.below(name.len());
                name[at] = name[at].wrapping_add(1);
            }
            _ => {}
        }
        name
    }

    fn condition(&mut self, matcher: &mut Matcher) {
        let condition = Condition::ALL[self.below(6)];
        let regex = matches!(condition, Condition::Regex | Condition::NotRegex);
        let text = if regex { self.pick(&REGEXES) } else { self.pick(&TEXTS) };
        matcher.set(condition, text);
    }

    fn matcher(&mut self) -> Matcher {
        let mut matcher = Matcher::default();
        for _ in 0..self.below(4) {
            self.condition(&mut matcher);
        }
        matcher
    }

    fn rewriter(&mut self) -> Rewriter {
        let not = (self.below(3) == 0).then(|| Pattern::Text(self.pick(&TEXTS).to_owned()));
        if self.below(2) == 0 {
            let old = Pattern::Regex(self.pick(&REGEXES).to_owned());
            return Rewriter { old, new: "x$0".to_owned(), not, max: None };
        }
        let max = [None, Some(0), Some(1), Some(2)][self.below(4)];
        let new = self.pick(&["", "z.", " ", "a.b."]).to_owned();
        Rewriter { old: Pattern::Text(self.pick(&TEXTS).to_owned()), new, not, max }
    }

    fn kind(&mut self) -> RouteKind {
        let index = |random: &mut Self| DestinationIndex::new(random.below(4));
        let mut targets = Vec::new();
        for _ in 0..=self.below(3) {
            let matcher = if self.below(2) == 0 { Matcher::default() } else { self.matcher() };
            targets.push(RouteDestination { destination: index(self), matcher });
        }
        let destinations = vec![index(self)];
        match self.below(8) {
            0 | 1 => RouteKind::SendAllMatch { destinations: targets },
            2 | 3 => RouteKind::SendFirstMatch { destinations: targets },
            4 => RouteKind::RoundRobin { destinations },
            5 => RouteKind::Failover { destinations },
            6 => {
                let algorithm = HashAlgorithm::CarbonCh;
                RouteKind::ConsistentHash(HashRing { algorithm, replicas: 1, diverse: false, destinations })
            }
            _ => RouteKind::Blackhole,
        }
    }
}
