//! Why a line is invalid.
//!
//! The names are stable: they are the keys of counters, and `trace` prints them. A new reason is added at the
//! end of the list.

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// Why a line is invalid.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[$doc])* $variant,)+
        }

        impl Reason {
            /// All reasons, in the order of their counters.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$variant),+];
            /// The number of reasons.
            pub const COUNT: usize = [$($name),+].len();

            /// The name in counters and in `trace`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

reasons! {
    /// The line does not have three fields.
    WrongNumFields = "wrong_num_fields",
    /// The metric is empty, or has nothing before its tags.
    EmptyKey = "empty_key",
    /// The text after the first `;` is not a list of `name=value`.
    InvalidTagAppendix = "invalid_tag_appendix",
    /// The metric has two dots in a row (strict).
    EmptyNode = "empty_node",
    /// The metric contains a character that is not a letter, digit, `_`, `-` or `.` (strict).
    IllegalChar = "illegal_char",
    /// The metric contains a NUL.
    NullByte = "null_byte",
    /// The metric contains a byte that is not ASCII.
    NonAsciiChar = "non_ascii_char",
    /// The metrics 2.0 name contains both `=` and `_is_`.
    MixEqualsTypes = "mix_equals_types",
    /// The metrics 2.0 name has no unit tag.
    NoUnit = "no_unit",
    /// The metrics 2.0 name has no mtype tag.
    NoMtype = "no_mtype",
    /// The metrics 2.0 name has no tag besides unit and mtype.
    NotEnoughTags = "not_enough_tags",
    /// The value is not a number, or too large for a 64-bit float.
    ValueNotNumber = "value_not_number",
    /// The timestamp is not a number, or too large for a 64-bit float.
    TimestampNotNumber = "timestamp_not_number",
    /// The timestamp is not newer than that of the series' last datapoint.
    OutOfOrder = "out_of_order",
    /// The value is NaN or infinite, and the table refuses these.
    ValueNotFinite = "value_not_finite",
    /// The timestamp does not fit 32 bits without sign (BUG-31), in no unit.
    TimestampOutOfRange = "timestamp_out_of_range",
    /// The line is longer than the limit.
    LineTooLong = "line_too_long",
    /// A reset or the idle timeout cut the line off (BUG-22).
    Unterminated = "unterminated",
    /// The rewriters produced a name that cannot be sent.
    RewrittenName = "rewritten_name",
    /// An item of a pickle is not a datapoint.
    BadPickle = "bad_pickle",
    /// The timestamp is in milliseconds.
    TimestampInMilliseconds = "timestamp_in_milliseconds",
    /// The timestamp is in microseconds.
    TimestampInMicroseconds = "timestamp_in_microseconds",
    /// The timestamp is in nanoseconds.
    TimestampInNanoseconds = "timestamp_in_nanoseconds",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongNumFields => "a line is a metric, a value and a timestamp, separated by white space",
            Self::EmptyKey => "the metric is empty",
            Self::InvalidTagAppendix => "the tags after the first `;` are not a list of `;name=value`",
            Self::EmptyNode => "the metric has an empty node",
            Self::IllegalChar => {
                "the metric contains a character that is not a letter, digit, `_`, `-` or `.`"
            }
            Self::NullByte => "the metric contains a NUL",
            Self::NonAsciiChar => "the metric contains a byte that is not ASCII",
            Self::MixEqualsTypes => "the metrics 2.0 name mixes `=` and `_is_`",
            Self::NoUnit => "the metrics 2.0 name has no unit tag",
            Self::NoMtype => "the metrics 2.0 name has no mtype tag",
            Self::NotEnoughTags => "the metrics 2.0 name has no tag besides unit and mtype",
            Self::ValueNotNumber => "the value is not a number",
            Self::TimestampNotNumber => "the timestamp is not a number",
            Self::OutOfOrder => "the timestamp is not newer than the last one of the series",
            Self::ValueNotFinite => "the value is not finite",
            Self::TimestampOutOfRange => "the timestamp is not between 0 and 4294967295, nor -1 for now",
            Self::LineTooLong => "the line is too long",
            Self::Unterminated => "the connection broke within the line",
            Self::RewrittenName => "the rewriters made a metric that is empty or contains white space",
            Self::BadPickle => {
                "an item of a pickle is not `(metric, (timestamp, value))`, or contains a line end"
            }
            Self::TimestampInMilliseconds => {
                "the timestamp is in milliseconds, not seconds; `timestamps = \"auto\"` accepts both"
            }
            Self::TimestampInMicroseconds => {
                "the timestamp is in microseconds, not seconds; `timestamps = \"auto\"` accepts both"
            }
            Self::TimestampInNanoseconds => {
                "the timestamp is in nanoseconds, not seconds; `timestamps = \"auto\"` accepts both"
            }
        })
    }
}
