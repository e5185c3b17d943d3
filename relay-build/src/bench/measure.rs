//! Runs the program that measures, and reads what it prints.
//!
//! The program contains all tables of one bench, compiled. Each run of it measures some of them over the same
//! lines; callgrind, where it is installed, counts instructions.

use super::{BenchError, Figures, Outcomes, Request};
use crate::driver::BenchProgram;
use serde::Deserialize;
use std::{
    io::Write as _,
    process::{Command, Output},
};

/// How many lines callgrind follows at most: it runs about fifty times slower than the processor.
const COUNTED_MAX: usize = 5_000;

/// How many lines times rules the interpreter gets at most under callgrind, because it asks every rule for
/// every line.
const COUNTED_RULES_MAX: usize = 1_000_000;

/// The program and the lines that it measures.
pub(super) struct Program<'a> {
    built: &'a BenchProgram,
    rounds: usize,
    corpus: tempfile::NamedTempFile,
}

/// What the program prints about one table.
#[derive(Deserialize)]
struct Said {
    rounds: Vec<f64>,
    passes: u64,
    lines: u64,
    outcomes: Outcomes,
}

impl<'a> Program<'a> {
    pub(super) fn new(program: &'a BenchProgram, request: &Request<'_>) -> Result<Self, BenchError> {
        let mut corpus = tempfile::NamedTempFile::new().map_err(BenchError::Start)?;
        corpus.write_all(&request.corpus.text).map_err(BenchError::Start)?;
        Ok(Self { built: program, rounds: request.rounds, corpus })
    }

    /// Times the tables, each named by its number and engine; the results are in the same order.
    pub(super) fn time(&self, wanted: &[(usize, &str)]) -> Result<Vec<(Figures, Outcomes)>, BenchError> {
        let mut command = Command::new(&self.built.path);
        command.arg("time").arg(self.corpus.path()).arg(self.rounds.to_string());
        command.args(wanted.iter().map(|(table, engine)| self.name(*table, engine)));
        let output = command.output().map_err(BenchError::Start)?;
        if !output.status.success() {
            return Err(BenchError::Failed(said(&output)));
        }
        let all: Vec<Said> =
            serde_json::from_slice(&output.stdout).map_err(|error| BenchError::Failed(error.to_string()))?;
        if all.len() != wanted.len() {
            return Err(BenchError::Failed("a table is missing".to_owned()));
        }
        Ok(all.into_iter().map(|one| (figures(&one), one.outcomes)).collect())
    }

    /// Instructions per line: the difference between running the first lines once and twice, so that start-up
    /// and everything that is allocated for the first lines do not count. `None` if callgrind does not run.
    pub(super) fn instructions(&self, table: usize, engine: &str, rules: usize) -> Option<f64> {
        let lines = match engine {
            "interpreted" => (COUNTED_RULES_MAX / (rules + 1)).clamp(200, COUNTED_MAX),
            _ => COUNTED_MAX,
        };
        let count = |passes: &str| -> Option<f64> {
            let output = Command::new("valgrind")
                .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
                .arg(&self.built.path)
                .arg("count")
                .arg(self.corpus.path())
                .args([&lines.to_string(), passes, &self.name(table, engine)])
                .output()
                .ok()?;
            // ==1234== Collected : 123456
            let said = said(&output);
            said.lines().find_map(|line| line.split_once("Collected : "))?.1.trim().parse().ok()
        };
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let lines = lines as f64;
        Some((count("2")? - count("1")?) / lines)
    }

    fn name(&self, table: usize, engine: &str) -> String {
        format!("{engine}:{}", self.built.names.get(table).map_or("", String::as_str))
    }
}

/// Whether instructions can be counted on this machine.
#[must_use]
pub fn has_valgrind() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn figures(said: &Said) -> Figures {
    let mut rounds = said.rounds.clone();
    rounds.sort_by(f64::total_cmp);
    let middle = rounds.len() / 2;
    let median = match rounds.len() {
        0 => f64::NAN,
        even if even % 2 == 0 => f64::midpoint(rounds[middle - 1], rounds[middle]),
        _ => rounds[middle],
    };
    Figures {
        ns_per_line: median,
        lines_per_second: 1e9 / median,
        lines: said.lines,
        ns_per_line_min: rounds.first().copied().unwrap_or(f64::NAN),
        ns_per_line_max: rounds.last().copied().unwrap_or(f64::NAN),
        rounds: rounds.len() as u64,
        passes: said.passes,
        instructions_per_line: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_between_the_best_and_the_worst() {
        let said = |rounds: &[f64]| Said {
            rounds: rounds.to_vec(),
            passes: 2,
            lines: 10,
            outcomes: Outcomes::default(),
        };
        let figures = figures(&said(&[5.0, 1.0, 3.0]));
        let spread = [figures.ns_per_line_min, figures.ns_per_line, figures.ns_per_line_max];
        assert!(spread.iter().zip([1.0, 3.0, 5.0]).all(|(is, wanted)| (is - wanted).abs() < 1e-9));
        assert!((super::figures(&said(&[1.0, 2.0])).ns_per_line - 1.5).abs() < 1e-9);
    }
}
