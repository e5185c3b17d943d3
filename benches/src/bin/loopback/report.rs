//! The figures of a comparison: as text, as JSON, and saved in a file.
//!
//! Shows the spread of the rounds and every invalid run.

use crate::{
    contender::{FLOOR, PEER},
    machine,
    options::Options,
    process::Cpu,
    scenario::Scenario,
    traffic::Delivered,
};
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// The run of one relay in one round.
#[derive(Debug)]
pub(crate) struct Run {
    /// What it cost, or why that is not known.
    outcome: Result<Figures, String>,
}

#[derive(Debug)]
struct Figures {
    lines: u64,
    cpu: Cpu,
    wall: Duration,
    memory_peak_bytes: u64,
    delivered: Delivered,
}

/// All runs.
#[derive(Debug)]
pub(crate) struct Report {
    facts: Vec<(&'static str, String)>,
    settings: Vec<(&'static str, u64)>,
    pub(crate) notes: Vec<String>,
    runs: Vec<(Scenario, &'static str, Run)>,
}

impl Run {
    pub(crate) const fn valid(
        lines: u64,
        cpu: Cpu,
        wall: Duration,
        memory_peak_bytes: u64,
        delivered: Delivered,
    ) -> Self {
        Self { outcome: Ok(Figures { lines, cpu, wall, memory_peak_bytes, delivered }) }
    }

    pub(crate) const fn invalid(why: String) -> Self {
        Self { outcome: Err(why) }
    }

    pub(crate) fn summary(&self) -> String {
        match &self.outcome {
            Ok(figures) => format!(
                "{:.4} CPU s per million lines, {:.2} million lines/s, {:.1} MB",
                figures.seconds_per_million(),
                millions(figures.lines) / figures.wall.as_secs_f64(),
                millions(figures.memory_peak_bytes)
            ),
            Err(why) => why.clone(),
        }
    }
}

impl Figures {
    fn seconds_per_million(&self) -> f64 {
        self.cpu.seconds() / millions(self.lines)
    }
}

#[expect(clippy::cast_precision_loss, reason = "printed with a few digits")]
fn millions(count: u64) -> f64 {
    count as f64 / 1e6
}

impl Report {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            facts: machine::facts(),
            settings: vec![
                ("lines", options.lines),
                ("rounds", options.rounds.into()),
                ("connections", options.connections as u64),
                ("workers", options.workers.into()),
                ("floor_buffer_bytes", options.floor_buffer_bytes as u64),
                ("carbon_c_relay_queue_lines", options.lines),
            ],
            notes: Vec::new(),
            runs: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, scenario: Scenario, contender: &'static str, run: Run) {
        self.runs.push((scenario, contender, run));
    }

    /// Whether every run delivered everything.
    pub(crate) fn is_valid(&self) -> bool {
        self.runs.iter().all(|(_, _, run)| run.outcome.is_ok())
    }

    /// Saves the raw results, one file per comparison.
    pub(crate) fn keep(&self, directory: &Path) -> Result<(), String> {
        let path: PathBuf = directory.join(format!("results-{}.json", machine::unix_time()));
        fs::write(&path, self.json()).map_err(|error| format!("{}: {error}", path.display()))?;
        eprintln!("raw results: {}", path.display());
        Ok(())
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.facts {
            let _ = writeln!(text, "{name}: {value}");
        }
        for (name, value) in &self.settings {
            let _ = writeln!(text, "{name}: {value}");
        }
        for note in &self.notes {
            let _ = writeln!(text, "{note}");
        }
        for scenario in Scenario::ALL {
            self.write_table(scenario, &mut text);
        }
        text
    }

    fn write_table(&self, scenario: Scenario, text: &mut String) {
        let contenders = self.contenders(scenario);
        if contenders.is_empty() {
            return;
        }
        let _ = writeln!(text, "\n{}: {}", scenario.name(), scenario.shows());
        let _ = writeln!(
            text,
            "| CPU s per million lines |    min | median |    max | x floor | carbon-c-relay / it | peak MB | invalid |\n\
             |:------------------------|-------:|-------:|-------:|--------:|--------------------:|--------:|--------:|"
        );
        let floor = median(&self.costs(scenario, FLOOR));
        let peer = median(&self.costs(scenario, PEER));
        for name in contenders {
            let costs = self.costs(scenario, name);
            let middle = median(&costs);
            let ratio = |over: Option<f64>, under: Option<f64>| match (over, under) {
                (Some(over), Some(under)) if under > 0.0 => format!("{:.2}", over / under),
                _ => "-".to_owned(),
            };
            let cost = |cost: Option<f64>| cost.map_or("-".to_owned(), |cost| format!("{cost:.4}"));
            let _ = writeln!(
                text,
                "| {name:23} | {:>6} | {:>6} | {:>6} | {:>7} | {:>19} | {:>7.1} | {:>7} |",
                cost(costs.first().copied()),
                cost(middle),
                cost(costs.last().copied()),
                ratio(middle, floor),
                ratio(peer, middle),
                millions(self.memory_peak(scenario, name)),
                self.invalid(scenario, name).count(),
            );
        }
        for name in self.contenders(scenario) {
            for why in self.invalid(scenario, name) {
                let _ = writeln!(text, "{name}: {why}");
            }
        }
    }

    pub(crate) fn json(&self) -> String {
        let mut json = Json(String::new());
        for (name, value) in &self.facts {
            json.field(name, &quoted(value));
        }
        for (name, value) in &self.settings {
            json.field(name, &value.to_string());
        }
        let list = |items: Vec<String>| format!("[{}]", items.join(","));
        json.field("notes", &list(self.notes.iter().map(|note| quoted(note)).collect()));
        let shows = Scenario::ALL.map(|scenario| {
            let mut one = Json(String::new());
            one.field("name", &quoted(scenario.name()));
            one.field("shows", &quoted(scenario.shows()));
            one.closed()
        });
        json.field("scenarios", &list(shows.to_vec()));
        let runs = self.runs.iter().map(|(scenario, contender, run)| {
            let mut one = Json(String::new());
            one.field("scenario", &quoted(scenario.name()));
            one.field("relay", &quoted(contender));
            match &run.outcome {
                Ok(figures) => one.figures(figures),
                Err(why) => one.field("invalid", &quoted(why)),
            }
            one.closed()
        });
        json.field("runs", &list(runs.collect()));
        json.closed() + "\n"
    }

    /// The contenders of a scenario, in the order in which they ran.
    fn contenders(&self, scenario: Scenario) -> Vec<&'static str> {
        let mut names = Vec::new();
        for (_, name, _) in self.runs.iter().filter(|(of, ..)| *of == scenario) {
            if !names.contains(name) {
                names.push(*name);
            }
        }
        names
    }

    fn of(&self, scenario: Scenario, name: &str) -> impl Iterator<Item = &Run> {
        let wanted = self.runs.iter().filter(move |(of, contender, _)| *of == scenario && *contender == name);
        wanted.map(|(_, _, run)| run)
    }

    /// CPU seconds per million lines of the valid runs, ascending.
    fn costs(&self, scenario: Scenario, name: &str) -> Vec<f64> {
        let valid = self.of(scenario, name).filter_map(|run| run.outcome.as_ref().ok());
        let mut costs: Vec<f64> = valid.map(Figures::seconds_per_million).collect();
        costs.sort_by(f64::total_cmp);
        costs
    }

    fn invalid(&self, scenario: Scenario, name: &str) -> impl Iterator<Item = &str> {
        self.of(scenario, name).filter_map(|run| run.outcome.as_ref().err().map(String::as_str))
    }

    fn memory_peak(&self, scenario: Scenario, name: &str) -> u64 {
        let valid = self.of(scenario, name).filter_map(|run| run.outcome.as_ref().ok());
        valid.map(|figures| figures.memory_peak_bytes).max().unwrap_or(0)
    }
}

/// The median; of an even number of values, the lower one in the middle.
fn median(ascending: &[f64]) -> Option<f64> {
    ascending.get(ascending.len().checked_sub(1)? / 2).copied()
}

/// A JSON object that is being written.
struct Json(String);

impl Json {
    fn field(&mut self, name: &str, value: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        let _ = write!(self.0, "{}:{value}", quoted(name));
    }

    fn figures(&mut self, figures: &Figures) {
        self.field("cpu_seconds", &format!("{:.6}", figures.cpu.seconds()));
        self.field("user_ticks", &figures.cpu.user_ticks.to_string());
        self.field("system_ticks", &figures.cpu.system_ticks.to_string());
        self.field("wall_seconds", &format!("{:.6}", figures.wall.as_secs_f64()));
        self.field("memory_peak_bytes", &figures.memory_peak_bytes.to_string());
        self.field("lines_delivered", &figures.delivered.lines.to_string());
        self.field("bytes_delivered", &figures.delivered.bytes.to_string());
        self.field("lines_by_destination", &format!("{:?}", figures.delivered.by_sink));
    }

    fn closed(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0 + "}"
    }
}

fn quoted(text: &str) -> String {
    let mut json = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\n' => json.push_str("\\n"),
            _ if character.is_control() => {
                let _ = write!(json, "\\u{:04x}", u32::from(character));
            }
            _ => json.push(character),
        }
    }
    json + "\""
}
