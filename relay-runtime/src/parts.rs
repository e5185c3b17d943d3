//! The parts of a relay that its configuration may do without, each a cargo feature.
//!
//! A value of a part's type is the proof that it is there, and is kept by what belongs to it. Where the part is left out the
//! type has no value, so neither has what keeps one, and the compiler drops all that would need it: no other `cfg` is
//! needed. relay-build takes the features from the plan, so a relay never misses a part.

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident, $feature:literal;)*) => {$(
        $(#[$doc])*
        #[cfg(feature = $feature)]
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name(());

        #[cfg(feature = $feature)]
        impl $name {
            /// It is there.
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
            /// It is not.
            #[inline]
            pub(crate) const fn get() -> Option<Self> {
                None
            }
        }
    )*};
}

parts! {
    /// Queues on disk.
    Spooling, "spool";
    /// Many datapoints into one.
    Aggregating, "aggregation";
    /// Routes that choose by a hash.
    Hashing, "hash";
    /// carbon's pickles, in and out.
    Pickling, "pickle";
}
