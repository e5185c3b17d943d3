//! The values for the templates of packages, read from the relay's plan.
//!
//! Computed once for all kinds of package, so that they agree with each other.

use super::{
    PackageError,
    directories::{Mount, Storage, runtime_directory, storage},
    names,
};
use crate::config::{Checked, is_secret};
use relay_runtime::{
    plan::Plan,
    serve::{memory_with, open_variables},
    table::{Late, Template},
};
use serde::Serialize;
use std::net::SocketAddr;

/// The number of cores that is assumed if neither `max_procs` nor `memory` tells what the machine will have.
const CORES: u64 = 32;

/// Added to the memory that the relay counts itself, for the kernel's buffers of its sockets and the
/// program's pages.
const HEADROOM_BYTES: u64 = 32 << 20;

/// Seconds added to the longest stop, for writing that remains at its end.
const STOP_MARGIN_S: u64 = 15;

/// Files that are open besides connections: logs and those of the event loops; for each destination its socket and its
/// spool. At least what a relay sets aside (`engine/descriptors.rs`), or it would not start.
const OPEN_FILES: u64 = 1_024;
const OPEN_FILES_PER_DESTINATION: u64 = 16;

/// The user in images. It needs no entry in `/etc/passwd`, which an empty image does not have.
const USER: u32 = 65_532;

/// Everything that templates may use, under these names.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) version: String,
    /// The version for places where `+` is not allowed.
    pub(super) label_version: String,
    pub(super) tool_version: &'static str,
    pub(super) description: String,
    pub(super) maintainer: String,
    pub(super) plan_sha256: String,
    /// The ports on which it listens, as far as they are known at build time.
    pub(super) ports: Vec<Port>,
    /// The addresses that systemd can open.
    pub(super) sockets: Vec<String>,
    /// Whether a port is below 1024, which ordinary users may not open, and whether the relay must open one of
    /// these itself under systemd.
    pub(super) low_port: bool,
    pub(super) opens_low_port: bool,
    /// The environment variables that it reads.
    pub(super) variables: Vec<Variable>,
    pub(super) has_storage: bool,
    pub(super) has_aggregations: bool,
    /// Its working directory, to which relative paths refer.
    pub(super) home: String,
    /// Directories outside of `home` for which a volume is needed.
    pub(super) mounts: Vec<Mount>,
    /// The directory below `/run` for the pid file.
    pub(super) runtime_directory: Option<String>,
    pub(super) memory_mib: u64,
    pub(super) least_memory_mib: u64,
    pub(super) stop_seconds: u64,
    pub(super) open_files: u64,
    pub(super) replicas: u32,
    pub(super) user: u32,
    pub(super) image: String,
    /// The units to enable, in the order of starting.
    pub(super) units: String,
    /// Assumptions that the user should check, one sentence each.
    #[serde(skip)]
    pub(super) notes: Vec<String>,
}

/// A port on which the relay listens, over TCP and UDP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Port {
    pub(super) name: &'static str,
    pub(super) number: u16,
}

/// A variable whose value is read when the relay starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) is_secret: bool,
    /// The directory that a package creates as its value, if it names a directory.
    pub(super) path: Option<String>,
    /// The value that a unit sets, unless the administrator sets another.
    pub(super) unit_value: Option<String>,
}

/// The names that the user chose.
pub(super) struct Names {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) maintainer: String,
    pub(super) image: Option<String>,
}

