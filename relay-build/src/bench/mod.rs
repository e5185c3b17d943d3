//! What a line costs with this configuration: compiled and interpreted, beside another one, without each rule, and while
//! the table grows.
//!
//! [`corpus`](crate::corpus) has the lines, `variants` the tables, `measure` runs the program that
//! [`driver::build_bench`] compiles from them, [`judge`] compares with limits and a saved report, and
//! `render` and `plot` show it. Times are of this machine in this minute; instructions, where valgrind is there to count
//! them, are the same on every run.

mod judge;
mod measure;
mod plot;
mod render;
mod variants;

use crate::{
    analyses::{self, Force, Strategy, Traffic, TrafficError},
    config::Checked,
    corpus::Corpus,
    driver::{self, BuildError, BuildOptions},
};
use measure::Program;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, io};

pub use judge::{Judgement, Limits, judge};
pub use measure::has_valgrind;
pub use plot::{svg, terminal};
pub use render::text;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The configuration.
    pub checked: &'a Checked,
    /// Another one to measure over the same lines.
    pub against: Option<&'a Checked>,
    /// The lines.
    pub corpus: &'a Corpus,
    /// Whether to measure the table with strategies chosen for these lines, too.
    pub steered: bool,
    /// How many rounds of time.
    pub rounds: usize,
    /// Whether to count instructions.
    pub instructions: bool,
    /// Whether to measure the table without each of its rules.
    pub rules: bool,
    /// Whether to measure growing beginnings of the table.
    pub growth: bool,
}

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The configuration's path.
    pub config: String,
    /// The digest of its plan.
    pub plan_sha256: String,
    /// What the lines are.
    pub corpus: CorpusFacts,
    /// How many lines.
    pub lines: u64,
    /// The table as a relay runs it.
    pub compiled: Figures,
    /// The same table in the reference interpreter.
    pub interpreted: Figures,
    /// What becomes of the lines.
    pub outcomes: Outcomes,
    /// How the table is compiled, in sentences.
    pub strategies: Vec<String>,
    /// The build of the relay.
    pub build: BuildFacts,
    /// The table compiled with strategies chosen for the lines.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub steered: Option<Figures>,
    /// The other configuration.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub against: Option<Against>,
    /// The table without one rule or a few neighbours.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub rules: Vec<RuleCost>,
    /// Growing beginnings of the table.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub growth: Vec<GrowthPoint>,
}

/// Where the lines come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorpusFacts {
    /// The file; `None` for lines that were made from the rules.
    pub file: Option<String>,
    /// Of the lines as they are taken.
    pub sha256: String,
    /// Their bytes.
    pub bytes: u64,
}

/// What a line costs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The median of the rounds.
    pub ns_per_line: f64,
    /// By the median.
    pub lines_per_second: f64,
    /// Lines of the corpus.
    pub lines: u64,
    /// The best round.
    pub ns_per_line_min: f64,
    /// The worst.
    pub ns_per_line_max: f64,
    /// How many rounds there were.
    pub rounds: u64,
    /// How often each took the whole corpus.
    pub passes: u64,
    /// As callgrind counts them; `None` when it was not there or not asked.
    pub instructions_per_line: Option<f64>,
}

/// What becomes of the lines of the corpus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Refused by validation.
    pub invalid: u64,
    /// On the blocklist.
    pub blocked: u64,
    /// Hidden by an aggregator.
    pub aggregated_away: u64,
    /// Taken by no route.
    pub unroutable: u64,
    /// Taken by a route.
    pub routed: u64,
}

/// The build of the relay that was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BuildFacts {
    /// All stages together.
    pub seconds: f64,
    /// Each stage. When nothing was compiled before, the runtime is part of it.
    pub stages: BTreeMap<String, f64>,
    /// The size of the executable.
    pub binary_bytes: u64,
}

/// Another configuration over the same lines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// Its path.
    pub config: String,
    /// Compiled.
    pub compiled: Figures,
    /// What becomes of the lines there.
    pub outcomes: Outcomes,
}

/// What the table costs without some rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleCost {
    /// Where the first of them is written: `file:line`.
    pub place: String,
    /// What they are.
    pub rules: String,
    /// How many.
    pub count: u64,
    /// The table without them.
    pub without: Figures,
    /// What they cost: instructions per line, of all lines.
    pub instructions: Option<f64>,
    /// The same in time, by the best rounds: mostly noise when it is little.
    pub ns: f64,
}

/// A beginning of the table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GrowthPoint {
    /// How many rules.
    pub rules: u64,
    /// Compiled.
    pub compiled: Figures,
    /// Interpreted.
    pub interpreted: Figures,
}

/// Why nothing was measured.
#[derive(Debug)]
pub enum BenchError {
    /// The program, or the relay, cannot be built.
    Build(BuildError),
    /// The program cannot be started.
    Start(io::Error),
    /// The program did not do what it is for.
    Failed(String),
    /// Strategies cannot be chosen for the lines.
    Traffic(TrafficError),
    /// The compiled table does something else with these lines than the interpreter: a defect of ours.
    Disagreement {
        /// What the compiled table does.
        compiled: Outcomes,
        /// What the interpreter does.
        interpreted: Outcomes,
    },
}

