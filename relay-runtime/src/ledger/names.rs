//! Every key that the ledger prints, so that dashboards and code use the same names.
//!
//! A new counter gets its key here, its field in the ledger, and its line in `docs/reliability.md`.

/// When the ledger was made: seconds since 1970, with a fraction.
pub const TIME: &str = "time";
/// The relay's `instance`.
pub const INSTANCE: &str = "instance";
/// The relay's version.
pub const VERSION: &str = "version";
/// Datapoints that came in, valid or not.
pub const RECEIVED: &str = "received";
/// Lines refused before dispatch, by reason.
pub const INVALID: &str = "invalid";
/// Lines whose metric matched the blocklist.
pub const BLOCKED: &str = "blocked";
/// Lines that an aggregator hid from the routes.
pub const AGGREGATED_AWAY: &str = "aggregated_away";
/// Lines that no route took.
pub const UNROUTABLE: &str = "unroutable";
/// Lines that at least one route took; for a destination: lines handed to it.
pub const ROUTED: &str = "routed";

/// Lines that aggregators emitted; not part of the received ones.
pub const EMITTED: &str = "emitted";
/// Lines that aggregators emitted and no route took.
pub const EMITTED_UNROUTABLE: &str = "emitted_unroutable";

/// The list of aggregators.
pub const AGGREGATORS: &str = "aggregators";
/// The key of an aggregator.
pub const AGGREGATOR: &str = "aggregator";
/// Datapoints that an aggregator took: added, late, future, `no_room` and `bad_name` together.
pub const TAKEN: &str = "taken";
/// Datapoints in an aggregator's buckets.
pub const ADDED: &str = "added";
/// Datapoints added to a bucket that was emitted before.
pub const CORRECTIONS: &str = "corrections";
/// Datapoints dropped because their bucket was emitted.
pub const LATE: &str = "late";
/// Datapoints dropped because their bucket is too far in the future.
pub const FUTURE: &str = "future";
/// Datapoints dropped because a limit on buckets, series or values was reached.
pub const NO_ROOM: &str = "no_room";
/// Datapoints dropped because the output's name cannot be sent.
pub const BAD_NAME: &str = "bad_name";
/// Buckets that were emitted without having seen their whole interval.
pub const INCOMPLETE: &str = "incomplete";
/// Buckets that are not emitted yet.
pub const OPEN_BUCKETS: &str = "open_buckets";

/// Lines between the worker that accepted them and the one that owns the destination.
pub const ON_THE_WAY: &str = "on_the_way";
/// Lines queued for a destination.
pub const QUEUED: &str = "queued";
/// Queued lines that this machine's kernel has accepted and the peer's kernel has not acknowledged.
pub const IN_FLIGHT: &str = "in_flight";
/// Lines found in the spool at the start.
pub const RECOVERED: &str = "recovered";
/// Lines that are in the spool.
pub const SPOOLED: &str = "spooled";
/// Bytes of the spool's files.
pub const SPOOL_BYTES: &str = "spool_bytes";
/// Errors of the disk of the spool.
pub const SPOOL_ERRORS: &str = "spool_errors";
/// Lines sent again after a connection broke.
pub const REPEATED: &str = "repeated";
/// Lines that the peer's kernel has acknowledged.
pub const SENT: &str = "sent";
/// Lines dropped, by reason.
pub const DROPPED: &str = "dropped";
/// Connections made after the first one.
pub const RECONNECTS: &str = "reconnects";
/// Whether the destination is connected.
pub const UP: &str = "up";

/// The destination is connected but does not take lines fast enough.
pub const DROPPED_SLOW_CONN: &str = "slow_conn";
/// The destination is down, its queue full, and there is no spool.
pub const DROPPED_CONN_DOWN_NO_SPOOL: &str = "conn_down_no_spool";
/// The deadline of a stop passed before the line was sent.
pub const DROPPED_SHUTDOWN: &str = "shutdown";
/// The line is longer than any datagram.
pub const DROPPED_TOO_LONG: &str = "too_long";
/// The disk is too slow for the lines, and the memory for them is full.
pub const DROPPED_SLOW_SPOOL: &str = "slow_spool";
/// The spool has reached its limit.
pub const DROPPED_SPOOL_FULL: &str = "spool_full";
/// The line was in the spool for longer than allowed.
pub const DROPPED_SPOOL_EXPIRED: &str = "spool_expired";
/// The line was damaged on disk.
pub const DROPPED_SPOOL_DAMAGED: &str = "spool_damaged";
/// The line cannot be sent as a pickle.
pub const DROPPED_BAD_PICKLE: &str = "bad_pickle";

/// Inbound connections that are open.
pub const CONNECTIONS_OPEN: &str = "open";
/// Inbound connections accepted since the start.
pub const CONNECTIONS_ACCEPTED: &str = "accepted";
/// Connections closed at once because the limit was reached.
pub const CONNECTIONS_REFUSED: &str = "refused";
/// How often accepting paused because the file descriptors that were left are set aside.
pub const CONNECTIONS_HELD_BACK: &str = "held_back";
/// Connections closed because they sent nothing for too long.
pub const CONNECTIONS_IDLE: &str = "idle_closed";
/// Connections ended by an error, such as a reset.
pub const CONNECTIONS_BROKEN: &str = "broken";
/// Connections closed because of a line longer than the limit.
pub const CONNECTIONS_TOO_LONG: &str = "line_too_long";
/// Connections closed because of a pickle that is too long, or is not a list.
pub const CONNECTIONS_BAD_PICKLE: &str = "bad_pickle";

/// Connections closed because they occupied most of the memory for unfinished lines when it was used up.
pub const CONNECTIONS_MEMORY: &str = "memory_closed";

/// Datagrams that the kernel dropped at the inputs, because they came faster than they were read; by input.
pub const KERNEL_DROPS: &str = "kernel_drops";

/// The counters of inbound connections.
pub const CONNECTIONS: &str = "connections";
/// The same counters for each worker.
pub const WORKERS: &str = "workers";
/// The list of routes.
pub const ROUTES: &str = "routes";
/// The key of a route.
pub const ROUTE: &str = "route";
/// Lines that a route took.
pub const MATCHED: &str = "matched";
/// Lines that a route took and none of its destinations matched.
pub const UNDELIVERED: &str = "undelivered";
/// The list of destinations.
pub const DESTINATIONS: &str = "destinations";
/// A destination's address and instance.
pub const DESTINATION: &str = "destination";
/// Lines that were cut by the end of a connection and sent again from their start on the next one.
pub const RESTARTED_LINES: &str = "restarted_lines";
/// Whether every line is accounted for.
pub const BALANCED: &str = "balanced";
