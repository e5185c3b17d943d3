//! `host:port`, `host:port:instance`, `[ipv6]:port`, `[ipv6]:port:instance`.
//!
//! Exactly two colons outside of brackets make an instance, as in carbon-relay-ng; brackets are ours (BUG-18).

use relay_runtime::table::Template;
use std::net::Ipv6Addr;

/// Why an address is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressProblem {
    /// IPv6 without brackets, or brackets that do not close.
    Malformed {
        /// The address that was probably intended.
        example: String,
    },
    /// There is no port, or it is not valid.
    NoPort {
        /// The address without the port.
        host: String,
    },
}

/// Separates the instance from the address.
#[must_use]
pub fn split_instance(written: &str) -> (&str, Option<&str>) {
    if written.starts_with('[')
        && let Some(end) = written.find(']')
    {
        let after = &written[end + 1..];
        return match after.strip_prefix(':').and_then(|port| port.find(':')) {
            Some(colon) => {
                let at = end + 2 + colon;
                (&written[..at], Some(&written[at + 1..]))
            }
            None => (written, None),
        };
    }
    if written.matches(':').count() == 2
        && !is_ipv6(written)
        && let Some((address, instance)) = written.rsplit_once(':')
    {
        return (address, Some(instance));
    }
    (written, None)
}

/// Returns what is wrong with an address, if anything. An address with open variables is checked when the
/// relay starts.
pub(super) fn problem(address: &Template) -> Option<AddressProblem> {
    let text = address.0.as_str();
    if !address.is_closed() {
        return None;
    }
    if let Some(inside) = text.strip_prefix('[') {
        let closed = inside.split_once(']');
        let good =
            closed.is_some_and(|(host, rest)| is_ipv6(host) && (rest.is_empty() || rest.starts_with(':')));
        if !good {
            let host = inside.split([']', '/']).next().filter(|host| is_ipv6(host)).unwrap_or("::1");
            return Some(AddressProblem::Malformed { example: format!("[{host}]:2003") });
        }
    } else if is_ipv6(text) {
        // A number at the end is more probably a port than a part of the address.
        let parts = text.rsplit_once(':').filter(|(host, port)| is_ipv6(host) && port.len() == 4);
        let (host, port) = parts.filter(|(_, port)| port.parse::<u16>().is_ok()).unwrap_or((text, "2003"));
        return Some(AddressProblem::Malformed { example: format!("[{host}]:{port}") });
    }
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let is_number = port.parse::<u16>().is_ok_and(|port| port > 0);
    let is_port = is_number || port.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_host = !host.is_empty() && (text.starts_with('[') || !host.contains(':'));
    if is_port && is_host && !(text.starts_with('[') && text.ends_with(']')) {
        return None;
    }
    let host = if text.starts_with('[') && text.ends_with(']') {
        text
    } else {
        host.split(':').next().unwrap_or(host)
    };
    let host = if host.is_empty() { "127.0.0.1" } else { host };
    Some(AddressProblem::NoPort { host: host.to_owned() })
}

fn is_ipv6(text: &str) -> bool {
    let text = text.split_once('%').map_or(text, |(address, _zone)| address);
    text.parse::<Ipv6Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_colons_make_an_instance() {
        assert_eq!(split_instance("host:2003:a"), ("host:2003", Some("a")));
        assert_eq!(split_instance("host:2003"), ("host:2003", None));
        assert_eq!(split_instance("host:2003:a:b"), ("host:2003:a:b", None));
        assert_eq!(split_instance("${A}:2003:a"), ("${A}:2003", Some("a")));
    }

    #[test]
    fn bug_18_brackets_hold_ipv6_and_the_instance_comes_after_the_port() {
        assert_eq!(split_instance("[::1]:2003"), ("[::1]:2003", None));
        assert_eq!(split_instance("[::1]:2003:a"), ("[::1]:2003", Some("a")));
        assert_eq!(split_instance("::1"), ("::1", None));
    }

    #[track_caller]
    fn check(address: &str, want: &str) {
        let got = match problem(&address.into()) {
            None => "ok".to_owned(),
            Some(AddressProblem::Malformed { example }) => example,
            Some(AddressProblem::NoPort { host }) => format!("no port: {host}"),
        };
        assert_eq!(got, want, "{address}");
    }

    #[test]
    fn addresses_that_cannot_work_are_named() {
        check("host:2003", "ok");
        check("host:graphite", "ok");
        check("${A}", "ok");
        check("[::1]:2003", "ok");
        check("::1", "[::1]:2003");
        check("fe80::1:2003", "[fe80::1]:2003");
        check("[::1:2003", "[::1:2003]:2003");
        check("[::1]", "no port: [::1]");
        check("host", "no port: host");
        check("host:0", "no port: host");
        check("host:2003:a:b", "no port: host");
        check(":2003", "no port: 127.0.0.1");
    }
}