impl Facts {
    pub(super) fn of(checked: &Checked, chosen: Names, plan_sha256: &str) -> Result<Self, PackageError> {
        let plan = &checked.plan;
        let home = format!("/var/lib/{}", chosen.name);
        let storage = storage(plan);
        let mounts = storage.iter().map(|one| one.mount(&home)).collect::<Result<Vec<_>, _>>()?;
        let mounts: Vec<Mount> = mounts.into_iter().flatten().collect();
        let mut notes = Vec::new();
        let (ceiling, least) = memory_bytes(plan, &mut notes)?;
        let addresses: Vec<(&'static str, &Template)> = inputs(plan).collect();
        let sockets: Vec<String> = addresses.iter().filter_map(|(_, address)| socket(address)).collect();
        let ports: Vec<Port> = addresses
            .iter()
            .filter_map(|(name, address)| Some(Port { name, number: port(address)? }))
            .collect();
        let has_aggregations = !plan.table.aggregators.is_empty();
        let label_version = names::label(&chosen.version);
        let socket_unit = if sockets.is_empty() { String::new() } else { format!("{}.socket ", chosen.name) };
        Ok(Self {
            image: chosen.image.unwrap_or_else(|| format!("{}:{label_version}", chosen.name)),
            units: format!("{socket_unit}{}.service", chosen.name),
            description: description(checked),
            low_port: addresses.iter().any(|(_, address)| is_low(address)),
            opens_low_port: addresses.iter().any(|(_, address)| is_low(address) && socket(address).is_none()),
            variables: variables(plan, &storage, &home),
            has_storage: !storage.is_empty(),
            runtime_directory: runtime_directory(plan)?,
            memory_mib: mib(ceiling.saturating_add(ceiling / 4).saturating_add(HEADROOM_BYTES)),
            least_memory_mib: mib(least),
            stop_seconds: known(&plan.settings.shutdown_ms).unwrap_or(30_000).div_ceil(1_000) + STOP_MARGIN_S,
            open_files: open_files(plan),
            replicas: if has_aggregations { 1 } else { 2 },
            user: USER,
            tool_version: env!("CARGO_PKG_VERSION"),
            plan_sha256: plan_sha256.to_owned(),
            name: chosen.name,
            version: chosen.version,
            maintainer: chosen.maintainer,
            label_version,
            ports,
            sockets,
            has_aggregations,
            home,
            mounts,
            notes,
        })
    }

    /// Fails unless the relay listens and every port is known: a service in front of it needs that.
    pub(super) fn check_ports(&self, plan: &Plan) -> Result<(), PackageError> {
        match inputs(plan).find(|(_, address)| port(address).is_none()) {
            Some((_, address)) => Err(PackageError::OpenPort { address: address.0.clone() }),
            None if self.ports.is_empty() => Err(PackageError::NothingListens),
            None => Ok(()),
        }
    }

    /// The inputs that only the machine itself can reach.
    pub(super) fn loopback(plan: &Plan) -> impl Iterator<Item = &str> {
        let is_local = |address: &&Template| {
            let address = address.0.as_str();
            address.starts_with("localhost:")
                || address.parse().is_ok_and(|address: SocketAddr| address.ip().is_loopback())
        };
        inputs(plan).map(|(_, address)| address).filter(is_local).map(|address| address.0.as_str())
    }
}

fn inputs(plan: &Plan) -> impl Iterator<Item = (&'static str, &Template)> {
    let settings = &plan.settings;
    [("plain", &settings.listen), ("pickle", &settings.pickle)]
        .into_iter()
        .filter_map(|(name, address)| Some((name, address.as_ref()?)))
}

fn port(address: &Template) -> Option<u16> {
    let (_, port) = address.0.rsplit_once(':')?;
    port.parse().ok().filter(|port| *port != 0)
}

fn is_low(address: &Template) -> bool {
    port(address).is_some_and(|port| port < 1_024)
}

/// The address as systemd writes it, with the port alone for all interfaces. `None` for a host name, because
/// systemd resolves none.
fn socket(address: &Template) -> Option<String> {
    let port = port(address)?;
    match address.0.strip_prefix(':') {
        Some(_) => Some(port.to_string()),
        None => address.0.parse::<SocketAddr>().ok().map(|address| address.to_string()),
    }
}

fn variables(plan: &Plan, storage: &[Storage<'_>], home: &str) -> Vec<Variable> {
    let variable = |name: String| {
        let directory = storage.iter().find(|one| one.variable() == Some(&name));
        let path = directory.map(|one| format!("{home}/{}", one.volume));
        // `%H` is the machine's name in units.
        let unit_value = path.clone().or_else(|| (name == "HOST").then(|| "%H".to_owned()));
        Variable { is_secret: is_secret(&name), name, path, unit_value }
    };
    open_variables(plan).into_iter().map(variable).collect()
}

/// Returns the most memory that the relay can use, and how much it uses when it starts, in bytes.
fn memory_bytes(plan: &Plan, notes: &mut Vec<String>) -> Result<(u64, u64), PackageError> {
    let limit = known(&plan.settings.memory).map_or(0, |size| size.0);
    let depends_on_cores = known(&plan.settings.workers) == Some(0);
    let memory_of = |cores: u64| {
        let mut plan = plan.clone();
        if depends_on_cores {
            plan.settings.workers = cores.into();
        }
        // Addresses do not matter here. A size must be known; an open one is not, so this fails.
        memory_with(&plan, |_| Some("open".to_owned()))
    };
    match (memory_of(CORES), memory_of(1)) {
        (_, Ok(least)) if limit > 0 => Ok((limit, least.fixed.min(limit))),
        _ if limit > 0 => Ok((limit, limit / 4)),
        (Ok(most), Ok(least)) => {
            if depends_on_cores {
                notes.push(format!(
                    "the memory limit assumes {CORES} cores, because neither `memory` nor `max_procs` is set"
                ));
            }
            Ok((most.ceiling(), least.fixed))
        }
        (Err(error), _) | (_, Err(error)) => Err(PackageError::Memory { why: error.to_string() }),
    }
}

fn open_files(plan: &Plan) -> u64 {
    let connections = known(&plan.settings.connections_max).unwrap_or(10_000);
    let destinations = plan.table.destinations.len() as u64;
    connections
        .saturating_add(destinations.saturating_mul(OPEN_FILES_PER_DESTINATION))
        .saturating_add(OPEN_FILES)
}

fn description(checked: &Checked) -> String {
    let file =
        checked.source.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let plain =
        |text: &str| text.chars().filter(|c| !c.is_control() && !"\"\\%$".contains(*c)).collect::<String>();
    match &checked.environment {
        Some(environment) => format!("Graphite relay of {}, {}", plain(&file), plain(environment)),
        None => format!("Graphite relay of {}", plain(&file)),
    }
}

fn known<T: Clone>(value: &Late<T>) -> Option<T> {
    match value {
        Late::Known(value) => Some(value.clone()),
        Late::AtStart(_) => None,
    }
}

const fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}
