//! Progress of a build on a terminal: a spinner with the stage, and a line per finished stage with its time.

use super::{output, style};
use indicatif::{ProgressBar, ProgressStyle};
use relay_build::driver::Stage;
use std::time::{Duration, Instant};

/// Shows stages as they come; what is printed goes to stderr.
pub(crate) struct Progress {
    bar: ProgressBar,
    stage: Option<(Stage, Instant)>,
    quiet: bool,
}

impl Progress {
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        let look = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        bar.set_style(look);
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar, stage: None, quiet }
    }

    /// A stage begins, so the one before it has ended.
    pub(crate) fn begin(&mut self, stage: Stage) {
        self.end_stage();
        self.bar.set_message(stage.to_string());
        self.stage = Some((stage, Instant::now()));
    }

    /// The build has ended.
    pub(crate) fn finish(&mut self) {
        self.end_stage();
        self.bar.finish_and_clear();
    }

    fn end_stage(&mut self) {
        if let Some((stage, begun)) = self.stage.take().filter(|_| !self.quiet) {
            let took = begun.elapsed().as_secs_f64();
            self.bar.suspend(|| {
                output::remark(format_args!("{}{stage:>10}{} {took:7.2} s", style::FAINT, style::RESET));
            });
        }
    }
}
