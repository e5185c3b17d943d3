//! Positions in the lists of a table.
//!
//! Each list has its own index type, so that code which mixes two of them does not compile.

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub u32);

        impl $name {
            /// The position as a number to index a slice with.
            #[inline]
            #[must_use]
            pub const fn get(self) -> usize {
                self.0 as usize
            }

            /// The index of position `at`.
            ///
            /// # Panics
            /// If `at` does not fit 32 bits: no table is that long.
            #[must_use]
            pub fn new(at: usize) -> Self {
                Self(u32::try_from(at).expect("a table has fewer than 2^32 rules"))
            }
        }
    };
}

index!(
    /// A position in [`Table::blocklist`](super::Table::blocklist).
    BlocklistIndex
);
index!(
    /// A position in [`Table::rewriters`](super::Table::rewriters).
    RewriterIndex
);
index!(
    /// A position in [`Table::aggregators`](super::Table::aggregators).
    AggregatorIndex
);
index!(
    /// A position in [`Table::routes`](super::Table::routes).
    RouteIndex
);
index!(
    /// A position in [`Table::destinations`](super::Table::destinations).
    DestinationIndex
);
