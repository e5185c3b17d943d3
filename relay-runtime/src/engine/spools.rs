//! Opens the spools of a relay before anything else starts.
//!
//! A spool that cannot be used prevents the start, instead of losing lines later. Once open, a spool is written and read by
//! the thread of its `spool_dir`.

use super::{EngineError, Outgoing, descriptors::FLUSHED_PER_SPOOL, disk::DiskThread};
use crate::{
    parts::Spooling,
    spool::{Budget, FileStore, Spool, SpoolLimits, SpoolName, Syncer, adopt},
};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    io,
    path::PathBuf,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// The spool of a destination.
#[derive(Clone, Debug)]
pub struct SpoolSetup {
    /// `spool_dir`, in which each destination has a directory.
    pub directory: PathBuf,
    /// Its limits.
    pub limits: SpoolLimits,
    /// The names that carbon-relay-ng gave this destination, one for each route: its spools are taken over.
    pub upstream_keys: Vec<String>,
}

/// Opens the spools, in the order of the destinations.
pub(super) fn open(destinations: &[Outgoing], bytes_max: u64) -> Result<Vec<Option<Spool>>, EngineError> {
    let budget = Budget::new(bytes_max);
    let spooling = destinations.iter().filter(|outgoing| outgoing.spool.is_some()).count();
    let mut syncer = None;
    let mut threads: BTreeMap<PathBuf, DiskThread> = BTreeMap::new();
    let mut spools = Vec::new();
    for (at, outgoing) in destinations.iter().enumerate() {
        let (Some(setup), Some(_)) = (&outgoing.spool, Spooling::get()) else {
            spools.push(None);
            continue;
        };
        let syncer = match &mut syncer {
            Some(syncer) => syncer,
            none => none.insert(Syncer::start(spooling * FLUSHED_PER_SPOOL)?),
        };
        let twins = destinations[..at].iter().filter(|other| is_twin(outgoing, other)).count();
        let name = SpoolName { destination: outgoing.name.clone(), number: twins + 1 };
        let directory = setup.directory.join(name.directory());
        let opened = open_one(setup, directory.clone(), syncer.clone(), &budget, &outgoing.name);
        let mut spool = opened.map_err(|error| EngineError::Spool { directory, error })?;
        let thread = match threads.entry(setup.directory.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(DiskThread::start()?),
        };
        spool.go_by(|store| thread.lead_to(store));
        spools.push(Some(spool));
    }
    Ok(spools)
}

/// Destinations with the same address and different options have a spool each.
fn is_twin(one: &Outgoing, other: &Outgoing) -> bool {
    let directory = |outgoing: &Outgoing| outgoing.spool.as_ref().map(|setup| setup.directory.clone());
    one.name == other.name && directory(one) == directory(other)
}

fn open_one(
    setup: &SpoolSetup,
    directory: PathBuf,
    syncer: Syncer,
    budget: &Arc<Budget>,
    name: &str,
) -> io::Result<Spool> {
    let store = FileStore::open(directory, syncer)?;
    let (mut spool, recovery) = Spool::open(Box::new(store), setup.limits, Arc::clone(budget))?;
    if recovery.unknown_bytes > 0 {
        let bytes = recovery.unknown_bytes;
        tracing::warn!(
            destination = name,
            bytes,
            "found bytes in the spool that belong to no line: they are kept in files that end in `.damaged`"
        );
    }
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    for key in &setup.upstream_keys {
        let adopted = adopt(&setup.directory, key, &mut spool, now_s)?;
        if adopted.lines + adopted.damaged_files > 0 {
            let (lines, damaged_files) = (adopted.lines, adopted.damaged_files);
            tracing::info!(
                destination = name,
                key,
                lines,
                damaged_files,
                "took over a spool of carbon-relay-ng"
            );
        }
    }
    if spool.lines() > 0 {
        tracing::info!(
            destination = name,
            lines = spool.lines(),
            bytes = spool.bytes(),
            "found lines in the spool"
        );
    }
    Ok(spool)
}
