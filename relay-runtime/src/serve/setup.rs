//! From a completed plan to the setup of the engine.
//!
//! Numbers with units are converted, and each gets a limit that keeps arithmetic with it from overflowing.

use super::relay::StartError;
use crate::{
    aggregate::{NAMES_BYTES_MAX, SPARE},
    destination::{Limits, QueueMemory, Redo, Room, Spooling, WhenFull},
    engine::{Input, Outgoing, Setup, SpoolSetup, StateSetup},
    memory::{Demands, Memory},
    plan::Plan,
    protocol::{InputLimits, Protocol},
    select::Liveness,
    settings::Settings,
    spool::SpoolLimits,
    table::{Destination, DestinationOptions, FullPolicy, Late, Table},
};
use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    thread,
    time::Duration,
};

/// Longer than any useful time, and short enough to be added to an `Instant`.
const LONGEST: Duration = Duration::from_hours(365 * 24);

/// The memory that a queue gets per line, in bytes: twice the size of long lines. A queue of usual lines
/// reaches its limit on lines first.
const BYTES_PER_LINE: u64 = 512;

/// The least memory of a queue in bytes, so that it has room for some lines of any length.
const QUEUE_BYTES_MIN: u64 = 1024 * 1024;

/// The default of `redo` for a destination with a spool, in milliseconds.
const REDO_MS: u64 = 1_000;

/// More event loops than any machine can use.
const WORKERS_MAX: usize = 256;

/// The setup of the engine for `plan`, in which no variable may be open.
pub(super) fn setup(plan: &Plan) -> Result<Setup, StartError> {
    let settings = &plan.settings;
    let workers = match known(&settings.workers)? {
        0 => thread::available_parallelism().map_or(1, usize::from),
        workers => count(workers),
    };
    let line_bytes_max = known(&settings.line_bytes_max)?;
    let outgoing = |(destination, keys)| outgoing(destination, line_bytes_max, settings.spool_path(), keys);
    let destinations = plan.table.destinations.iter().zip(upstream_keys(&plan.table)).map(outgoing);
    let mut setup = Setup {
        inputs: inputs(settings)?,
        input_limits: InputLimits {
            line_bytes: count(line_bytes_max),
            frame_bytes: count(known(&settings.pickle_frame_bytes_max)?),
        },
        workers: workers.clamp(1, WORKERS_MAX),
        connections_max: count(known(&settings.connections_max)?),
        unfinished_bytes_max: 0,
        name_bytes_max: 0,
        queue_memory: QueueMemory::unlimited(),
        destinations: destinations.collect::<Result<_, _>>()?,
        spool_bytes_max: unless_zero(known(&settings.spool_bytes_max)?),
        routes: plan.table.routes.iter().map(|route| route.key.clone()).collect(),
        liveness: Liveness::all_up(plan.table.destinations.len()),
        emit_rate: known(&settings.aggregation_rate)?,
        state: match &settings.state_dir {
            Some(directory) => Some(StateSetup {
                directory: PathBuf::from(&directory.0),
                checkpoint: duration(known(&settings.aggregation_checkpoint_ms)?),
            }),
            None => None,
        },
    };
    let memory = divide_memory(plan, &setup)?;
    setup.unfinished_bytes_max = count(memory.unfinished) / setup.workers;
    setup.name_bytes_max = count(memory.names) / setup.workers;
    if let Some(bytes) = memory.shared_line_bytes() {
        setup.queue_memory = QueueMemory::new(count(bytes), setup.destinations.len());
    }
    Ok(setup)
}

/// How the memory is divided, for a plan in which no variable is open.
pub(super) fn memory(plan: &Plan) -> Result<Memory, StartError> {
    divide_memory(plan, &setup(plan)?)
}

