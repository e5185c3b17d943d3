//! Programs that the driver starts: heard line by line while they run, and ended with everything that they started.
//!
//! Each is a process group of its own, so that cargo ends together with its rustcs. A signal that ends relay-build ends them
//! first if [`end_on_signals`] was called; without it signals do what they always do.

use super::BuildError;
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
};
use std::{
    io::{self, BufRead as _, BufReader, Read},
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

/// What a program did until it ended.
pub(super) struct Finished {
    pub(super) status: ExitStatus,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// What is heard of a program while it runs.
pub(super) enum Heard<'a> {
    /// A line of its stdout.
    Out(&'a str),
    /// A line of its stderr.
    Err(&'a str),
    /// Nothing for a while.
    Nothing,
}

/// How often there is something to hear at least.
const BEAT: Duration = Duration::from_millis(100);

/// How long a group may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(5);

static SIGNALS: LazyLock<Signals> = LazyLock::new(Signals::default);

/// The signals that end a process, as far as this one was told to wait for them.
struct Signals {
    /// The last signal that came while a program ran; 0 for none.
    came: Arc<AtomicUsize>,
    /// No program runs, so a signal ends this process as if nobody cared for it.
    is_idle: Arc<AtomicBool>,
    /// They are to be caught, and are not yet.
    is_wanted: AtomicBool,
}

impl Default for Signals {
    fn default() -> Self {
        Self {
            came: Arc::default(),
            is_idle: Arc::new(AtomicBool::new(true)),
            is_wanted: AtomicBool::new(false),
        }
    }
}

/// From now on SIGINT, SIGTERM and SIGHUP end what the driver has started before they end this process. They are not touched before
/// something is started: a process that interprets a relay has uses of its own for them.
pub fn end_on_signals() {
    SIGNALS.is_wanted.store(true, Ordering::SeqCst);
}

impl Signals {
    fn catch(&self) -> io::Result<()> {
        if !self.is_wanted.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            flag::register_conditional_default(signal, Arc::clone(&self.is_idle))?;
            let number = usize::try_from(signal).unwrap_or_default();
            flag::register_usize(signal, Arc::clone(&self.came), number)?;
        }
        Ok(())
    }
}

/// Runs a program to its end. `hear` gets every line when it comes.
pub(super) fn run(mut command: Command, mut hear: impl FnMut(Heard<'_>)) -> Result<Finished, BuildError> {
    SIGNALS.catch().map_err(|error| BuildError::Start(command.get_program().to_owned(), error))?;
    SIGNALS.is_idle.store(false, Ordering::SeqCst);
    let finished = run_in_group(&mut command, &mut hear);
    SIGNALS.is_idle.store(true, Ordering::SeqCst);
    match SIGNALS.came.swap(0, Ordering::SeqCst) {
        0 => finished.map_err(|error| BuildError::Start(command.get_program().to_owned(), error)),
        signal => Err(BuildError::Ended { signal: i32::try_from(signal).unwrap_or(SIGTERM) }),
    }
}

fn run_in_group(command: &mut Command, hear: &mut dyn FnMut(Heard<'_>)) -> io::Result<Finished> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.process_group(0).spawn()?;
    let (said, lines) = channel();
    let out = read_lines(child.stdout.take(), said.clone(), true);
    let err = read_lines(child.stderr.take(), said, false);
    let heard = hear_all(&lines, &child, hear);
    let status = child.wait()?;
    drop((out.join(), err.join()));
    Ok(Finished { status, stdout: heard.0, stderr: heard.1 })
}

/// All lines of stdout and of stderr. Ends the group when a signal comes.
fn hear_all(
    lines: &Receiver<(bool, String)>,
    child: &Child,
    hear: &mut dyn FnMut(Heard<'_>),
) -> (String, String) {
    let (mut stdout, mut stderr) = (String::new(), String::new());
    let mut patience = PATIENCE;
    loop {
        if SIGNALS.came.load(Ordering::SeqCst) != 0 {
            end_group(child, if patience.is_zero() { Signal::KILL } else { Signal::TERM });
            patience = patience.saturating_sub(BEAT);
        }
        match lines.recv_timeout(BEAT) {
            Ok((is_out, line)) => {
                hear(if is_out { Heard::Out(&line) } else { Heard::Err(&line) });
                let text = if is_out { &mut stdout } else { &mut stderr };
                text.push_str(&line);
                text.push('\n');
            }
            Err(RecvTimeoutError::Timeout) => hear(Heard::Nothing),
            Err(RecvTimeoutError::Disconnected) => return (stdout, stderr),
        }
    }
}

fn end_group(child: &Child, signal: Signal) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended by itself.
        let _ = kill_process_group(group, signal);
    }
}

fn read_lines(
    from: Option<impl Read + Send + 'static>,
    to: Sender<(bool, String)>,
    is_out: bool,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let Some(from) = from else { return };
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            if to.send((is_out, String::from_utf8_lossy(&line).into_owned())).is_err() {
                return;
            }
        }
    })
}
