//! Why a line is not taken.
//!
//! The names are stable: they are counters, and what `trace` prints. A new reason goes to the end of the list.

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// Why a line is not taken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[$doc])* $variant,)+
        }

        impl Reason {
            /// All reasons, in the order of their counters.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$variant),+];
            /// How many there are.
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
    /// Not three fields.
    WrongNumFields = "wrong_num_fields",
    /// No name, or nothing before its tags.
    EmptyKey = "empty_key",
    /// What follows the first `;` is not a list of `name=value`.
    InvalidTagAppendix = "invalid_tag_appendix",
    /// Two dots in a row (strict).
    EmptyNode = "empty_node",
    /// Something else than a letter, a digit, `_`, `-` or `.` (strict).
    IllegalChar = "illegal_char",
    /// A NUL.
    NullByte = "null_byte",
    /// A byte that is not ASCII.
    NonAsciiChar = "non_ascii_char",
    /// A metrics2.0 name with both `=` and `_is_`.
    MixEqualsTypes = "mix_equals_types",
    /// A metrics2.0 name without unit.
    NoUnit = "no_unit",
    /// A metrics2.0 name without mtype.
    NoMtype = "no_mtype",
    /// A metrics2.0 name with nothing beside unit and mtype.
    NotEnoughTags = "not_enough_tags",
    /// The value is not a number, or too large for 64-bit float.
    ValueNotNumber = "value_not_number",
    /// The timestamp is not a number, or too large for 64-bit float.
    TimestampNotNumber = "timestamp_not_number",
    /// Not newer than the last datapoint of the series.
    OutOfOrder = "out_of_order",
    /// The value is NaN or infinite, where that is refused.
    ValueNotFinite = "value_not_finite",
    /// The timestamp does not fit 32 bits without sign (BUG-31).
    TimestampOutOfRange = "timestamp_out_of_range",
    /// Longer than the limit.
    LineTooLong = "line_too_long",
    /// Cut off by a reset or by the idle timeout (BUG-22).
    Unterminated = "unterminated",
    /// The rewriters made a name that cannot be sent.
    RewrittenName = "rewritten_name",
    /// An item of a pickle that is no datapoint.
    BadPickle = "bad_pickle",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongNumFields => "a line is a metric, a value and a timestamp, parted by white space",
            Self::EmptyKey => "the metric is empty",
            Self::InvalidTagAppendix => "the tags after the first `;` are not a list of `;name=value`",
            Self::EmptyNode => "the metric has an empty node",
            Self::IllegalChar => "the metric holds a character that is not a letter, digit, `_`, `-` or `.`",
            Self::NullByte => "the metric holds a NUL",
            Self::NonAsciiChar => "the metric holds a byte that is not ASCII",
            Self::MixEqualsTypes => "the metrics2.0 name mixes `=` and `_is_`",
            Self::NoUnit => "the metrics2.0 name has no unit tag",
            Self::NoMtype => "the metrics2.0 name has no mtype tag",
            Self::NotEnoughTags => "the metrics2.0 name has no tag beyond unit and mtype",
            Self::ValueNotNumber => "the value is not a number",
            Self::TimestampNotNumber => "the timestamp is not a number",
            Self::OutOfOrder => "the timestamp is not newer than the last one of the series",
            Self::ValueNotFinite => "the value is not finite",
            Self::TimestampOutOfRange => "the timestamp is not between 0 and 4294967295",
            Self::LineTooLong => "the line is too long",
            Self::Unterminated => "the connection broke within the line",
            Self::RewrittenName => "the rewriters made a metric that is empty or holds white space",
            Self::BadPickle => "the item of a pickle is no `(metric, (timestamp, value))` on one line",
        })
    }
}