fn divide_memory(plan: &Plan, setup: &Setup) -> Result<Memory, StartError> {
    let table = &plan.table;
    let rules = table.blocklist.len()
        + table.rewriters.len()
        + table.aggregators.len()
        + table.routes.len()
        + table.destinations.len();
    let longest = setup.inputs.iter().map(|input| match input.protocol {
        Protocol::Plain => setup.input_limits.line_bytes,
        Protocol::Pickle => setup.input_limits.frame_bytes,
    });
    let has_pickle = setup.inputs.iter().any(|input| input.protocol == Protocol::Pickle);
    let demands = Demands {
        workers: setup.workers as u64,
        rules: rules as u64,
        connections: if setup.inputs.is_empty() { 0 } else { setup.connections_max as u64 },
        unfinished_bytes: longest.max().unwrap_or(0) as u64,
        frame_bytes: if has_pickle { setup.input_limits.frame_bytes as u64 } else { 0 },
        has_order: table.validation.order,
        buckets: table.aggregators.iter().map(|rule| u64::from(rule.options.buckets_max) + SPARE).sum(),
        series: table.aggregators.iter().map(|rule| u64::from(rule.options.series_max) + SPARE).sum(),
        values: table
            .aggregators
            .iter()
            .filter(|rule| rule.functions.iter().any(|function| function.keeps_values()))
            .map(|rule| u64::from(rule.options.values_max))
            .sum(),
        names: if table.aggregators.is_empty() { 0 } else { NAMES_BYTES_MAX as u64 },
        queues: setup.destinations.iter().map(queue_demand).collect(),
    };
    let limit = known(&plan.settings.memory)?.0;
    Memory::divide(&demands, (limit > 0).then_some(limit)).map_err(StartError::Memory)
}

/// A destination with a spool has a second queue in front of it, for lines that must come after those on disk.
fn queue_demand(outgoing: &Outgoing) -> u64 {
    let Limits { room, redo, .. } = &outgoing.limits;
    let queues = if outgoing.spool.is_some() { 2 } else { 1 };
    let redo_bytes = if redo.time.is_zero() { 0 } else { redo.bytes_max };
    (room.bytes as u64).saturating_mul(queues).saturating_add(redo_bytes as u64)
}

fn inputs(settings: &Settings) -> Result<Vec<Input>, StartError> {
    let configured = [
        (Protocol::Plain, &settings.listen, &settings.listen_idle_ms),
        (Protocol::Pickle, &settings.pickle, &settings.pickle_idle_ms),
    ];
    let mut inputs = Vec::new();
    for (protocol, address, idle_ms) in configured {
        let idle_max = Some(known(idle_ms)?).filter(|ms| *ms > 0).map(duration);
        inputs.extend(address.as_ref().map(|address| Input {
            protocol,
            address: address.0.clone(),
            idle_max,
        }));
    }
    Ok(inputs)
}

fn outgoing(
    destination: &Destination,
    line_bytes_max: u64,
    spool_dir: &Path,
    upstream_keys: Vec<String>,
) -> Result<Outgoing, StartError> {
    let name = destination.written();
    let options = &destination.options;
    let spool = if options.spool {
        let limits = spool_limits(options)?;
        Some(SpoolSetup { directory: spool_dir.to_owned(), limits, upstream_keys })
    } else {
        None
    };
    let limits = limits(options, line_bytes_max)?;
    let address = destination.address.0.clone();
    Ok(Outgoing { address, name, transport: destination.transport, limits, spool })
}

/// The names that carbon-relay-ng gave to the files of each destination (spec §3.2): one for each route that
/// contains it.
fn upstream_keys(table: &Table) -> Vec<Vec<String>> {
    let mut keys = vec![Vec::new(); table.destinations.len()];
    for route in &table.routes {
        for index in route.destinations() {
            let destination = &table.destinations[index.get()];
            if destination.options.spool {
                let written = destination.written().replace(['.', ':'], "_").replace('/', "");
                let key = format!("{}_{written}", route.key);
                if !keys[index.get()].contains(&key) {
                    keys[index.get()].push(key);
                }
            }
        }
    }
    keys
}

