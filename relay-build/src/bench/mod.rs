//! What a line costs with this configuration: compiled and interpreted, beside another configuration, without
//! each of its rules, and while the table grows.
//!
//! [`corpus`](crate::corpus) provides the lines, `variants` the tables; `measure` runs the program that
//! [`driver::build_bench`] compiles from them; [`judge`] compares the report with limits and with a saved
//! report; `render` and `plot` show it. Times depend on this machine at this moment. Instructions are the same
//! on every run; they are counted if valgrind is installed.

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
    /// The configuration to measure.
    pub checked: &'a Checked,
    /// Another configuration to measure over the same lines.
    pub against: Option<&'a Checked>,
    /// The lines to measure with.
    pub corpus: &'a Corpus,
    /// Whether to measure also the table with strategies chosen for these lines.
    pub steered: bool,
    /// How many timed rounds to run.
    pub rounds: usize,
    /// Whether to count instructions.
    pub instructions: bool,
    /// Whether to measure also the table without each of its rules.
    pub rules: bool,
    /// Whether to measure also growing beginnings of the table.
    pub growth: bool,
}

/// The result of a bench, as it is saved in JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The path of the configuration.
    pub config: String,
    /// The digest of its plan.
    pub plan_sha256: String,
    /// Where the lines came from.
    pub corpus: CorpusFacts,
    /// The number of lines in the corpus.
    pub lines: u64,
    /// The cost of the compiled table, as a relay runs it.
    pub compiled: Figures,
    /// The cost of the same table in the reference interpreter.
    pub interpreted: Figures,
    /// What becomes of the lines.
    pub outcomes: Outcomes,
    /// How the table is compiled, one sentence each.
    pub strategies: Vec<String>,
    /// How long the relay's build took, and how large it is.
    pub build: BuildFacts,
    /// The cost of the table compiled with strategies chosen for the lines.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub steered: Option<Figures>,
    /// The other configuration's cost.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub against: Option<Against>,
    /// The cost of the table without one rule, or without a few neighbouring ones.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub rules: Vec<RuleCost>,
    /// The cost of growing beginnings of the table.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub growth: Vec<GrowthPoint>,
}

/// Where the lines came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorpusFacts {
    /// The path of their file; `None` if they were made from the rules.
    pub file: Option<String>,
    /// The SHA-256 digest of the lines as they were read, in hexadecimal.
    pub sha256: String,
    /// Their size in bytes.
    pub bytes: u64,
}

/// What a line costs with one table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Nanoseconds per line in the median round.
    pub ns_per_line: f64,
    /// Lines per second in the median round.
    pub lines_per_second: f64,
    /// The number of lines in the corpus.
    pub lines: u64,
    /// Nanoseconds per line in the fastest round.
    pub ns_per_line_min: f64,
    /// Nanoseconds per line in the slowest round.
    pub ns_per_line_max: f64,
    /// The number of rounds.
    pub rounds: u64,
    /// How many times each round ran the whole corpus.
    pub passes: u64,
    /// Instructions per line, as callgrind counts them; `None` if it is not installed or was not asked for.
    pub instructions_per_line: Option<f64>,
}

/// How many lines of the corpus ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Lines that validation refused.
    pub invalid: u64,
    /// Lines whose metric is on the blocklist.
    pub blocked: u64,
    /// Lines that an aggregator took and, with `drop_raw`, kept from the routes.
    pub aggregated_away: u64,
    /// Lines that no route took.
    pub unroutable: u64,
    /// Lines that a route took.
    pub routed: u64,
}

/// The build of the relay that was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BuildFacts {
    /// Seconds for all stages together.
    pub seconds: f64,
    /// Seconds for each stage by its name. If the runtime had not been compiled before, they include that.
    pub stages: BTreeMap<String, f64>,
    /// The size of the executable in bytes.
    pub binary_bytes: u64,
}

/// Another configuration's cost over the same lines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// The path of the configuration.
    pub config: String,
    /// The cost of its compiled table.
    pub compiled: Figures,
    /// How the lines end with it.
    pub outcomes: Outcomes,
}

/// What the table costs without some of its rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleCost {
    /// Where the first of the rules is written: `file:line`.
    pub place: String,
    /// The rules in words, such as "routes 3 to 5".
    pub rules: String,
    /// The number of rules left out.
    pub count: u64,
    /// The cost of the table without them.
    pub without: Figures,
    /// What the rules cost: instructions per line, averaged over all lines.
    pub instructions: Option<f64>,
    /// What they cost in nanoseconds per line, by the fastest rounds. A small figure is mostly noise.
    pub ns: f64,
}

/// The first rules of the table, measured alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GrowthPoint {
    /// The number of rules.
    pub rules: u64,
    /// The cost when compiled.
    pub compiled: Figures,
    /// The cost when interpreted.
    pub interpreted: Figures,
}

/// Why nothing was measured.
#[derive(Debug)]
pub enum BenchError {
    /// The program or the relay could not be built.
    Build(BuildError),
    /// The program could not be started.
    Start(io::Error),
    /// The program ended without the figures that it should print; with what it printed instead.
    Failed(String),
    /// Strategies could not be chosen for the lines.
    Traffic(TrafficError),
    /// The compiled table treats these lines otherwise than the interpreter does: a defect of static-relay.
    Disagreement {
        /// How the lines end in the compiled table.
        compiled: Outcomes,
        /// How the lines end in the interpreter.
        interpreted: Outcomes,
    },
}

/// Builds the relay and the tables and measures them. `progress` is called with a sentence before each step.
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
            // The interpreter asks every rule, so its growth shows clearly enough in time.
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

/// Builds the relay itself, to know its size and build time. Returns the digest of its plan with them.
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
        // The text in backticks differs from rule to rule; the rest is the kind of strategy.
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
