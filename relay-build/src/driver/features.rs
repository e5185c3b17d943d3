//! Which parts of relay-runtime a relay has: what is not listed is not compiled.

use super::Profile;

/// Cargo features of relay-runtime, sorted.
#[must_use]
pub(super) fn features(profile: Profile) -> Vec<String> {
    let tools = (profile != Profile::Appliance).then_some("tools");
    tools.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_appliance_relays_and_does_nothing_else() {
        assert_eq!(features(Profile::Server), ["tools"]);
        assert!(features(Profile::Appliance).is_empty());
    }
}
