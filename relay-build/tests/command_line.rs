//! What commands print and with what they exit: `test`, `diff`, environments, and (ignored, for they compile relays) `build`,
//! `bench` and `verify`.

use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const CONFIG: &str = "instance = 'a'
log_level = 'info'
bad_metrics_max_age = '24h'
listen_addr = '127.0.0.1:0'
blocklist = ['prefix debug.']

[[route]]
key = 'web'
type = 'sendAllMatch'
prefix = 'web.'
destinations = ['127.0.0.1:22003']

[[route]]
key = 'hosts'
type = 'sendAllMatch'
regex = '^hosts\\.[a-z]+[0-9]{2}\\.'
destinations = ['127.0.0.1:22003', '127.0.0.1:22004']
";

const PASSING: &str = "\n[[test]]\nmetric = 'web.a'\nroutes = ['web']\n";
const FAILING: &str = "\n[[test]]\nname = 'debug'\nmetric = 'debug.a'\nroutes = ['web']\n";

fn relay_build(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relay-build"));
    command.current_dir(directory).args(arguments).env("NO_COLOR", "1").output().expect("relay-build starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(output)))
}

fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in files {
        fs::write(directory.path().join(name), text).expect("a file");
    }
    directory
}

#[test]
fn tests_in_the_configuration_and_beside_it_are_run() {
    let beside = FAILING.replace("routes = ['web']", "blocked = true");
    let place = directory(&[("relay.toml", &format!("{CONFIG}{PASSING}")), ("relay.test.toml", &beside)]);
    let output = relay_build(place.path(), &["test", "relay.toml", "--format", "json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let report = json(&output);
    assert_eq!((&report["tests"], &report["failed"]), (&2.into(), &0.into()));
    assert_eq!(report["coverage"]["unreached"][0]["rule"], "route `hosts`");
    assert_eq!(code(&relay_build(place.path(), &["test", "relay.toml", "--min-coverage", "90"])), 1);
    assert_eq!(code(&relay_build(place.path(), &["test", "relay.toml", "--min-coverage", "60"])), 0);
}

#[test]
fn an_aggregation_is_held_against_a_sample() {
    let rule = "\n[[aggregation]]\nfunction = 'sum'\nregex = '^web\\.cpu_(.*)'\nformat = 'web.$1'\n\
        interval = 10\nwait = 20\n";
    let place = directory(&[
        ("relay.toml", &format!("{CONFIG}{rule}")),
        ("taken.txt", "web.cpu_user 1 1700000000\n"),
        ("not.txt", "web.cpu.user 1 1700000000\nno line\n"),
        ("none.txt", "no line\n"),
    ]);
    let check = |sample| {
        relay_build(place.path(), &["check", "relay.toml", "--deny", "warnings", "--sample", sample])
    };
    assert_eq!(code(&check("taken.txt")), 0, "{}", stderr(&check("taken.txt")));
    let refused = check("not.txt");
    assert_eq!(code(&refused), 1);
    assert!(
        stderr(&refused).contains("R0509") && stderr(&refused).contains("web.cpu_"),
        "{}",
        stderr(&refused)
    );
    for unusable in ["none.txt", "missing.txt"] {
        assert_eq!(code(&check(unusable)), 1);
        assert!(stderr(&check(unusable)).contains(unusable));
    }
}

#[test]
fn a_failing_test_says_where_and_makes_no_artifact() {
    let place = directory(&[("relay.toml", &format!("{CONFIG}{FAILING}"))]);
    let output = relay_build(place.path(), &["test", "relay.toml"]);
    assert_eq!(code(&output), 1);
    let text = stdout(&output);
    assert!(text.contains("relay.toml:19: debug") && text.contains("routes: wanted web, got none"), "{text}");
    let xml = stdout(&relay_build(place.path(), &["test", "relay.toml", "--format", "junit"]));
    assert!(xml.contains("failures=\"1\"") && xml.contains("line=\"19\""), "{xml}");
    let built = relay_build(place.path(), &["build", "relay.toml", "--out", "dist"]);
    assert_eq!(code(&built), 1);
    assert!(stderr(&built).contains("nothing was built"), "{}", stderr(&built));
    assert!(!place.path().join("dist").exists());
}

#[test]
fn a_problem_in_a_file_of_tests_is_reported_there() {
    let place =
        directory(&[("relay.toml", CONFIG), ("more.toml", "[[test]]\nmetric = 'a'\nroutes = ['wb']\n")]);
    let output = relay_build(place.path(), &["test", "relay.toml", "--tests", "m*.toml"]);
    assert_eq!(code(&output), 1);
    let text = stderr(&output);
    assert!(text.contains("R1002") && text.contains("more.toml:1") && text.contains("`web`"), "{text}");
}

#[test]
fn a_comparison_exits_with_0_1_or_2() {
    let other = CONFIG.replace("prefix debug.", "prefix debu");
    let place =
        directory(&[("old.toml", CONFIG), ("new.toml", &other), ("names.txt", "debut.x\nweb.a 1 2\n")]);
    let same = relay_build(place.path(), &["diff", "old.toml", "old.toml"]);
    assert_eq!(code(&same), 0, "{}{}", stdout(&same), stderr(&same));
    let output = relay_build(
        place.path(),
        &["diff", "old.toml", "new.toml", "--format", "json", "--corpus", "names.txt"],
    );
    assert_eq!(code(&output), 1);
    let report = json(&output);
    assert_eq!((&report["equal"], &report["exact"]), (&false.into(), &true.into()));
    assert_eq!(report["kinds"][0]["witness"], "debu");
    assert_eq!(report["corpus"]["list"][0][0], "debut.x");
    let markdown =
        stdout(&relay_build(place.path(), &["diff", "old.toml", "new.toml", "--format", "markdown"]));
    assert!(markdown.contains("| newly blocked | `debu` | by automata |"), "{markdown}");
    assert_eq!(code(&relay_build(place.path(), &["diff", "old.toml", "none.toml"])), 2);
}

/// Starts relay-build with a stdout of the caller's choice. Returns its exit code and what it printed on stderr.
fn with_stdout(arguments: &[&str], stdout: impl Into<std::process::Stdio>) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relay-build"));
    let output =
        command.args(arguments).env("NO_COLOR", "1").stdout(stdout).output().expect("relay-build starts");
    (output.status.code(), stderr(&output))
}

/// A command for each way in which commands print.
fn printing(place: &Path) -> Vec<Vec<String>> {
    let config = place.join("relay.toml").display().to_string();
    let commands: [&[&str]; 12] = [
        &["schema"],
        &["explain-code"],
        &["explain-code", "R0203"],
        &["completions", "bash"],
        &["man"],
        &["check", &config, "--format", "json"],
        &["test", &config],
        &["test", &config, "--format", "junit"],
        &["test", &config, "--format", "json"],
        &["diff", &config, &config],
        &["explain", &config],
        &["explain", &config, "web.a"],
    ];
    commands.iter().map(|words| words.iter().map(|word| (*word).to_owned()).collect()).collect()
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure_and_a_full_device_is_one() {
    let place = directory(&[("relay.toml", &format!("{CONFIG}{PASSING}"))]);
    for words in printing(place.path()) {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let (code, said) = with_stdout(&words, writer);
        assert_eq!((code, said.contains("panicked")), (Some(0), false), "{words:?}: {said}");
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
        let (code, said) = with_stdout(&words, full);
        let is_failure = code != Some(0) && code.is_some();
        assert!(
            is_failure && said.contains("No space left") && !said.contains("panicked"),
            "{words:?}: {code:?} {said}"
        );
    }
}

#[test]
fn a_full_device_on_stderr_changes_no_exit_code() {
    let place = directory(&[("relay.toml", CONFIG)]);
    for (file, want) in [("relay.toml", 0), ("none.toml", 1)] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
        let mut command = Command::new(env!("CARGO_BIN_EXE_relay-build"));
        let status = command.args(["check", file]).current_dir(place.path()).stderr(full).status();
        assert_eq!(status.expect("relay-build starts").code(), Some(want), "{file}");
    }
}

#[test]
fn denied_warnings_say_why_a_configuration_is_refused() {
    let place =
        directory(&[("relay.toml", &format!("{CONFIG}{}", CONFIG.split_once("\n\n").expect("routes").1))]);
    let said = stderr(&relay_build(place.path(), &["check", "relay.toml", "--deny", "warnings"]));
    assert!(said.contains("refused because of `--deny warnings`"), "{said}");
    let said = stderr(&relay_build(place.path(), &["check", "relay.toml"]));
    assert!(!said.contains("refused") && said.contains("R0809") | said.contains("R0808"), "{said}");
}

#[test]
fn a_missing_file_is_json_where_json_is_asked_for() {
    let place = directory(&[]);
    for command in ["check", "build", "test", "trace", "explain", "bench"] {
        let output = relay_build(place.path(), &[command, "none.toml", "--format", "json"]);
        assert_eq!(code(&output), 1, "{command}");
        let found = json(&output);
        let message = found[0]["message"].as_str().unwrap_or_default();
        assert!(message.contains("none.toml") && found[0]["severity"] == "error", "{command}: {found}");
    }
    let output = relay_build(place.path(), &["diff", "none.toml", "none.toml", "--format", "json"]);
    assert_eq!((code(&output), &json(&output)[0]["file"]), (2, &"none.toml".into()));
}

#[test]
fn help_lists_each_format_and_a_command_without_it_refuses_it() {
    let place = directory(&[("relay.toml", CONFIG)]);
    let help = stdout(&relay_build(place.path(), &["test", "--help"]));
    for format in ["text", "json", "junit", "markdown"] {
        assert!(help.contains(format), "{format} in {help}");
    }
    for (command, format) in [("check", "junit"), ("test", "markdown"), ("build", "markdown")] {
        let output = relay_build(place.path(), &[command, "relay.toml", "--format", format]);
        assert_eq!(code(&output), 2, "{command} {format}");
        assert!(stderr(&output).contains(format), "{}", stderr(&output));
    }
}

#[test]
fn a_configuration_without_routes_is_warned_of_before_it_is_a_relay() {
    let place = directory(&[("relay.toml", CONFIG.split_once("\n\n").expect("routes").0)]);
    let output = relay_build(place.path(), &["check", "relay.toml"]);
    assert!(code(&output) == 0 && stderr(&output).contains("R0815"), "{}", stderr(&output));
    assert!(stderr(&output).contains("0 routes to 0 destinations"), "{}", stderr(&output));
    assert!(!stderr(&relay_build(place.path(), &["explain", "relay.toml"])).contains("R0815"));
}

#[test]
fn check_counts_in_words_and_says_what_most_memory_is_for() {
    let one = CONFIG.split("\n\n").take(2).collect::<Vec<_>>().join("\n\n");
    let place = directory(&[("relay.toml", &one), ("two.toml", CONFIG)]);
    let said = |file| stderr(&relay_build(place.path(), &["check", file]));
    assert!(said("relay.toml").contains("1 route to 1 destination, 0 rewriters"), "{}", said("relay.toml"));
    assert!(said("two.toml").contains("2 routes to 2 destinations"), "{}", said("two.toml"));
    let many: Vec<String> = (1..=200).map(|port| format!("'127.0.0.1:{port}'")).collect();
    let many = one.replace("'127.0.0.1:22003'", &many.join(", "));
    fs::write(place.path().join("many.toml"), many).expect("a file");
    let text = said("many.toml");
    assert!(text.contains("queues of 200 destinations") && text.contains("`memory`"), "{text}");
}

#[test]
fn explain_shows_the_whole_names_of_outputs() {
    let rule = "\n[[aggregation]]\nfunctions = ['sum', 'p95']\nregex = '^web\\.cpu_(.*)'\nformat = 'cpu.$1'\n\
        interval = 10\nwait = 20\n";
    let place = directory(&[("relay.toml", &format!("{CONFIG}{rule}"))]);
    let plan = stdout(&relay_build(place.path(), &["explain", "relay.toml"]));
    assert!(plan.contains("cpu.$1.sum, cpu.$1.p95"), "{plan}");
    let way = stdout(&relay_build(place.path(), &["explain", "relay.toml", "web.cpu_user"]));
    assert!(way.contains("takes it into cpu.user.sum, cpu.user.p95"), "{way}");
}

#[test]
fn completions_and_manual_pages_are_made_for_both_programs() {
    let place = directory(&[]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        for (program, word) in [("relay-build", "explain-code"), ("relay", "drain")] {
            let output = relay_build(place.path(), &["completions", shell, "--program", program]);
            assert!(code(&output) == 0 && stdout(&output).contains(word), "{shell} {program}");
        }
    }
    assert_eq!(code(&relay_build(place.path(), &["man", "--out", "man1"])), 0);
    for page in ["relay-build.1", "relay-build-check.1", "relay.1", "relay-spool-drain.1"] {
        let text = fs::read_to_string(place.path().join("man1").join(page)).expect(page);
        assert!(text.contains(".TH") && text.contains(".SH"), "{page}");
    }
}

#[test]
fn explain_shows_what_an_environment_changes_and_whose_values_won() {
    let text = format!("{}\n[env.prod]\nlog_level = 'warn'\n", CONFIG.replace("debug.", "${DC}."));
    let place = directory(&[("relay.toml", &text), ("vars.prod.toml", "DC = \"ams\"\n")]);
    let output = relay_build(place.path(), &["explain", "relay.toml", "--env", "prod"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("environment prod") && text.contains("`log_level` replaces"), "{text}");
    assert!(text.contains("DC = ams") && text.contains("from the named environment"), "{text}");
    assert_eq!(code(&relay_build(place.path(), &["check", "relay.toml", "--env", "staging"])), 1);
    fs::write(place.path().join("vars.prod.toml"), "DC = \"ams\"\nCD = \"x\"\n").unwrap();
    let output = relay_build(place.path(), &["check", "relay.toml", "--env", "prod"]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("vars.prod.toml:2:1"), "{}", stderr(&output));
}

#[test]
fn explain_names_route_types_as_a_configuration_does() {
    let types = ["consistentHashing", "carbon_ch", "fnv1a_ch", "mmh3_ch", "jump_fnv1a_ch"];
    let route = |kind| {
        format!(
            "[[route]]\nkey = '{kind}'\ntype = '{kind}'\ndestinations = ['127.0.0.1:2103', '127.0.0.1:2104']\n"
        )
    };
    let text = format!("{CONFIG}\n{}", types.map(route).concat());
    let place = directory(&[("relay.toml", &text)]);
    let shown = stdout(&relay_build(place.path(), &["explain", "relay.toml", "web.a"]));
    for kind in types {
        assert!(shown.contains(&format!("{kind} of 2 destinations")), "{kind}: {shown}");
    }
}

#[test]
fn explain_ends_where_a_route_stops() {
    let route = |key, more| {
        format!(
            "[[route]]\nkey = '{key}'\ntype = 'sendAllMatch'\n{more}\ndestinations = ['127.0.0.1:2103']\n"
        )
    };
    let routes =
        [route("first", "prefix = 'a.'\nstop = true"), route("second", ""), route("third", "stop = true")];
    let text =
        format!("instance = 'a'\nlog_level = 'info'\nbad_metrics_max_age = '24h'\n{}", routes.concat());
    let place = directory(&[("relay.toml", &text)]);
    let way = stdout(&relay_build(place.path(), &["explain", "relay.toml", "a.b"]));
    assert!(way.contains("`first`") && way.contains("matches, and no later route is asked"), "{way}");
    assert!(!way.contains("`second`"), "{way}");
    let plan = stdout(&relay_build(place.path(), &["explain", "relay.toml"]));
    assert!(plan.contains("`first` sendAllMatch prefix=a., stops"), "{plan}");
    // Nothing comes after the third.
    assert_eq!(plan.matches("later routes do not get what it matches").count(), 1, "{plan}");
}

#[test]
#[ignore = "compiles relays"]
fn a_benchmark_has_figures_for_the_compiled_and_the_interpreted_table() {
    let place = directory(&[
        ("relay.toml", CONFIG),
        ("lines.txt", "web.a 1 1700000000\ndebug.a 1 1700000000\nbad\n"),
    ]);
    let arguments = ["bench", "relay.toml", "--corpus", "lines.txt", "--format", "json", "--rounds", "3"];
    let output =
        relay_build(place.path(), &[&arguments[..], &["--save-baseline", "base.json", "--rules"]].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let report = json(&output);
    for engine in ["compiled", "interpreted"] {
        let figures = &report[engine];
        let number = |key: &str| figures[key].as_f64().unwrap_or_else(|| panic!("{engine} {key}: {figures}"));
        assert!(number("ns_per_line") > 0.0 && number("lines_per_second") > 0.0);
        assert_eq!(figures["lines"], 3);
        assert!(
            number("ns_per_line_min") <= number("ns_per_line")
                && number("ns_per_line") <= number("ns_per_line_max")
        );
    }
    let outcomes = &report["outcomes"];
    assert_eq!(
        (&outcomes["invalid"], &outcomes["blocked"], &outcomes["routed"]),
        (&1.into(), &1.into(), &1.into())
    );
    assert_eq!(report["rules"].as_array().map(Vec::len), Some(3));
    assert!(report["build"]["binary_bytes"].as_u64().unwrap() > 100_000);
    // The same again is no regression; a limit that nothing can meet is not met.
    let again = relay_build(
        place.path(),
        &[&arguments[..], &["--baseline", "base.json", "--max-regression", "400%"]].concat(),
    );
    assert_eq!(code(&again), 0, "{}{}", stdout(&again), stderr(&again));
    let text = relay_build(place.path(), &["bench", "relay.toml", "--rounds", "3", "--max-ns", "0.001"]);
    assert_eq!(code(&text), 1);
    assert!(stdout(&text).contains("compiled") && stdout(&text).contains("not met"), "{}", stdout(&text));
}

#[test]
#[ignore = "compiles relays"]
fn an_artifact_says_what_it_is_and_is_the_same_when_built_again() {
    let text = format!("{CONFIG}{PASSING}").replace("debug.", "${DC}.");
    let place = directory(&[("relay.toml", &text), ("vars.prod.toml", "DC = \"ams\"\n")]);
    let elsewhere = directory(&[("relay.toml", &text), ("vars.prod.toml", "DC = \"ams\"\n")]);
    for place in [&place, &elsewhere] {
        let output = relay_build(place.path(), &["build", "relay.toml", "--env", "prod", "--out", "dist"]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
    }
    for file in ["relay", "manifest.json", "sbom.cdx.json", "inputs.json"] {
        let read = |place: &tempfile::TempDir| fs::read(place.path().join("dist").join(file)).unwrap();
        assert!(read(&place) == read(&elsewhere), "{file} differs");
    }
    let file = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(place.path().join("dist").join(name)).unwrap()).unwrap()
    };
    let manifest = file("manifest.json");
    assert_schema(&manifest);
    assert_eq!(manifest["environment"], "prod");
    assert_eq!(manifest["variables"], serde_json::json!(["DC"]));
    let relay = place.path().join("dist/relay");
    let said = |argument: &str| Command::new(&relay).arg(argument).output().expect("the relay starts").stdout;
    let embedded: Value = serde_json::from_slice(&said("--manifest")).unwrap();
    assert_eq!(embedded["plan_sha256"], manifest["plan_sha256"]);
    let version = String::from_utf8(said("--version")).unwrap();
    for key in ["config", "config_sha256", "environment", "plan_sha256", "tool", "version", "rustc", "target"]
    {
        let value = manifest[key].as_str().unwrap();
        assert!(version.contains(value), "{key} {value} in {version}");
    }
    assert!(String::from_utf8_lossy(&said("--config")).contains("ams."));
    let components = file("sbom.cdx.json")["components"].as_array().unwrap().clone();
    let names: Vec<_> = components.iter().filter_map(|one| one["name"].as_str()).collect();
    assert!(names.contains(&"mio") && names.contains(&"relay-runtime"), "{names:?}");
    // What tests, build scripts and other systems need is in no relay.
    for absent in ["proptest", "serde_derive", "syn", "winapi", "windows-sys", "wasi", "insta"] {
        assert!(!names.contains(&absent), "{absent} is not linked");
    }
    let without = components.iter().filter(|one| one["licenses"][0]["expression"].as_str().is_none());
    assert_eq!(without.count(), 0, "each has a licence: {components:#?}");
    let verified = relay_build(place.path(), &["verify", "dist"]);
    assert_eq!(code(&verified), 0, "{}", stderr(&verified));
    fs::write(&relay, b"something else").unwrap();
    assert_eq!(code(&relay_build(place.path(), &["verify", "dist"])), 1);
}

/// What docs/manifest.schema.json demands, as far as it does: the keys and their types.
fn assert_schema(manifest: &Value) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/manifest.schema.json");
    let schema: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    for key in schema["required"].as_array().unwrap() {
        assert!(manifest.get(key.as_str().unwrap()).is_some(), "{key} is missing");
    }
    for (key, value) in manifest.as_object().unwrap() {
        let property = properties.get(key).unwrap_or_else(|| panic!("{key} is not in the schema"));
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let allowed = &property["type"];
        assert!(
            allowed == kind || allowed.as_array().is_some_and(|all| all.contains(&kind.into())),
            "{key}: {value}"
        );
    }
}

#[test]
fn what_cannot_be_packaged_is_refused_before_anything_is_compiled() {
    let directory = directory(&[("relay.toml", CONFIG)]);
    let build = |arguments: &[&str]| {
        let output = relay_build(
            directory.path(),
            &[&["build", "relay.toml", "--package", "k8s"], arguments].concat(),
        );
        assert!(!directory.path().join("dist").exists());
        (code(&output), stderr(&output))
    };
    let (failed, said) = build(&[]);
    assert!(failed == 1 && said.contains("`127.0.0.1:0` has no port yet"), "{said}");
    let (failed, said) = build(&["--package-name", "My Relay"]);
    assert!(failed == 1 && said.contains("--package-name"), "{said}");
    let (failed, said) = build(&["--emit", "source"]);
    assert!(failed == 2 && said.contains("--emit source"), "{said}");
    let (failed, said) = build(&["--package", "rpm"]);
    assert!(failed == 2 && said.contains("systemd, deb, docker, tar, k8s"), "{said}");
}
