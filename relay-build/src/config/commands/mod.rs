//! The command language of carbon-relay-ng (spec §3), for `[init] cmds` and, in later versions, for the admin
//! interfaces.
//!
//! [`parse`] turns a line into a [`Command`]; [`apply`] carries it out on a plan and changes nothing if it
//! fails. Words are separated by white space and then classified by position (BUG-15). Two adjacent spaces
//! separate a route's options from its destinations, and destinations from each other.
//!
//! Neither function reads files or variables. The configuration's checks complete variables word by word,
//! with their places.

mod apply;
mod error;
mod parse;
mod report;
mod route;
mod words;

use crate::config::destinations::Written;
use relay_runtime::table::{Aggregator, Condition, GrafanaNet, KafkaMdm, Matcher, PubSub, Rewriter};

use super::routes::RouteType;

pub use apply::apply;
pub use error::{CommandError, CommandErrorKind};
pub(super) use report::{check_old, check_text};

/// One parsed command.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// `addBlock`, `addBlack`
    AddBlock(Matcher),
    /// `addAgg`
    AddAggregator(Aggregator),
    /// `addRewriter`
    AddRewriter(Rewriter),
    /// `addRoute`
    AddRoute {
        /// The route's name.
        key: String,
        /// The metrics that it matches.
        matcher: Matcher,
        /// Whether later routes do not get what it matches (ours).
        stop: bool,
        /// How it chooses destinations.
        kind: NewRoute,
    },
    /// `modRoute`
    ModRoute {
        /// The first route of this name.
        key: String,
        /// The conditions that change.
        conditions: Vec<(Condition, String)>,
        /// The new value of `stop`, if it changes (ours).
        stop: Option<bool>,
    },
    /// `modDest`
    ModDestination {
        /// The first route of this name.
        key: String,
        /// The number of the destination, from 0.
        index: usize,
        /// The new address with instance, if it changes.
        address: Option<String>,
        /// The conditions that change.
        conditions: Vec<(Condition, String)>,
    },
    /// `delRoute`
    DeleteRoute {
        /// The first route of this name.
        key: String,
    },
}

/// The kind of a route to add, with destinations that are not in a table yet.
#[derive(Clone, Debug, PartialEq)]
pub enum NewRoute {
    /// A type with destinations, or `blackhole`.
    Carbon(RouteType, Vec<Written>),
    /// `grafanaNet`
    GrafanaNet(Box<GrafanaNet>),
    /// `kafkaMdm`
    KafkaMdm(Box<KafkaMdm>),
    /// `pubsub`
    PubSub(Box<PubSub>),
}

/// Reads one command.
pub fn parse(text: &str) -> Result<Command, CommandError> {
    parse::parse_words(&words::words(text), text.len())
}