/// Builds the relay and the tables, and measures. `progress` hears what is done next.
pub fn run(request: &Request<'_>, mut progress: impl FnMut(&str)) -> Result<Report, BenchError> {
    let checked = request.checked;
    progress("building the relay");
    let build = build_relay(checked)?;
    let mut tables = vec![checked.clone()];
    tables.extend(request.against.cloned());
    let steered = tables.len();
    if request.steered {
        let traffic = Traffic::of(&checked.plan, request.corpus).map_err(BenchError::Traffic)?;
        tables.push(Checked { traffic: Some(traffic), ..checked.clone() });
    }
    let first_rule = tables.len();
    let groups = if request.rules { variants::groups(&checked.plan.table) } else { Vec::new() };
    tables.extend(groups.iter().map(|group| variants::without(checked, group)));
    let first_growth = tables.len();
    let growth = if request.growth { variants::beginnings(&checked.plan.table) } else { Vec::new() };
    tables.extend(growth.iter().map(|rules| variants::beginning(checked, *rules)));
    progress("compiling the tables");
    let program = driver::build_bench(&tables).map_err(BenchError::Build)?;
    let program = Program::new(&program, request)?;

    let mut wanted = vec![(0, "compiled"), (0, "interpreted")];
    wanted.extend((1..tables.len()).map(|table| (table, "compiled")));
    wanted.extend((first_growth..tables.len()).map(|table| (table, "interpreted")));
    progress("measuring time");
    let mut measured = program.time(&wanted)?;
    if request.instructions {
        for ((table, engine), figures) in wanted.iter().zip(&mut measured) {
            // The interpreter walks every rule: its growth is plain to see in time.
            if *engine == "compiled" || *table == 0 {
                progress(&format!(
                    "counting instructions: {engine} {}",
                    tables[*table].source.path.display()
                ));
                let rules = variants::rules(&tables[*table].plan.table);
                figures.0.instructions_per_line = program.instructions(*table, engine, rules);
            }
        }
    }
    let of = |table: usize, engine: &str| {
        wanted
            .iter()
            .position(|one| *one == (table, engine))
            .map(|at| measured[at].clone())
            .unwrap_or_default()
    };
    let ((compiled, outcomes), (interpreted, by_interpreter)) = (of(0, "compiled"), of(0, "interpreted"));
    if outcomes != by_interpreter {
        return Err(BenchError::Disagreement { compiled: outcomes, interpreted: by_interpreter });
    }
    let cost = |(at, group): (usize, &variants::Group)| {
        variants::cost(checked, group, &compiled, of(first_rule + at, "compiled").0)
    };
    let point = |(at, rules): (usize, &usize)| GrowthPoint {
        rules: *rules as u64,
        compiled: of(first_growth + at, "compiled").0,
        interpreted: of(first_growth + at, "interpreted").0,
    };
    Ok(Report {
        config: checked.source.path.display().to_string(),
        plan_sha256: build.0,
        corpus: CorpusFacts {
            file: request.corpus.file.clone(),
            sha256: request.corpus.sha256(),
            bytes: request.corpus.text.len() as u64,
        },
        lines: compiled.lines,
        steered: request.steered.then(|| of(steered, "compiled").0),
        rules: groups.iter().enumerate().map(cost).collect(),
        growth: growth.iter().enumerate().map(point).collect(),
        against: request.against.map(|other| {
            let (compiled, outcomes) = of(1, "compiled");
            Against { config: other.source.path.display().to_string(), compiled, outcomes }
        }),
        compiled,
        interpreted,
        outcomes,
        strategies: strategies(checked)?,
        build: build.1,
    })
}

/// Builds the relay itself, for its size and the time it takes.
fn build_relay(checked: &Checked) -> Result<(String, BuildFacts), BenchError> {
    let options = BuildOptions::new(driver::default_out(checked));
    let artifact = driver::build(checked, &options, |_| {}).map_err(BenchError::Build)?;
    let stages: BTreeMap<String, f64> =
        artifact.stages.iter().map(|(stage, took)| (stage.to_string(), took.as_secs_f64())).collect();
    let manifest = artifact.manifest.unwrap_or_default();
    let binary_bytes = manifest.binary_bytes.unwrap_or_default();
    Ok((manifest.plan_sha256, BuildFacts { seconds: stages.values().sum(), stages, binary_bytes }))
}

fn strategies(checked: &Checked) -> Result<Vec<String>, BenchError> {
    let strategy = Strategy::choose(&checked.plan, Force::default(), checked.traffic.as_ref())
        .map_err(|error| BenchError::Build(BuildError::BadRegex(error)))?;
    let explained = analyses::explain(&strategy);
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    let rules = explained.blocklist.iter().chain(&explained.aggregators).chain(&explained.routes);
    for sentence in rules {
        // What is in backticks is the rule's own; the rest says what was chosen.
        let kind: Vec<&str> = sentence.split('`').step_by(2).collect();
        *counted.entry(kind.join("…")).or_default() += 1;
    }
    let mut sentences = explained.table;
    sentences.extend(counted.into_iter().map(|(kind, count)| format!("{count} × {kind}")));
    Ok(sentences)
}

impl fmt::Display for BenchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(error) => error.fmt(f),
            Self::Traffic(error) => write!(f, "cannot steer by the corpus: {error}"),
            Self::Start(error) => write!(f, "cannot start the program that measures: {error}"),
            Self::Failed(said) => write!(f, "the program that measures failed: {said}"),
            Self::Disagreement { compiled, interpreted } => write!(
                f,
                "the compiled table does {compiled:?} with these lines, the interpreter {interpreted:?}: please report \
                 this with the configuration and the lines"
            ),
        }
    }
}

impl std::error::Error for BenchError {}
