//! A malicious disk in memory, by seed: full, failing, hanging, forgetting what was not flushed.
//!
//! Used by the tests of the spool and by the simulation of destinations.

use super::{
    Trouble,
    lane::Lane,
    store::Store,
    way::{Read, Reading, Record, Task, Wake, Way},
};
use crate::gather::Chunk;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The probabilities of faults: one in this number of calls, or never if it is 0.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) write_fails: u64,
    pub(crate) read_fails: u64,
    pub(crate) truncate_fails: u64,
    pub(crate) remove_fails: u64,
    /// The most bytes of all files.
    pub(crate) capacity: Option<usize>,
}

#[derive(Debug, Default)]
struct Disk {
    files: BTreeMap<String, Vec<u8>>,
    /// How many bytes of a file survive a loss of power.
    synced: BTreeMap<String, usize>,
    /// The offsets in a file at which a write began.
    written: BTreeMap<String, BTreeSet<usize>>,
    faults: Faults,
    random: u64,
}

/// The disk. All clones are the same one, so it outlives a crash of the relay.
#[derive(Clone, Debug, Default)]
pub(crate) struct SimulatedStore(Arc<Mutex<Disk>>);

impl SimulatedStore {
    pub(crate) fn new(seed: u64) -> Self {
        let store = Self::default();
        store.disk().random = seed | 1;
        store
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        self.disk().faults = faults;
    }

    /// Removes some of what was not flushed. Returns the number of lines in writes that are not complete any
    /// more.
    pub(crate) fn lose_power(&self) -> u64 {
        let mut disk = self.disk();
        let names: Vec<_> = disk.files.keys().cloned().collect();
        let mut lines = 0;
        for name in names {
            let bytes = disk.files[&name].len();
            let kept = disk.synced.get(&name).copied().unwrap_or(0).min(bytes);
            disk.random = next(disk.random);
            let left = kept + usize::try_from(disk.random >> 33).unwrap_or(0) % (bytes - kept + 1);
            if left < bytes {
                lines += disk.lines_written(&name, left..bytes);
                disk.files.entry(name).and_modify(|bytes| bytes.truncate(left));
            }
        }
        lines
    }

    /// Flips one bit of a file whose name is wanted. Returns the number of lines that were written with it.
    pub(crate) fn flip_bit(&self, is_wanted: impl Fn(&str) -> bool) -> u64 {
        let mut disk = self.disk();
        disk.random = next(disk.random);
        let random = disk.random;
        let mut names: Vec<_> =
            disk.files.iter().filter(|(name, bytes)| is_wanted(name) && !bytes.is_empty()).collect();
        if names.is_empty() {
            return 0;
        }
        let wanted = usize::try_from(random >> 40).unwrap_or(0) % names.len();
        let (name, bytes) = names.swap_remove(wanted);
        let (name, at) = (name.clone(), usize::try_from(random >> 20).unwrap_or(0) % (bytes.len() * 8));
        let lines = disk.lines_written(&name, at / 8..at / 8 + 1);
        disk.files.entry(name).and_modify(|bytes| bytes[at / 8] ^= 1 << (at % 8));
        lines
    }

    pub(crate) fn file_names(&self) -> Vec<String> {
        self.disk().files.keys().cloned().collect()
    }

    /// Empty for a file that does not exist.
    pub(crate) fn contents(&self, name: &str) -> Vec<u8> {
        self.disk().files.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.disk().files.values().map(Vec::len).sum()
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().expect("nothing panics with it locked")
    }
}

impl Disk {
    fn fails(&mut self, one_in: u64) -> bool {
        self.random = next(self.random);
        one_in > 0 && (self.random >> 33).is_multiple_of(one_in)
    }

    /// The number of LFs in all that was written in one go with some of these bytes, an upper bound of its
    /// lines.
    fn lines_written(&self, name: &str, bytes: Range<usize>) -> u64 {
        let (file, starts) = (&self.files[name], &self.written[name]);
        let start = starts.range(..=bytes.start).next_back().copied().unwrap_or(0);
        let end = starts.range(bytes.end..).next().copied().unwrap_or(file.len());
        memchr::memchr_iter(b'\n', &file[start..end.min(file.len())]).count() as u64
    }
}

impl Store for SimulatedStore {
    fn list(&mut self) -> io::Result<Vec<(String, u64)>> {
        Ok(self.disk().files.iter().map(|(name, bytes)| (name.clone(), bytes.len() as u64)).collect())
    }

    fn read_at(&mut self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut disk = self.disk();
        let one_in = disk.faults.read_fails;
        if disk.fails(one_in) {
            return Err(io::Error::other("broken"));
        }
        let Some(bytes) = disk.files.get(name) else { return Ok(0) };
        let rest = bytes.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or_default();
        let got = rest.len().min(buffer.len());
        buffer[..got].copy_from_slice(&rest[..got]);
        Ok(got)
    }

