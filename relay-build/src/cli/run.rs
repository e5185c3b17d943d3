//! `run`: build and run, or interpret at once.

use super::{
    compiling::Compiling,
    input::{Input, Purpose},
    progress::Progress,
};
use anyhow::{Context as _, bail};
use clap::Args;
use relay_build::{config::Checked, driver};
use relay_runtime::{interpret::Interpreter, serve};
use std::{
    env,
    net::TcpStream,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{ChildStdin, Command, ExitCode, Stdio},
    thread,
    time::Duration,
};

/// Build a relay and run it
///
/// Runs until SIGINT (Ctrl-C) or SIGTERM, then delivers what is queued and prints the relay's books.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) input: Input,
    #[command(flatten)]
    compiling: Compiling,
    /// Interpret the configuration instead of compiling it: starts at once, relays slower
    #[arg(long)]
    interpreted: bool,
    /// Where to put the relay [default: a directory of this configuration's under the build cache]
    #[arg(long, value_name = "DIR", conflicts_with = "interpreted")]
    out: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Some(checked) = arguments.input.load(Purpose::Serve)? else { return Ok(ExitCode::FAILURE) };
    if !super::test::pass(&arguments.input, &checked)? {
        return Ok(ExitCode::FAILURE);
    }
    if arguments.interpreted {
        let interpreter = Interpreter::new(&checked.plan.table)?;
        let _shown = show_lines(&checked)?;
        serve::run(&checked.plan, interpreter)?;
        return Ok(ExitCode::SUCCESS);
    }
    let out = arguments.out.clone().unwrap_or_else(|| driver::default_out(&checked));
    let mut progress = Progress::new(false);
    let built = driver::build(&checked, &arguments.compiling.options(&out), |heard| progress.hear(heard));
    progress.finish();
    let mut relay = Command::new(&built?.path);
    if let Some(shown) = show_lines(&checked)? {
        relay.stdin(Stdio::from(shown));
    }
    // The relay takes this process' place, so that signals and the exit code are its own.
    Err(relay.exec()).context("cannot run the relay")
}

/// Starts what prints the lines that arrive at `[run] show`. It ends when the returned pipe is closed, which is when
/// whoever holds it has ended: the relay gets it as its stdin, which it never reads.
fn show_lines(checked: &Checked) -> anyhow::Result<Option<ChildStdin>> {
    if checked.show.is_empty() {
        return Ok(None);
    }
    let mut child = Command::new(env::current_exe()?)
        .arg("show-lines")
        .args(checked.show.iter().map(ToString::to_string))
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot show lines")?;
    for address in &checked.show {
        while TcpStream::connect(address).is_err() {
            if child.try_wait()?.is_some() {
                bail!("cannot listen on the addresses of `[run] show`; is another relay being shown?");
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
    Ok(child.stdin.take())
}
