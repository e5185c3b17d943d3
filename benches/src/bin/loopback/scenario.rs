//! What is compared: the lines, and a configuration for each relay that means the same.
//!
//! A new scenario is a variant of [`Scenario`] with its texts, its routes in both languages and its sinks.

use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// The number of different lines in the buffer that is sent over and over.
pub(crate) const LINES_IN_BUFFER: u64 = 100_000;

/// The length of each line in bytes, its LF included.
pub(crate) const LINE_BYTES: u64 = 65;

/// The name of the directory for spools, in that of each relay that has one.
pub(crate) const SPOOL: &str = "spool";

const PREFIXES: u64 = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Passthrough,
    Prefixes,
    CarbonCh,
}

impl Scenario {
    pub(crate) const ALL: [Self; 3] = [Self::Passthrough, Self::Prefixes, Self::CarbonCh];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Passthrough => "passthrough",
            Self::Prefixes => "prefixes",
            Self::CarbonCh => "carbon-ch",
        }
    }

    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|scenario| scenario.name() == name);
        found.ok_or_else(|| format!("unknown scenario `{name}`, see --help"))
    }

    /// What a figure of this scenario can and cannot show.
    pub(crate) const fn shows(self) -> &'static str {
        match self {
            Self::Passthrough => {
                "every line to one destination. Shows what framing, validation, queueing and system calls \
                 cost. Shows nothing about routing, and nothing about slow or failing destinations."
            }
            Self::Prefixes => {
                "1,000 routes, each for one prefix, onto 4 destinations; every line matches one of them. Shows \
                 how the cost of routing grows with a table of the kind that users write by hand. Real tables \
                 have regexes and lines that match several routes or none; carbon-c-relay gets its rules with \
                 `stop`, as a user of it would write them, and may order them by use. Neighbouring lines go to \
                 different destinations, which is the worst case for relays that batch."
            }
            Self::CarbonCh => {
                "every line to one of 8 destinations by MD5 on carbon's ring. Shows what hashing and the fan-out \
                 to 8 connections cost. Names are 46 bytes, one MD5 block; names of more than 55 cost more."
            }
        }
    }

    /// The number of destinations.
    pub(crate) const fn destinations(self) -> usize {
        match self {
            Self::Passthrough => 1,
            Self::Prefixes => 4,
            Self::CarbonCh => 8,
        }
    }

    /// The addresses where the lines arrive.
    pub(crate) fn sinks(self, port: u16) -> Vec<SocketAddr> {
        let mut sinks = sinks(port);
        sinks.truncate(self.destinations());
        sinks
    }

    /// The lines in the order in which they are sent. Their routes and hashes are spread evenly, without a
    /// pattern.
    pub(crate) fn lines() -> Vec<u8> {
        let mut text = String::new();
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..LINES_IN_BUFFER {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let (route, host, value) = (random % PREFIXES, (random >> 20) % 100_000, (random >> 40) % 1_000);
            let start = text.len();
            let _ = write!(text, "servers.r{route:03}.web-{host:05}.cpu.user.percent.mean.x");
            let _ = writeln!(text, " {:03}.25 1700000{:03}", value, (random >> 50) % 1_000);
            debug_assert_eq!((text.len() - start) as u64, LINE_BYTES);
        }
        text.into_bytes()
    }

    /// The configuration of our relay, in carbon-relay-ng's format.
    pub(crate) fn ours(self, port: u16, listen: SocketAddr, workers: u32, lines: u64, spool: &str) -> String {
        let mut text = format!(
            "instance = \"loopback\"\nlisten_addr = \"{listen}\"\nmax_procs = {workers}\nspool_dir = \"{SPOOL}\"\n\
             log_level = \"warn\"\nbad_metrics_max_age = \"24h\"\n"
        );
        let sinks = self.sinks(port);
        let options = format!("connbuf={lines} spool={spool}");
        let mut route = |key: &str, kind: &str, matcher: &str, destinations: &str| {
            let _ = write!(
                text,
                "\n[[route]]\nkey = \"{key}\"\ntype = \"{kind}\"\n{matcher}destinations = [{destinations}]\n"
            );
        };
        match self {
            Self::Passthrough => route("all", "sendAllMatch", "", &format!("\"{} {options}\"", sinks[0])),
            Self::Prefixes => {
                for number in 0..PREFIXES {
                    let sink = sinks[prefix_sink(number)];
                    let matcher = format!("prefix = \"servers.r{number:03}.\"\n");
                    let key = format!("r{number:03}");
                    route(&key, "sendAllMatch", &matcher, &format!("\"{sink} {options}\""));
                }
            }
            Self::CarbonCh => {
                let destinations = sinks
                    .iter()
                    .zip('a'..)
                    .map(|(sink, instance)| format!("\n    \"{sink}:{instance} {options}\","));
                let destinations: String = destinations.collect();
                route("ring", "consistentHashing-v2", "", &format!("{destinations}\n"));
            }
        }
        text
    }

    /// The configuration of carbon-c-relay. Its queue sizes are options of its command line.
    pub(crate) fn peer(self, port: u16, listen: SocketAddr) -> String {
        // Its own statistics would be lines that were never sent.
        let mut text =
            format!("listen type linemode {listen} proto tcp ;\nstatistics submit every 3600 seconds ;\n");
        let sinks = self.sinks(port);
        match self {
            Self::Passthrough => {
                let _ = write!(text, "cluster all forward {} ;\nmatch * send to all stop ;\n", sinks[0]);
            }
            Self::Prefixes => {
                for (number, sink) in sinks.iter().enumerate() {
                    let _ = writeln!(text, "cluster sink{number} forward {sink} ;");
                }
                for number in 0..PREFIXES {
                    let sink = prefix_sink(number);
                    let _ = writeln!(text, "match ^servers\\.r{number:03}\\. send to sink{sink} stop ;");
                }
            }
            Self::CarbonCh => {
                text.push_str("cluster ring carbon_ch replication 1\n");
                for (sink, instance) in sinks.iter().zip('a'..) {
                    let _ = writeln!(text, "    {sink}={instance}");
                }
                text.push_str("    ;\nmatch * send to ring stop ;\n");
            }
        }
        text
    }
}

/// Where a contender listens. Each has its own port, because the one before may still hold its port.
pub(crate) const fn listen(port: u16, contender: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port.saturating_add(contender))
}

/// The destinations of all scenarios.
pub(crate) fn sinks(port: u16) -> Vec<SocketAddr> {
    (0..8).map(|sink| listen(port, 4 + sink)).collect()
}

/// The destination of a prefix route. Neighbouring routes have different ones.
fn prefix_sink(number: u64) -> usize {
    usize::try_from(number % 4).unwrap_or(0)
}