fn spool_limits(options: &DestinationOptions) -> Result<SpoolLimits, StartError> {
    Ok(SpoolLimits {
        file_bytes_max: known(&options.spool_file_bytes_max)?,
        bytes_max: unless_zero(known(&options.spool_bytes_max)?),
        age_max_s: known(&options.spool_age_max_s)?,
        sync_every: known(&options.spool_sync_every)?.max(1),
    })
}

fn limits(options: &DestinationOptions, line_bytes_max: u64) -> Result<Limits, StartError> {
    let connbuf = known(&options.connbuf_lines)?.max(1);
    // Lines for the disk are in the same queue as lines for the socket.
    let lines = if options.spool { connbuf.saturating_add(known(&options.spoolbuf_lines)?) } else { connbuf };
    let bytes_min = QUEUE_BYTES_MIN.max(line_bytes_max.saturating_mul(2));
    let redo_ms = match &options.redo_ms {
        Some(redo) => known(redo)?,
        None if options.spool => REDO_MS,
        None => 0,
    };
    Ok(Limits {
        is_pickle: options.pickle,
        room: Room { lines, bytes: count(lines.saturating_mul(BYTES_PER_LINE).max(bytes_min)) },
        when_full: match options.when_full {
            FullPolicy::DropNewest => WhenFull::DropNewest,
            FullPolicy::DropOldest => WhenFull::DropOldest,
            FullPolicy::Block => WhenFull::Block(duration(known(&options.block_max_ms)?)),
        },
        redo: Redo { time: duration(redo_ms), bytes_max: count(known(&options.redo_bytes)?) },
        spooling: Spooling {
            after: duration(known(&options.spool_after_ms)?),
            is_write_ahead: options.spool_write_ahead,
            replay: options.replay,
            replay_rate: replay_rate(options)?,
            sync_period: duration(known(&options.spool_sync_period_ms)?),
        },
        write_bytes_max: count(known(&options.iobuf_bytes)?.max(1)),
        write_timeout: match known(&options.write_timeout_ms)? {
            0 => LONGEST,
            ms => duration(ms),
        },
        reconnect_max: duration(known(&options.reconnect_ms)?),
    })
}

/// The limit in lines per second. `unspoolsleep` is a pause after each line; its default is how upstream avoids
/// busy waiting, and sets no limit.
fn replay_rate(options: &DestinationOptions) -> Result<Option<u32>, StartError> {
    let pause_us = known(&options.unspool_sleep_us)?;
    let default_us = known(&DestinationOptions::default().unspool_sleep_us)?;
    let rate = match known(&options.replay_rate)? {
        0 if pause_us > default_us => (1_000_000 / pause_us).max(1),
        0 => return Ok(None),
        rate => rate,
    };
    Ok(Some(u32::try_from(rate).unwrap_or(u32::MAX)))
}

const fn unless_zero(bytes: u64) -> u64 {
    if bytes == 0 { u64::MAX } else { bytes }
}

fn known<T: FromStr<Err: fmt::Display> + Clone>(value: &Late<T>) -> Result<T, StartError> {
    value
        .resolve(|_| None)
        .map_err(|error| StartError::Incomplete(super::Incomplete { what: "a setting".to_owned(), error }))
}

fn duration(ms: u64) -> Duration {
    Duration::from_millis(ms).min(LONGEST)
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_numbers_are_bounded() {
        let mut plan = Plan::default();
        plan.settings.workers = u64::MAX.into();
        plan.settings.listen = Some("a:1".into());
        plan.settings.listen_idle_ms = 0.into();
        let mut destination = Destination::new("a:1");
        destination.options.connbuf_lines = 0.into();
        destination.options.write_timeout_ms = u64::MAX.into();
        plan.table.destinations.push(destination);
        let setup = setup(&plan).unwrap();
        assert_eq!((setup.workers, setup.inputs[0].idle_max), (WORKERS_MAX, None));
        let limits = setup.destinations[0].limits;
        assert_eq!((limits.room.lines, limits.write_timeout), (1, LONGEST));
    }
}
