//! The profiles of a build, and the settings that follow from each.
//!
//! A profile never changes what a relay does with a line.

use crate::config::Checked;
use relay_runtime::{
    plan::Plan,
    table::{Late, Route, RouteKind},
};
use std::borrow::Cow;

/// What a relay is optimised for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Speed.
    #[default]
    Server,
    /// Size: one static executable with one worker, and only the parts that it needs.
    Appliance,
    /// A short build.
    Dev,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Server, Self::Appliance, Self::Dev];

    /// For command lines and manifests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Appliance => "appliance",
            Self::Dev => "dev",
        }
    }

    pub(super) const fn cargo_name(self) -> &'static str {
        match self {
            Self::Server => "release",
            Self::Appliance => "appliance",
            Self::Dev => "dev",
        }
    }

    /// The directory into which cargo puts the executable.
    pub(super) const fn cargo_directory(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            other => other.cargo_name(),
        }
    }

    /// The parts of relay-runtime that a relay of this plan contains, as cargo features; it contains no
    /// others.
    pub(super) fn features(self, plan: &Plan) -> Vec<String> {
        let Plan { settings, table } = plan;
        let destinations = || table.destinations.iter().map(|destination| &destination.options);
        let is_hashed = |route: &Route| matches!(route.kind, RouteKind::ConsistentHash(_));
        let is_remote = |route: &Route| {
            use RouteKind::{CloudWatch, GrafanaNet, KafkaMdm, PubSub};
            matches!(route.kind, GrafanaNet(_) | KafkaMdm(_) | PubSub(_) | CloudWatch(_))
        };
        let tools = self != Self::Appliance;
        let parts = [
            ("aggregation", !table.aggregators.is_empty()),
            ("hash", table.routes.iter().any(is_hashed)),
            ("pickle", settings.pickle.is_some() || destinations().any(|options| options.pickle)),
            ("remote", table.routes.iter().any(is_remote)),
            // The tools also handle spools of removed destinations.
            ("spool", tools || destinations().any(|options| options.spool)),
            ("tools", tools),
        ];
        parts.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name.to_owned()).collect()
    }
}

/// The configuration with the profile's defaults: an appliance has one worker unless `max_procs` says
/// otherwise.
#[must_use]
pub fn tuned(checked: &Checked, profile: Profile) -> Cow<'_, Checked> {
    let workers = &checked.plan.settings.workers;
    if profile != Profile::Appliance || *workers != Late::Known(0) {
        return Cow::Borrowed(checked);
    }
    let mut tuned = checked.clone();
    tuned.plan.settings.workers = Late::Known(1);
    Cow::Owned(tuned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_runtime::table::{Aggregator, Destination, Function, HashAlgorithm, HashRing, Matcher};

    #[test]
    fn an_appliance_relays_and_does_nothing_else() {
        let plan = Plan::default();
        assert_eq!(Profile::Server.features(&plan), ["spool", "tools"]);
        assert!(Profile::Appliance.features(&plan).is_empty());
    }

    #[test]
    fn what_a_plan_uses_is_there() {
        let mut plan = Plan::default();
        let features = |plan: &Plan| Profile::Appliance.features(plan).join(" ");
        plan.table.destinations.push(Destination::new("a:1"));
        assert_eq!(features(&plan), "");
        plan.table.destinations[0].options.spool = true;
        assert_eq!(features(&plan), "spool");
        plan.table.destinations[0].options.pickle = true;
        assert_eq!(features(&plan), "pickle spool");
        plan.table.aggregators.push(Aggregator::new(Function::Sum, Matcher::default(), "a"));
        let ring = HashRing {
            algorithm: HashAlgorithm::CarbonCh,
            replicas: 1,
            diverse: false,
            destinations: Vec::new(),
        };
        let kind = RouteKind::ConsistentHash(ring);
        plan.table.routes.push(Route::new("r", Matcher::default(), kind));
        assert_eq!(features(&plan), "aggregation hash pickle spool");
    }

    #[test]
    fn an_appliance_has_one_worker_unless_the_configuration_says_how_many() {
        let mut checked = Checked::default();
        let workers = |checked: &Checked, profile| tuned(checked, profile).plan.settings.workers.clone();
        assert_eq!(workers(&checked, Profile::Server), Late::Known(0));
        assert_eq!(workers(&checked, Profile::Appliance), Late::Known(1));
        checked.plan.settings.workers = Late::Known(3);
        assert_eq!(workers(&checked, Profile::Appliance), Late::Known(3));
    }
}
