//! A running relay, and what the operating system counts for it.
//!
//! Reads `/proc` only, so measuring costs the relay nothing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Child,
};

/// A running process; it is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Started {
    child: Child,
    log: PathBuf,
}

/// CPU time since the process started.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpu {
    /// User and system time from `/proc/PID/stat`, in ticks.
    pub(crate) user_ticks: u64,
    pub(crate) system_ticks: u64,
    /// Time of all threads from their `schedstat`: the same, not rounded to ticks.
    pub(crate) nanoseconds: Option<u64>,
}

/// The kernel's unit in `/proc/PID/stat`, on every architecture of Debian.
const TICKS_PER_SECOND: f64 = 100.0;

impl Cpu {
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            user_ticks: self.user_ticks.saturating_sub(before.user_ticks),
            system_ticks: self.system_ticks.saturating_sub(before.system_ticks),
            nanoseconds: self.nanoseconds.zip(before.nanoseconds).map(|(now, then)| now.saturating_sub(then)),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds of a run")]
    pub(crate) fn seconds(&self) -> f64 {
        let ticks = (self.user_ticks + self.system_ticks) as f64 / TICKS_PER_SECOND;
        self.nanoseconds.map_or(ticks, |nanoseconds| nanoseconds as f64 / 1e9)
    }
}

impl Started {
    pub(crate) fn new(child: Child, log: &Path) -> Self {
        Self { child, log: log.to_owned() }
    }

    pub(crate) fn cpu(&self) -> Result<Cpu, String> {
        let stat = self.read("stat")?;
        // The second field is the program's name in parentheses, which may contain anything.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|text| text.parse().ok());
        let (Some(user_ticks), Some(system_ticks)) = (ticks(11), ticks(12)) else {
            return Err(format!("cannot read /proc/{}/stat", self.child.id()));
        };
        Ok(Cpu { user_ticks, system_ticks, nanoseconds: self.nanoseconds() })
    }

    fn nanoseconds(&self) -> Option<u64> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
        let one = |thread: fs::DirEntry| -> Option<u64> {
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse().ok()
        };
        threads.map(|thread| one(thread.ok()?)).sum()
    }

    /// The peak of resident memory in bytes.
    pub(crate) fn memory_peak_bytes(&self) -> Result<u64, String> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        Ok(kilobytes.unwrap_or(0) * 1_024)
    }

    /// The end of what the process printed.
    pub(crate) fn last_words(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text[text.len().saturating_sub(600)..]).into_owned();
        format!("its log ends with:\n{text}")
    }

    fn read(&self, what: &str) -> Result<String, String> {
        let path = format!("/proc/{}/{what}", self.child.id());
        fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself; the run reports that.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
