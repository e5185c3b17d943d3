//! Units for systemd: the hardened service, and the sockets that systemd keeps open for it.
//!
//! Sockets stay open while the service restarts, so senders see no refused connection.

use super::{PackageError, archive::Entry, facts::Facts, template::render};

const SERVICE: &str = include_str!("../../packed/templates/systemd/service.in");
const SOCKET: &str = include_str!("../../packed/templates/systemd/socket.in");
const ENVIRONMENT: &str = include_str!("../../packed/templates/systemd/environment.in");

/// The service, and the sockets if systemd can open some.
pub(super) fn units(facts: &Facts) -> Result<Vec<Entry>, PackageError> {
    let name = &facts.name;
    let mut units = vec![Entry::text(format!("{name}.service"), render("systemd/service", SERVICE, facts)?)];
    if !facts.sockets.is_empty() {
        units.push(Entry::text(format!("{name}.socket"), render("systemd/socket", SOCKET, facts)?));
    }
    Ok(units)
}

/// The file from which the service reads variables, if the relay has variables that are open until it starts.
pub(super) fn defaults(facts: &Facts) -> Result<Option<Entry>, PackageError> {
    if facts.variables.is_empty() {
        return Ok(None);
    }
    let text = render("systemd/environment", ENVIRONMENT, facts)?;
    Ok(Some(Entry::text(format!("{}.default", facts.name), text)))
}