    fn write_at(&mut self, name: &str, offset: u64, parts: &[&[u8]]) -> io::Result<()> {
        let mut disk = self.disk();
        let bytes = parts.concat();
        let used: usize = disk.files.values().map(Vec::len).sum();
        let free = disk.faults.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(used));
        let one_in = disk.faults.write_fails;
        let is_broken = disk.fails(one_in);
        let random = usize::try_from(disk.random >> 40).unwrap_or(0);
        let taken = if is_broken { random % (bytes.len() + 1) } else { bytes.len() }.min(free);
        let file = disk.files.entry(name.to_owned()).or_default();
        let end = usize::try_from(offset).unwrap_or(0) + taken;
        if file.len() < end {
            file.resize(end, 0);
        }
        file[end - taken..end].copy_from_slice(&bytes[..taken]);
        let starts = disk.written.entry(name.to_owned()).or_default();
        starts.retain(|start| !(end - taken..end).contains(start));
        starts.insert(end - taken);
        match taken == bytes.len() && !is_broken {
            true => Ok(()),
            false if is_broken => Err(io::Error::other("broken")),
            false => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn truncate(&mut self, name: &str, bytes: u64) -> io::Result<()> {
        let mut disk = self.disk();
        let one_in = disk.faults.truncate_fails;
        if disk.fails(one_in) {
            return Err(io::Error::other("broken"));
        }
        if let Some(file) = disk.files.get_mut(name) {
            file.truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.disk();
        let one_in = disk.faults.remove_fails;
        if disk.fails(one_in) {
            return Err(io::Error::other("broken"));
        }
        let Some(file) = disk.files.remove(from) else { return Err(io::ErrorKind::NotFound.into()) };
        let (synced, written) = (disk.synced.remove(from), disk.written.remove(from));
        disk.files.insert(to.to_owned(), file);
        disk.synced.insert(to.to_owned(), synced.unwrap_or(0));
        disk.written.insert(to.to_owned(), written.unwrap_or_default());
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let mut disk = self.disk();
        let one_in = disk.faults.remove_fails;
        if disk.fails(one_in) {
            return Err(io::Error::other("broken"));
        }
        disk.files.remove(name);
        disk.synced.remove(name);
        disk.written.remove(name);
        Ok(())
    }

    fn sync(&mut self, name: &str) {
        let mut disk = self.disk();
        let bytes = disk.files.get(name).map_or(0, Vec::len);
        disk.synced.insert(name.to_owned(), bytes);
    }
}

const fn next(random: u64) -> u64 {
    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
}

/// A disk that may hang: while it does, it carries out nothing of what it is asked for, and answers nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hang(Arc<AtomicBool>);

impl Hang {
    pub(crate) fn set(&self, is_hanging: bool) {
        self.0.store(is_hanging, Ordering::Relaxed);
    }

    /// Ends it. Returns whether it hung.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// The way to such a disk. It does in the caller's thread what the thread of a relay does in its own.
#[derive(Debug)]
pub(crate) struct HangingWay {
    store: Box<dyn Store>,
    hang: Hang,
    lane: Lane,
}

impl HangingWay {
    pub(crate) fn new(store: Box<dyn Store>, hang: Hang) -> Self {
        Self { store, hang, lane: Lane::new(usize::MAX) }
    }

    /// Does what waits, unless the disk hangs. A write that fails is tried again at the next call.
    fn work(&mut self) -> &mut Lane {
        let lane = &mut self.lane;
        let mut may_write = true;
        while !self.hang.0.load(Ordering::Relaxed)
            && let Some(job) = lane.next(may_write)
        {
            lane.finish(job.run(&mut *self.store));
            may_write = !lane.is_failing();
        }
        lane
    }
}

impl Way for HangingWay {
    fn append(&mut self, record: Record) -> io::Result<()> {
        self.work().append(record)?;
        self.work();
        Ok(())
    }

    fn order(&mut self, task: Task) -> Result<(), Trouble> {
        self.work().order(task);
        self.work();
        Ok(())
    }

    fn read(&mut self, reading: Reading) -> Option<Read> {
        self.work().read(reading);
        self.take_read()
    }

    fn take_read(&mut self) -> Option<Read> {
        self.work().take_read()
    }

    fn unwritten(&self, line: u64) -> Option<Chunk> {
        self.lane.unwritten(line)
    }

    fn first_unwritten(&self) -> Option<u64> {
        self.lane.first_unwritten()
    }

    fn is_failing(&self) -> bool {
        self.lane.is_failing()
    }

    fn wait(&mut self, _: Duration) -> bool {
        let lane = self.work();
        lane.is_failing() || lane.first_unwritten().is_none()
    }

    fn abandon(&mut self) -> Option<u64> {
        self.work().abandon()
    }

    fn take_trouble(&mut self) -> Option<Trouble> {
        self.work().take_trouble()
    }

    fn on_answer(&mut self, _: Wake) {}

    fn into_store(self: Box<Self>) -> Option<Box<dyn Store>> {
        Some(self.store)
    }
}
