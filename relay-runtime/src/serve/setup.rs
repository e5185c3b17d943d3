//! From a completed plan to what the engine must know: numbers with units become what they count, and each
//! gets a bound that keeps arithmetic with it safe.

use super::relay::StartError;
use crate::{
    destination::{Limits, Room},
    engine::{Input, Outgoing, Setup},
    plan::Plan,
    protocol::{InputLimits, Protocol},
    select::Liveness,
    settings::Settings,
    table::{Destination, DestinationOptions, Late},
};
use std::{thread, time::Duration};

/// Longer than any wait that is meant; an `Instant` still has room for it.
const LONGEST: Duration = Duration::from_hours(365 * 24);

/// The memory that a queue is given per line that may wait. Twice what long lines take; a queue of ordinary
/// lines meets the limit on lines first.
const BYTES_PER_LINE: u64 = 512;

/// A queue has room for some lines of any length.
const QUEUE_BYTES_MIN: u64 = 1024 * 1024;

/// More event loops than any machine has use for.
const WORKERS_MAX: usize = 256;

/// The engine's view of `plan`, in which nothing is open.
pub(super) fn setup(plan: &Plan) -> Result<Setup, StartError> {
    let settings = &plan.settings;
    let workers = match known(&settings.workers)? {
        0 => thread::available_parallelism().map_or(1, usize::from),
        workers => count(workers),
    };
    let line_bytes_max = known(&settings.line_bytes_max)?;
    let outgoing = |destination| outgoing(destination, line_bytes_max);
    Ok(Setup {
        inputs: inputs(settings)?,
        input_limits: InputLimits {
            line_bytes: count(line_bytes_max),
            frame_bytes: count(known(&settings.pickle_frame_bytes_max)?),
        },
        workers: workers.clamp(1, WORKERS_MAX),
        connections_max: count(known(&settings.connections_max)?),
        destinations: plan.table.destinations.iter().map(outgoing).collect::<Result<_, _>>()?,
        routes: plan.table.routes.iter().map(|route| route.key.clone()).collect(),
        liveness: Liveness::all_up(plan.table.destinations.len()),
    })
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

fn outgoing(destination: &Destination, line_bytes_max: u64) -> Result<Outgoing, StartError> {
    let name = destination.written();
    if destination.options.pickle {
        return Err(StartError::Unsupported { what: format!("pickle output to `{name}`") });
    }
    let limits = limits(&destination.options, line_bytes_max)?;
    Ok(Outgoing { address: destination.address.0.clone(), name, transport: destination.transport, limits })
}

fn limits(options: &DestinationOptions, line_bytes_max: u64) -> Result<Limits, StartError> {
    let lines = known(&options.connbuf_lines)?.max(1);
    let bytes_min = QUEUE_BYTES_MIN.max(line_bytes_max.saturating_mul(2));
    Ok(Limits {
        room: Room { lines, bytes: count(lines.saturating_mul(BYTES_PER_LINE).max(bytes_min)) },
        write_bytes_max: count(known(&options.iobuf_bytes)?.max(1)),
        write_timeout: match known(&options.write_timeout_ms)? {
            0 => LONGEST,
            ms => duration(ms),
        },
        reconnect_max: duration(known(&options.reconnect_ms)?),
    })
}

fn known(value: &Late<u64>) -> Result<u64, StartError> {
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

    #[test]
    fn what_this_relay_cannot_do_stops_the_start() {
        let mut plan = Plan::default();
        plan.table.destinations.push(Destination::new("a:1"));
        plan.table.destinations[0].options.pickle = true;
        assert_eq!(
            setup(&plan).unwrap_err().to_string(),
            "pickle output to `a:1` is not available in this relay"
        );
    }
}
