//! The codes, one constant each, and the page that explains it.
//!
//! A new diagnostic gets the next free number of its group here and a page of that name under `pages/`. A
//! number is never used for something else later.

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
    /// A key or section that nothing reads.
    UNKNOWN_KEY = 0101;
    /// A value of another type than the key takes.
    WRONG_TYPE = 0102;
    /// One key in two spellings.
    DUPLICATE_KEY = 0103;
    /// A mandatory key is missing or empty.
    MISSING_KEY = 0104;
    /// A value that is none of the possible ones.
    UNKNOWN_VALUE = 0105;
    /// A number outside of its range.
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
    /// Not a number of bytes.
    MALFORMED_SIZE = 0112;
    /// `memory` is less than the configuration needs.
    MEMORY_TOO_SMALL = 0113;
    /// A route type that does not exist.
    UNKNOWN_ROUTE_TYPE = 0201;
    /// Fewer destinations than the route type needs.
    TOO_FEW_DESTINATIONS = 0202;
    /// A destination option that does not exist.
    UNKNOWN_OPTION = 0203;
    /// A destination option whose value is not of its type.
    MALFORMED_OPTION = 0204;
    /// A destination option that must not be zero.
    ZERO_OPTION = 0205;
    /// A destination without an address.
    MISSING_ADDRESS = 0206;
    /// A destination's matcher where the route chooses without one.
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
    /// `sub` and its alias both given.
    TWO_SUBSTRINGS = 0305;
    /// A regex that wants a backslash in the name.
    DOUBLED_BACKSLASH = 0306;
    /// A rewriter that replaces nothing.
    EMPTY_OLD = 0401;
    /// A rewriter without `max`.
    MISSING_MAX = 0402;
    /// A limit on a regex rewriter.
    REGEX_MAX = 0403;
    /// A `max` below -1.
    MALFORMED_MAX = 0404;
    /// A reference to a group that the regex does not have.
    UNKNOWN_GROUP = 0405;
    /// A rewriter that may replace nothing.
    DEAD_REWRITER = 0406;
    /// A reference to a group in doubled braces.
    DOUBLED_BRACES = 0407;
    /// A plain text that is plainly a regex.
    PLAIN_REGEX = 0408;
    /// An aggregation function that does not exist.
    UNKNOWN_FUNCTION = 0501;
    /// An aggregation interval below one second.
    ZERO_INTERVAL = 0502;
    /// An aggregation without a regex.
    MISSING_REGEX = 0503;
    /// An aggregation without an output name.
    EMPTY_FORMAT = 0504;
    /// An aggregation that emits its buckets before they are over.
    SHORT_WAIT = 0505;
    /// An aggregation whose output no route takes.
    UNTAKEN_OUTPUT = 0506;
    /// Two aggregations that write one series.
    SHARED_OUTPUT = 0507;
    /// An aggregation that gets its own output back.
    AGGREGATION_LOOP = 0508;
    /// An aggregation that takes nothing of a sample of lines.
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
    /// Commands where carbon-relay-ng had them before 0.9.
    OLD_INIT = 0607;
    /// A variable without a value.
    MISSING_VARIABLE = 0701;
    /// A given variable that nothing uses.
    UNUSED_VARIABLE = 0702;
    /// A variable whose value does not fit its place.
    MALFORMED_VARIABLE = 0703;
    /// An environment that does not exist.
    UNKNOWN_ENVIRONMENT = 0704;
    /// A variable of an environment that nothing uses.
    UNUSED_ENVIRONMENT_VARIABLE = 0705;
    /// A secret that gets into the relay.
    LITERAL_SECRET = 0706;
    /// A key of an overlay that cannot be laid over anything.
    MALFORMED_OVERLAY = 0707;
    /// A placeholder of another tool that nothing replaced.
    UNRENDERED = 0708;
    /// A blocklist entry behind others that block all that it does.
    UNREACHED_BLOCKLIST_ENTRY = 0801;
    /// A route or aggregation whose metrics are all blocked.
    BLOCKED_RULE = 0802;
    /// A destination behind others that take all of its metrics.
    UNREACHED_DESTINATION = 0803;
    /// Conditions that no metric meets together.
    CONTRADICTION = 0804;
    /// A rewriter that never changes a name.
    REWRITER_WITHOUT_EFFECT = 0805;
    /// A blocklist entry that is there twice.
    DUPLICATE_BLOCKLIST_ENTRY = 0806;
    /// A rewriter that is there twice, to no effect.
    DUPLICATE_REWRITER = 0807;
    /// A route that is there twice.
    DUPLICATE_ROUTE = 0808;
    /// Two routes with one key.
    DUPLICATE_ROUTE_KEY = 0809;
    /// A destination that is in a route twice.
    DUPLICATE_DESTINATION = 0810;
    /// Two destinations with the same places on a ring.
    SHARED_POSITIONS = 0811;
    /// A rewriter that makes a name which cannot be sent.
    UNUSABLE_NAME = 0812;
    /// A route behind others that take all of its metrics and stop.
    STOPPED_ROUTE = 0813;
    /// A route that sends metrics back to this relay, which takes them again.
    ROUTE_LOOP = 0814;
    /// A configuration without routes.
    NO_ROUTE = 0815;
    /// An input that this version does not open.
    UNSUPPORTED_LISTENER = 0901;
    /// `[amqp]` is not built yet.
    UNSUPPORTED_AMQP = 0902;
    /// Self-metrics are not sent yet.
    UNSUPPORTED_INSTRUMENTATION = 0904;
    /// A route type that is not built yet.
    UNSUPPORTED_ROUTE = 0905;
    /// A test that wants nothing.
    TEST_WANTS_NOTHING = 1001;
    /// A test that wants a route which does not exist.
    TEST_ROUTE = 1002;
    /// A test with a line and a metric.
    TEST_LINE_TWICE = 1003;
    // 0906 was: pickle output is not built yet. 0907 was: the disk spool is not built yet.
}
