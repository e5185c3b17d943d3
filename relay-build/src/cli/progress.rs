//! Progress of a build on stderr: a line per finished stage with its time, and how far cargo is while it compiles.
//!
//! On a terminal the last line is written again and again; in a log there is a line when compiling begins, and one every few
//! seconds as long as it goes on.

use super::{output, style};
use relay_build::{
    config::Checked,
    driver::{self, Artifact, BuildError, BuildOptions, Crates, Progress as Heard, Stage},
};
use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// How often a log gets a line.
const LOG_EVERY: Duration = Duration::from_secs(5);

/// What fits in one line of nearly every terminal.
const COLUMNS: usize = 79;

/// Shows how far a build is.
pub(crate) struct Progress {
    quiet: bool,
    is_terminal: bool,
    stage: Option<(Stage, Instant)>,
    /// When a log got its last line about the stage.
    logged: Option<Instant>,
    /// The terminal's last line is to be written again.
    is_drawn: bool,
}

impl Progress {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, is_terminal: io::stderr().is_terminal(), stage: None, logged: None, is_drawn: false }
    }

    /// What the driver says.
    pub(crate) fn hear(&mut self, heard: Heard<'_>) {
        match heard {
            Heard::Stage(stage) => {
                self.end_stage();
                self.stage = Some((stage, Instant::now()));
            }
            Heard::Waiting => self.say("waiting for another relay-build that compiles in the same cache"),
            Heard::Fetching => self.say("fetching crates"),
            Heard::Compiling(crates) if !crates.compiling.is_empty() => self.say(&sentence(crates)),
            Heard::Compiling(_) => {}
        }
    }

    /// The build has ended.
    pub(crate) fn finish(&mut self) {
        self.end_stage();
    }

    fn say(&mut self, text: &str) {
        if self.quiet {
        } else if self.is_terminal {
            let line: String = text.chars().take(COLUMNS).collect();
            let mut stderr = io::stderr().lock();
            // A terminal that is gone needs no progress.
            drop(write!(stderr, "\r\x1b[2K{line}").and_then(|()| stderr.flush()));
            self.is_drawn = true;
        } else if self.logged.is_none_or(|logged| logged.elapsed() >= LOG_EVERY) {
            drop(writeln!(io::stderr(), "{text}"));
            self.logged = Some(Instant::now());
        }
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            drop(write!(io::stderr(), "\r\x1b[2K"));
        }
        self.logged = None;
    }

    fn end_stage(&mut self) {
        self.clear();
        if let Some((stage, begun)) = self.stage.take().filter(|_| !self.quiet) {
            let took = begun.elapsed().as_secs_f64();
            output::remark(format_args!("{}{stage:>10}{} {took:7.2} s", style::FAINT, style::RESET));
        }
    }
}

/// Builds for another command: whoever waits for it is told how far it is, and nothing else.
pub(crate) fn build(quiet: bool, checked: &Checked, options: &BuildOptions) -> Result<Artifact, BuildError> {
    let mut progress = Progress::new(quiet);
    let built = driver::build(checked, options, |heard| match heard {
        Heard::Stage(_) => progress.clear(),
        heard => progress.hear(heard),
    });
    progress.clear();
    built
}

/// `compiling 37 of 38 crates, 12 s (last time 31 s): relay-runtime, serde`.
fn sentence(crates: &Crates) -> String {
    let Crates { compiling, done, all, elapsed, last_time } = crates;
    // One that is compiled for other crates and for the relay is one crate.
    let done = done.min(all);
    let last = last_time.map_or(String::new(), |last| format!(" (last time {} s)", last.as_secs().max(1)));
    format!("compiling {done} of {all} crates, {} s{last}: {}", elapsed.as_secs(), compiling.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_what_how_far_and_how_long() {
        let crates = Crates {
            compiling: vec!["relay-runtime".to_owned()],
            done: 37,
            all: 38,
            elapsed: Duration::from_millis(12_900),
            last_time: Some(Duration::from_millis(31_400)),
        };
        assert_eq!(sentence(&crates), "compiling 37 of 38 crates, 12 s (last time 31 s): relay-runtime");
        let first = Crates { last_time: None, ..crates };
        assert_eq!(sentence(&first), "compiling 37 of 38 crates, 12 s: relay-runtime");
    }
}
