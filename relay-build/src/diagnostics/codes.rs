//! The codes of diagnostics, one constant each, and the page that explains it.
//!
//! A new diagnostic gets the next free number of its group here and a page of that name under `pages/`. A
//! number never gets another meaning later.

use super::Code;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        $(
            $(#[$doc])*
            #[allow(clippy::zero_prefixed_literal, reason = "a code is written with its four digits")]
            pub const $name: Code = Code($number);
        )*

        /// Every code with its page, in order.
        pub const ALL: &[(Code, &str)] = &[
            $(($name, include_str!(concat!("pages/R", stringify!($number), ".md"))),)*
        ];
    };
}

// Numbers are written with their four digits, so that the page's file name is the code.
#[rustfmt::skip]
codes! {
    /// The file is not TOML.
    SYNTAX = 0001;
    /// The file is not UTF-8.
    NOT_UTF8 = 0002;
    /// A key or section that does not exist.
    UNKNOWN_KEY = 0101;
    /// A value of the wrong type.
    WRONG_TYPE = 0102;
    /// One key in two spellings.
    DUPLICATE_KEY = 0103;
    /// A mandatory key is missing or empty.
    MISSING_KEY = 0104;
    /// A value that is not allowed.
    UNKNOWN_VALUE = 0105;
    /// A number out of range.
    OUT_OF_RANGE = 0106;
    /// Not a duration.
    MALFORMED_DURATION = 0107;
    /// `bad_metrics_max_age` is too short.
    MAX_AGE_TOO_SHORT = 0108;
    /// `graphite_interval` is below a second.
    INTERVAL_TOO_SHORT = 0109;
    /// A key that changes nothing.
    NO_EFFECT = 0110;
    /// Not an address to listen on.
    LISTEN_ADDRESS = 0111;
    /// Not a size.
    MALFORMED_SIZE = 0112;
    /// Too little memory.
    MEMORY_TOO_SMALL = 0113;
    /// A route type that does not exist.
    UNKNOWN_ROUTE_TYPE = 0201;
    /// Fewer destinations than the route type needs.
    TOO_FEW_DESTINATIONS = 0202;
    /// A destination option that does not exist.
    UNKNOWN_OPTION = 0203;
    /// A destination option with a value of the wrong type.
    MALFORMED_OPTION = 0204;
    /// A destination option that must not be zero.
    ZERO_OPTION = 0205;
    /// A destination without an address.
    MISSING_ADDRESS = 0206;
    /// A matcher on a destination of a route that does not use it.
    MATCHER_NOT_ALLOWED = 0207;
    /// One address with different options.
    DIFFERENT_OPTIONS = 0208;
    /// Not an address.
    MALFORMED_ADDRESS = 0209;
    /// An address without a port.
    NO_PORT = 0210;
    /// A key that this route type does not have.
    KEY_OF_ANOTHER_TYPE = 0211;
    /// `type` and `hash` contradict each other.
    CONFLICTING_HASH = 0212;
    /// More replicas than destinations.
    REPLICAS = 0213;
    /// Not the URL of a metrics endpoint.
    MALFORMED_URL = 0214;
    /// An option that UDP cannot have.
    UDP_OPTION = 0215;
    /// A client certificate without its key.
    TLS_PAIR = 0216;
    /// A regex that does not parse.
    MALFORMED_REGEX = 0301;
    /// A blocklist entry that is not a method and a pattern.
    MALFORMED_BLOCKLIST_ENTRY = 0302;
    /// A blocklist method that does not exist.
    UNKNOWN_METHOD = 0303;
    /// A blocklist entry with an empty pattern.
    EMPTY_PATTERN = 0304;
    /// Both `sub` and its old name `substr`.
    TWO_SUBSTRINGS = 0305;
    /// A regex that matches a backslash in the name.
    DOUBLED_BACKSLASH = 0306;
    /// A rewriter without `old`.
    EMPTY_OLD = 0401;
    /// A rewriter without `max`.
    MISSING_MAX = 0402;
    /// A limit on a regex rewriter.
    REGEX_MAX = 0403;
    /// A `max` below -1.
    MALFORMED_MAX = 0404;
    /// A reference to a group that the regex does not have.
    UNKNOWN_GROUP = 0405;
    /// A rewriter with `max = 0`.
    DEAD_REWRITER = 0406;
    /// A group in doubled braces.
    DOUBLED_BRACES = 0407;
    /// A plain text that looks like a regex.
    PLAIN_REGEX = 0408;
    /// An aggregation function that does not exist.
    UNKNOWN_FUNCTION = 0501;
    /// An aggregation interval below one second.
    ZERO_INTERVAL = 0502;
    /// An aggregation without a regex.
    MISSING_REGEX = 0503;
    /// An aggregation without an output name.
    EMPTY_FORMAT = 0504;
    /// An aggregation that emits its buckets before their interval ends.
    SHORT_WAIT = 0505;
    /// An aggregation whose output matches no route.
    UNTAKEN_OUTPUT = 0506;
    /// Two aggregations that write one series.
    SHARED_OUTPUT = 0507;
    /// An aggregation that receives its own output.
    AGGREGATION_LOOP = 0508;
    /// An aggregation that matches nothing in the sample.
    UNUSED_BY_SAMPLE = 0509;
    /// An output metric that cannot be sent.
    UNUSABLE_OUTPUT = 0510;
    /// A command that does not exist.
    UNKNOWN_COMMAND = 0601;
    /// A command with missing or misplaced words.
    MALFORMED_COMMAND = 0602;
    /// An option that the command does not have.
    COMMAND_OPTION = 0603;
    /// A command about a route that does not exist.
    NO_SUCH_ROUTE = 0604;
    /// A command about a destination that does not exist.
    NO_SUCH_DESTINATION = 0605;
    /// A command that carbon-relay-ng never implemented.
    NOT_IMPLEMENTED = 0606;
    /// Commands in the style before carbon-relay-ng 0.9.
    OLD_INIT = 0607;
    /// A variable without a value.
    MISSING_VARIABLE = 0701;
    /// A variable from the command line that is not used.
    UNUSED_VARIABLE = 0702;
    /// A variable whose value has the wrong type.
    MALFORMED_VARIABLE = 0703;
    /// An environment that does not exist.
    UNKNOWN_ENVIRONMENT = 0704;
    /// A variable of an environment that is not used.
    UNUSED_ENVIRONMENT_VARIABLE = 0705;
    /// A secret that is built into the relay.
    LITERAL_SECRET = 0706;
    /// An overlay that does not fit the configuration.
    MALFORMED_OVERLAY = 0707;
    /// A placeholder that nothing replaced.
    UNRENDERED = 0708;
    /// A blocklist entry that earlier entries make useless.
    UNREACHED_BLOCKLIST_ENTRY = 0801;
    /// A route or aggregation that matches only blocked metrics.
    BLOCKED_RULE = 0802;
    /// A destination after others that match all of its metrics.
    UNREACHED_DESTINATION = 0803;
    /// Conditions that no metric meets together.
    CONTRADICTION = 0804;
    /// A rewriter that never changes a name.
    REWRITER_WITHOUT_EFFECT = 0805;
    /// The same blocklist entry twice.
    DUPLICATE_BLOCKLIST_ENTRY = 0806;
    /// The same rewriter twice, without effect.
    DUPLICATE_REWRITER = 0807;
    /// The same route twice.
    DUPLICATE_ROUTE = 0808;
    /// Two routes with one key.
    DUPLICATE_ROUTE_KEY = 0809;
    /// The same destination twice in a route.
    DUPLICATE_DESTINATION = 0810;
    /// Two destinations with the same places on a ring.
    SHARED_POSITIONS = 0811;
    /// A rewriter that makes an invalid name.
    UNUSABLE_NAME = 0812;
    /// A route after others with `stop` that match all of its metrics.
    STOPPED_ROUTE = 0813;
    /// A route that sends metrics back to this relay.
    ROUTE_LOOP = 0814;
    /// A configuration without routes.
    NO_ROUTE = 0815;
    /// An input that this version does not open.
    UNSUPPORTED_LISTENER = 0901;
    /// `[amqp]` is not supported yet.
    UNSUPPORTED_AMQP = 0902;
    /// Self-metrics are not sent yet.
    UNSUPPORTED_INSTRUMENTATION = 0904;
    /// A route type that is not supported yet.
    UNSUPPORTED_ROUTE = 0905;
    /// A test without expectations.
    TEST_WANTS_NOTHING = 1001;
    /// A test that expects a route which does not exist.
    TEST_ROUTE = 1002;
    /// A test with both a line and a metric.
    TEST_LINE_TWICE = 1003;
    // 0906 was: pickle output is not built yet. 0907 was: the disk spool is not built yet.
}
