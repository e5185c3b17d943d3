//! Starts a Debian with systemd as its first process, in separate namespaces, on the root directory that
//! `.ci/peers` made. It ends with the test.

use crate::peers::{self, Process};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

/// A machine that is gone when it is dropped, with all that was changed in it.
pub(crate) struct Machine {
    _unshare: Process,
    init: String,
}

/// What a machine can reach.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// What the test can, and the test it.
    Shared,
    /// Itself, on whatever port.
    Own,
}

impl Machine {
    /// Boots it; `directory` is where its changes are kept meanwhile.
    pub(crate) fn boot(directory: &Path, network: Network) -> Self {
        fs::create_dir_all(directory).unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/boot");
        let unshare = Process::start(
            Command::new("unshare")
                .args(["--mount", "--pid", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child"])
                .args((network == Network::Own).then_some("--net"))
                .args(["sh", script])
                .arg(peers::directory().join("bookworm"))
                .arg(directory)
                .stdin(Stdio::null()),
        );
        let children = format!("/proc/{0}/task/{0}/children", unshare.0.id());
        let mut init = String::new();
        peers::wait_for("the first process", Duration::from_secs(10), || {
            let found = fs::read_to_string(&children).unwrap_or_default();
            found.trim().clone_into(&mut init);
            !init.is_empty()
        });
        let machine = Self { _unshare: unshare, init };
        peers::wait_for("systemd to have started everything", Duration::from_mins(1), || {
            machine.try_run("systemctl is-system-running").stdout.starts_with(b"running")
        });
        machine
    }

    /// Runs a shell script, which must not fail; what it printed.
    #[track_caller]
    pub(crate) fn run(&self, script: &str) -> String {
        let output = self.try_run(script);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let problems = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {}\n{said}{problems}", output.status);
        said
    }

    /// The same for one that may fail.
    pub(crate) fn try_run(&self, script: &str) -> Output {
        Command::new("nsenter")
            .args(["--target", &self.init, "--all", "--root", "--wdns=/", "env", "-i"])
            .args(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "sh", "-euc", script])
            .stdin(Stdio::null())
            .output()
            .expect("nsenter runs")
    }

    /// A path in it, as seen from here.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.init))
    }
}
