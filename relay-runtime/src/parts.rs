//! The parts of the runtime that a configuration may not need, each a cargo feature.
//!
//! A value of a part's type proves that the part is compiled in; every structure that belongs to the part
//! contains one. If the part is left out, its type has no value, so no such structure can exist, and the
//! compiler removes all code that would need one: no other `cfg` is necessary. relay-build derives the features
//! from the plan, so a relay never lacks a part that it needs.

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident, $feature:literal;)*) => {$(
        $(#[$doc])*
        #[cfg(feature = $feature)]
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name(());

        #[cfg(feature = $feature)]
        impl $name {
            /// The proof that the part is compiled in.
            #[inline]
            pub(crate) const fn get() -> Option<Self> {
                Some(Self(()))
            }
        }

        $(#[$doc])*
        #[cfg(not(feature = $feature))]
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum $name {}

        #[cfg(not(feature = $feature))]
        impl $name {
            /// The part is left out.
            #[inline]
            pub(crate) const fn get() -> Option<Self> {
                None
            }
        }
    )*};
}

parts! {
    /// Spools: queues on disk.
    Spooling, "spool";
    /// Aggregation: many datapoints into one.
    Aggregating, "aggregation";
    /// Routes that choose destinations by a hash.
    Hashing, "hash";
    /// carbon's pickle protocol, in both directions.
    Pickling, "pickle";
}
