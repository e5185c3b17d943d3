//! The command line of the comparison.
//!
//! Every option has a default, so the program runs without any.

use crate::scenario::Scenario;
use std::{net::SocketAddr, path::PathBuf};

pub(crate) const HELP: &str = "\
Compares a byte-copy floor, our relay and carbon-c-relay over loopback, in CPU time per line.

Usage: cargo run --release -p relay-benches --bin loopback -- [options]

  --scenario NAME        passthrough, prefixes or carbon-ch; may be repeated (default: all)
  --lines N              lines per run (default 3000000)
  --rounds N             runs of each relay per scenario, interleaved (default 5)
  --connections N        connections that the lines are sent over (default 1)
  --workers N            worker threads of each relay (default 1)
  --relay [NAME=]PATH    a relay already built for the scenario NAME, or for all; see `--configs-only`
  --relay-build PATH     builds our relays (default: beside this program)
  --peer PATH            carbon-c-relay (default: from PATH)
  --install-peer         apt-get install carbon-c-relay where it is missing
  --without WHAT         floor, ours or carbon-c-relay; may be repeated
  --port N               first of 16 ports used on 127.0.0.1 (default 22003)
  --floor-buffer BYTES   what the floor reads at a time (default 65536)
  --out DIR              configurations, relays and raw results (default target/loopback)
  --configs-only         write the configurations and stop
  --format text|json     what is printed (default text)
";

#[derive(Debug)]
pub(crate) enum Command {
    Help,
    Compare(Box<Options>),
    /// How the comparison starts itself to run the floor.
    Floor {
        listen: SocketAddr,
        to: SocketAddr,
        buffer_bytes: usize,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) lines: u64,
    pub(crate) rounds: u32,
    pub(crate) connections: usize,
    pub(crate) workers: u32,
    /// Relays that were built before, each for one scenario or for all.
    pub(crate) relays: Vec<(Option<Scenario>, PathBuf)>,
    pub(crate) relay_build: Option<PathBuf>,
    pub(crate) peer: PathBuf,
    pub(crate) install_peer: bool,
    pub(crate) without: Vec<String>,
    pub(crate) port: u16,
    pub(crate) floor_buffer_bytes: usize,
    pub(crate) out: PathBuf,
    pub(crate) configs_only: bool,
    pub(crate) json: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            scenarios: Vec::new(),
            lines: 3_000_000,
            rounds: 5,
            connections: 1,
            workers: 1,
            relays: Vec::new(),
            relay_build: None,
            peer: "carbon-c-relay".into(),
            install_peer: false,
            without: Vec::new(),
            port: 22_003,
            floor_buffer_bytes: 65_536,
            out: "target/loopback".into(),
            configs_only: false,
            json: false,
        }
    }
}

pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut arguments = arguments.peekable();
    if arguments.next_if(|first| first == "floor").is_some() {
        return parse_floor(&mut arguments);
    }
    let mut options = Options::default();
    while let Some(name) = arguments.next() {
        match name.as_str() {
            "-h" | "--help" => return Ok(Command::Help),
            "--install-peer" => options.install_peer = true,
            "--configs-only" => options.configs_only = true,
            _ => {
                let value = arguments.next().ok_or_else(|| format!("{name} needs a value, see --help"))?;
                set(&mut options, &name, &value)?;
            }
        }
    }
    if options.scenarios.is_empty() {
        options.scenarios = Scenario::ALL.to_vec();
    }
    Ok(Command::Compare(Box::new(options)))
}

fn set(options: &mut Options, name: &str, value: &str) -> Result<(), String> {
    match name {
        "--scenario" => options.scenarios.push(Scenario::named(value)?),
        "--lines" => options.lines = at_least_one(name, value)?,
        "--rounds" => options.rounds = at_least_one(name, value)?,
        "--connections" => options.connections = at_least_one(name, value)?,
        "--workers" => options.workers = at_least_one(name, value)?,
        "--relay" => options.relays.push(match value.split_once('=') {
            Some((scenario, path)) => (Some(Scenario::named(scenario)?), path.into()),
            None => (None, value.into()),
        }),
        "--relay-build" => options.relay_build = Some(value.into()),
        "--peer" => options.peer = value.into(),
        "--without" => options.without.push(value.to_owned()),
        "--port" => options.port = at_least_one(name, value)?,
        "--floor-buffer" => options.floor_buffer_bytes = at_least_one(name, value)?,
        "--out" => options.out = value.into(),
        "--format" => options.json = value == "json",
        _ => return Err(format!("unknown option {name}, see --help")),
    }
    Ok(())
}

fn parse_floor(arguments: &mut impl Iterator<Item = String>) -> Result<Command, String> {
    let mut next = || arguments.next().ok_or("the floor needs LISTEN, TO and BYTES");
    let (listen, to, bytes) = (next()?, next()?, next()?);
    Ok(Command::Floor {
        listen: listen.parse().map_err(|error| format!("{listen}: {error}"))?,
        to: to.parse().map_err(|error| format!("{to}: {error}"))?,
        buffer_bytes: at_least_one("the floor's buffer", &bytes)?,
    })
}

fn at_least_one<T: std::str::FromStr + Default + PartialEq>(name: &str, value: &str) -> Result<T, String> {
    let number = value.replace('_', "").parse().ok().filter(|number| *number != T::default());
    number.ok_or_else(|| format!("{name}: `{value}` is not a number from 1 on, or too large"))
}
