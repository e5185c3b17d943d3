//! Every name that the ledger prints, so that dashboards and code cannot drift apart.
//!
//! A new counter gets its name here, its field in the ledger, and its line in `docs/reliability.md`.

/// Datapoints that came in, whole or not.
pub const RECEIVED: &str = "received";
/// Refused before dispatch, by reason.
pub const INVALID: &str = "invalid";
/// Matched by the blocklist.
pub const BLOCKED: &str = "blocked";
/// Hidden from the routes by an aggregator.
pub const AGGREGATED_AWAY: &str = "aggregated_away";
/// Taken by no route.
pub const UNROUTABLE: &str = "unroutable";
/// Taken by at least one route; for a destination: lines handed to it.
pub const ROUTED: &str = "routed";

/// Put out by aggregators; not among the received ones.
pub const EMITTED: &str = "emitted";
/// Put out by aggregators and taken by no route.
pub const EMITTED_UNROUTABLE: &str = "emitted_unroutable";

/// A list of aggregators.
pub const AGGREGATORS: &str = "aggregators";
/// An aggregator's key.
pub const AGGREGATOR: &str = "aggregator";
/// Datapoints that an aggregator took: added, late, future, `no_room` and `bad_name` together.
pub const TAKEN: &str = "taken";
/// Datapoints in an aggregator's buckets.
pub const ADDED: &str = "added";
/// Datapoints added to a bucket that was emitted before.
pub const CORRECTIONS: &str = "corrections";
/// Datapoints dropped, for their bucket was emitted.
pub const LATE: &str = "late";
/// Datapoints dropped, for their bucket is too far in the future.
pub const FUTURE: &str = "future";
/// Datapoints dropped, for a bound on buckets, series or values was reached.
pub const NO_ROOM: &str = "no_room";
/// Datapoints dropped, for the output's name cannot be sent.
pub const BAD_NAME: &str = "bad_name";
/// Buckets emitted without having seen their whole interval.
pub const INCOMPLETE: &str = "incomplete";
/// Buckets that wait for their time.
pub const OPEN_BUCKETS: &str = "open_buckets";

/// Lines that wait for a destination.
pub const QUEUED: &str = "queued";
/// Lines among the queued ones that the kernel has and the peer's kernel has not acknowledged.
pub const IN_FLIGHT: &str = "in_flight";
/// Lines found in the spool at the start.
pub const RECOVERED: &str = "recovered";
/// Lines that wait in the spool.
pub const SPOOLED: &str = "spooled";
/// Bytes of the spool's files.
pub const SPOOL_BYTES: &str = "spool_bytes";
/// Errors of the spool's disk.
pub const SPOOL_ERRORS: &str = "spool_errors";
/// Lines sent again after a connection broke.
pub const REPEATED: &str = "repeated";
/// Lines that the peer's kernel has acknowledged.
pub const SENT: &str = "sent";
/// Lines given up, by reason.
pub const DROPPED: &str = "dropped";
/// Connections made after the first.
pub const RECONNECTS: &str = "reconnects";
/// Whether the connection stands.
pub const UP: &str = "up";

/// The destination is connected but does not take lines fast enough.
pub const DROPPED_SLOW_CONN: &str = "slow_conn";
/// The destination is down, its queue full, and there is no spool.
pub const DROPPED_CONN_DOWN_NO_SPOOL: &str = "conn_down_no_spool";
/// The deadline of a stop passed.
pub const DROPPED_SHUTDOWN: &str = "shutdown";
/// Longer than any datagram.
pub const DROPPED_TOO_LONG: &str = "too_long";
/// The disk does not take lines, and the memory for them is full.
pub const DROPPED_SLOW_SPOOL: &str = "slow_spool";
/// The spool is as large as it may be.
pub const DROPPED_SPOOL_FULL: &str = "spool_full";
/// Waited in the spool for longer than it may.
pub const DROPPED_SPOOL_EXPIRED: &str = "spool_expired";
/// Damaged on disk.
pub const DROPPED_SPOOL_DAMAGED: &str = "spool_damaged";
/// Cannot be sent as a pickle.
pub const DROPPED_BAD_PICKLE: &str = "bad_pickle";

/// Inbound connections that are open.
pub const CONNECTIONS_OPEN: &str = "open";
/// Inbound connections taken since the start.
pub const CONNECTIONS_ACCEPTED: &str = "accepted";
/// Closed at once, for the limit was reached.
pub const CONNECTIONS_REFUSED: &str = "refused";
/// Closed for they sent nothing for too long.
pub const CONNECTIONS_IDLE: &str = "idle_closed";
/// Ended by an error, such as a reset.
pub const CONNECTIONS_BROKEN: &str = "broken";
/// Closed for a line longer than the limit.
pub const CONNECTIONS_TOO_LONG: &str = "line_too_long";
/// Closed for a pickle that is too long, or none of a list.
pub const CONNECTIONS_BAD_PICKLE: &str = "bad_pickle";

/// Closed for they held most of the memory for unfinished lines when there was no more.
pub const CONNECTIONS_MEMORY: &str = "memory_closed";

/// Inbound connections.
pub const CONNECTIONS: &str = "connections";
/// The same counts for each worker.
pub const WORKERS: &str = "workers";
/// A list of routes.
pub const ROUTES: &str = "routes";
/// A route's key.
pub const ROUTE: &str = "route";
/// Lines that a route took.
pub const MATCHED: &str = "matched";
/// Lines that a route took and none of its destinations did.
pub const UNDELIVERED: &str = "undelivered";
/// A list of destinations.
pub const DESTINATIONS: &str = "destinations";
/// A destination's address and instance.
pub const DESTINATION: &str = "destination";
/// Lines that were cut by the end of a connection, and started again on the next.
pub const RESTARTED_LINES: &str = "restarted_lines";
/// Whether every line is accounted for.
pub const BALANCED: &str = "balanced";
