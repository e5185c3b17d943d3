//! Checks the names and versions that packages may have.
//!
//! A name is valid only if Debian, systemd and Kubernetes all accept it, so one name serves every kind of
//! package.

use super::PackageError;
use crate::config::Checked;

/// The longest name that every kind of package accepts: that of a Kubernetes label.
const NAME_MAX: usize = 63;

/// Checks a name against the rules of Debian, systemd and Kubernetes together.
pub(super) fn check_name(name: &str) -> Result<(), PackageError> {
    let is_inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_good = (2..=NAME_MAX).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(is_inside);
    if is_good { Ok(()) } else { Err(PackageError::BadName { name: name.to_owned() }) }
}

/// Checks a version against Debian's rules, without an epoch.
pub(super) fn check_version(version: &str) -> Result<(), PackageError> {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || ".+~-".contains(c);
    let is_good = version.starts_with(|c: char| c.is_ascii_digit()) && version.chars().all(is_inside);
    if is_good { Ok(()) } else { Err(PackageError::BadVersion { version: version.to_owned() }) }
}

/// Checks that a maintainer is written as `name <address>`, on one line.
pub(super) fn check_maintainer(maintainer: &str) -> Result<(), PackageError> {
    let is_good = !maintainer.contains(char::is_control)
        && maintainer
            .trim_end()
            .strip_suffix('>')
            .is_some_and(|rest| rest.contains(" <") && rest.contains('@'));
    if is_good { Ok(()) } else { Err(PackageError::BadMaintainer { maintainer: maintainer.to_owned() }) }
}

/// The default name: `static-relay`, then the configuration file's name unless it is `relay`, then the
/// environment.
pub(super) fn default_name(checked: &Checked) -> String {
    let stem = checked.source.path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase());
    let parts = [stem.filter(|stem| stem != "relay"), checked.environment.clone()];
    let mut name = "static-relay".to_owned();
    for part in parts.into_iter().flatten() {
        name.push('-');
        name.extend(
            part.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }),
        );
    }
    name.truncate(NAME_MAX);
    name.trim_end_matches('-').to_owned()
}

/// The version as a label or as the tag of an image, where `+` and `~` are not allowed.
pub(super) fn label(version: &str) -> String {
    version.replace(['+', '~'], "-").chars().take(NAME_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;

    #[test]
    fn a_name_is_one_for_every_kind_of_package() {
        for name in ["static-relay", "relay2", "a0"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in
            ["", "a", "Relay", "-relay", "relay-", "2relay", "re lay", "re_lay", "re/lay", &"a".repeat(64)]
        {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_version_is_one_of_debian() {
        for version in ["1", "0.1.0+3f2a", "2026.11.23-1", "1.0~rc1"] {
            assert!(check_version(version).is_ok(), "{version}");
        }
        for version in ["", "v1", "1.0 2", "1:2", "1_2", "1\n2"] {
            assert!(check_version(version).is_err(), "{version}");
        }
    }

    #[test]
    fn a_maintainer_can_be_written_to() {
        assert!(check_maintainer("Ops <ops@example.org>").is_ok());
        for maintainer in ["", "ops@example.org", "Ops <ops@example.org>\nEssential: yes"] {
            assert!(check_maintainer(maintainer).is_err(), "{maintainer}");
        }
    }

    #[test]
    fn the_name_tells_the_configuration_and_the_environment() {
        let name = |path: &str, environment: Option<&str>| {
            let source = Source { path: path.into(), ..Source::default() };
            let environment = environment.map(str::to_owned);
            default_name(&Checked { source, environment, ..Checked::default() })
        };
        assert_eq!(name("a/relay.toml", None), "static-relay");
        assert_eq!(name("Edge_1.toml", Some("prod")), "static-relay-edge-1-prod");
        assert!(check_name(&name(&"ä".repeat(99), Some("x"))).is_ok());
    }
}
