//! What a relay is tuned for, and what follows from that.

use crate::config::Checked;
use relay_runtime::table::Late;
use std::borrow::Cow;

/// What a relay is tuned for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Speed.
    #[default]
    Server,
    /// Size: one executable without anything beside it, one worker, no more in it than it needs.
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

    /// Where cargo puts what it compiled.
    pub(super) const fn cargo_directory(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            other => other.cargo_name(),
        }
    }

    /// The parts of relay-runtime that a relay has, as cargo features: what is not listed is not compiled.
    pub(super) fn features(self) -> Vec<String> {
        let tools = (self != Self::Appliance).then_some("tools");
        tools.into_iter().map(str::to_owned).collect()
    }
}

/// The configuration with what a profile decides where it says nothing: an appliance has one worker.
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

    #[test]
    fn an_appliance_relays_and_does_nothing_else() {
        assert_eq!(Profile::Server.features(), ["tools"]);
        assert!(Profile::Appliance.features().is_empty());
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
