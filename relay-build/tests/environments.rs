//! `--env NAME`: what is laid over what, where values come from, and what is reported.

use relay_build::{
    config::{Checked, Options, Source, check_text},
    diagnostics::{Code, Severity, codes},
    testing,
};
use std::collections::BTreeMap;

const CONFIG: &str = "instance = 'a'
log_level = 'info'
bad_metrics_max_age = '24h'
blocklist = ['prefix ${DC}.']

[[route]]
key = 'all'
type = 'sendAllMatch'
destinations = ['10.0.0.1:2003']

[[route]]
key = 'web'
type = 'sendAllMatch'
prefix = 'web.'
destinations = ['10.0.0.2:2003']
";

const OVERLAY: &str = "
[env.prod]
Log_Level = 'warn'

[[env.prod.route]]
key = 'web'
destinations = ['10.1.0.2:2003']
stop = true

[[env.prod.route]]
key = 'audit'
type = 'sendAllMatch'
destinations = ['10.1.0.3:2003']

[env.prod.vars]
DC = 'ams'

[env.test]
blocklist = []
";

fn check(text: &str, environment: Option<&str>, file: Option<&str>, variables: &[(&str, &str)]) -> Checked {
    let options = Options {
        variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        environment: BTreeMap::from([("DC".to_owned(), "process".to_owned())]),
        environment_name: environment.map(str::to_owned),
        environment_file: file.map(|text| Source { path: "vars.prod.toml".into(), text: text.to_owned() }),
        ..Options::default()
    };
    check_text(Source { path: "relay.toml".into(), text: text.to_owned() }, &options)
}

fn blocked(checked: &Checked) -> String {
    assert!(!checked.has_errors(), "{:?} {:?}", checked.diagnostics, checked.files);
    checked.plan.table.blocklist[0].prefix.clone().unwrap_or_default()
}

fn errors(checked: &Checked) -> Vec<(Code, usize)> {
    let errors = checked.diagnostics.iter().filter(|one| one.severity == Severity::Error);
    errors
        .map(|one| {
            (one.code, one.place.as_ref().map_or(0, |(span, _)| checked.source.line_column(span.start).0))
        })
        .collect()
}

#[test]
fn an_overlay_replaces_values_merges_routes_by_key_and_adds_others() {
    let text = format!("{CONFIG}{OVERLAY}");
    let plain = check(&text, None, None, &[]);
    assert_eq!(plain.plan.settings.log_level, "info");
    assert_eq!(plain.plan.table.routes.len(), 2);
    let prod = check(&text, Some("prod"), None, &[]);
    assert!(!prod.has_errors(), "{:?}", prod.diagnostics);
    assert_eq!(prod.plan.settings.log_level, "warn");
    let keys: Vec<_> = prod.plan.table.routes.iter().map(|route| route.key.as_str()).collect();
    assert_eq!(keys, ["all", "web", "audit"]);
    assert_eq!(prod.plan.table.routes[1].matcher.prefix.as_deref(), Some("web."));
    assert!(prod.plan.table.routes[1].stop && !plain.plan.table.routes[1].stop);
    let addresses: Vec<_> = prod.plan.table.destinations.iter().map(|one| one.address.0.as_str()).collect();
    assert_eq!(addresses, ["10.0.0.1:2003", "10.1.0.2:2003", "10.1.0.3:2003"]);
    let test = check(&text, Some("test"), None, &[]);
    assert!(test.plan.table.blocklist.is_empty());
}

#[test]
fn values_come_from_the_command_line_then_the_file_then_the_overlay_then_the_process() {
    let text = format!("{CONFIG}{OVERLAY}");
    assert_eq!(blocked(&check(&text, None, None, &[])), "process.");
    assert_eq!(blocked(&check(&text, Some("prod"), None, &[])), "ams.");
    let file = Some("DC = \"fra\"\n");
    assert_eq!(blocked(&check(&text, Some("prod"), file, &[])), "fra.");
    let prod = check(&text, Some("prod"), file, &[("DC", "cli")]);
    assert_eq!(blocked(&prod), "cli.");
    assert_eq!(prod.variable_origins["DC"], "--var");
    assert_eq!(blocked(&check(CONFIG, Some("prod"), file, &[])), "fra.");
}

#[test]
fn an_unused_variable_of_an_environment_is_an_error_at_its_place() {
    let text = format!("{CONFIG}{OVERLAY}").replace("DC = 'ams'", "DC = 'ams'\nCD = 'x'");
    assert_eq!(errors(&check(&text, Some("prod"), None, &[])), [(codes::UNUSED_ENVIRONMENT_VARIABLE, 32)]);
    let checked = check(CONFIG, Some("prod"), Some("DC = 'a'\n# more\nCD = 'b'\n"), &[]);
    assert!(checked.has_errors() && checked.diagnostics.is_empty());
    let [file] = checked.files.as_slice() else { panic!("{:?}", checked.files) };
    let (span, _) = file.diagnostics[0].place.clone().expect("a place");
    assert_eq!(file.source.line_column(span.start), (3, 1));
    assert!(file.diagnostics[0].help.is_some());
    let given = check(CONFIG, Some("prod"), Some("DC = 'a'\n"), &[("TYPO", "1")]);
    assert_eq!(errors(&given), [(codes::UNUSED_VARIABLE, 0)]);
}

#[test]
fn an_environment_that_is_nowhere_is_an_error_that_names_the_others() {
    let checked = check(&format!("{CONFIG}{OVERLAY}"), Some("production"), None, &[]);
    assert_eq!(errors(&checked), [(codes::UNKNOWN_ENVIRONMENT, 17)]);
    let help = checked.diagnostics.iter().find_map(|one| one.help.clone()).unwrap();
    assert!(help.contains("`prod`, `test`"), "{help}");
}

#[test]
fn what_an_overlay_brings_is_checked_at_its_own_place() {
    let text = format!("{CONFIG}[env.prod]\nlog_levl = 'warn'\nmax_procs = 'many'\n");
    let checked = check(&text, Some("prod"), None, &[]);
    assert_eq!(errors(&checked), [(codes::WRONG_TYPE, 18)]);
    assert!(checked.diagnostics.iter().any(|one| one.code == codes::UNKNOWN_KEY));
    assert!(!check(&text, None, None, &[]).has_errors());
}

#[test]
fn a_secret_that_gets_into_the_relay_is_a_warning() {
    let amqp = |password: &str| {
        format!(
            "{CONFIG}[amqp]\namqp_enabled = true\namqp_host = 'h'\namqp_port = 1\namqp_password = '{password}'\n"
        )
    };
    let warned = |text: &str, variables: &[(&str, &str)]| {
        let checked = check(text, None, None, variables);
        checked.diagnostics.iter().any(|one| one.code == codes::LITERAL_SECRET && one.place.is_some())
    };
    assert!(warned(&amqp("hunter2"), &[]));
    assert!(!warned(&amqp("${AMQP_PASSWORD}"), &[]));
    assert!(warned(&amqp("${AMQP_PASSWORD}"), &[("AMQP_PASSWORD", "hunter2")]));
    // Also where it is off, or not said to be on: the whole file goes beside the relay.
    assert!(warned(&amqp("hunter2").replace("enabled = true", "enabled = false"), &[]));
    assert!(warned(&amqp("hunter2").replace("amqp_enabled = true\n", ""), &[]));
    let command = |text: &str| format!("{CONFIG}[init]\ncmds = [\"{text}\"]\n");
    let kafka = "addRoute kafkaMdm k  b:9092 t none s byOrg 1 saslPassword=";
    assert!(warned(&command(&format!("{kafka}hunter2")), &[]));
    assert!(!warned(&command(&format!("{kafka}${{SASL_PASSWORD}}")), &[]));
    let grafana = "addRoute grafanaNet g  https://h/metrics ";
    assert!(warned(&command(&format!("{grafana}hunter2 s")), &[]));
    assert!(!warned(&command(&format!("{grafana}${{GRAFANA_NET_API_KEY}} s")), &[]));
    let url = |url: &str| {
        format!(
            "{CONFIG}[[route]]\ntype = 'grafanaNet'\naddr = '{url}'\napiKey = '${{K}}'\nschemasFile = 's'\n"
        )
    };
    assert!(warned(&url("https://user:hunter2@h/metrics"), &[]));
    assert!(!warned(&url("https://user:${PASSWORD}@h/metrics"), &[]));
    assert!(!warned(&url("https://h/metrics"), &[]));
}

#[test]
fn tests_in_files_say_what_the_environment_gives() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("relay.test.toml");
    std::fs::write(&path, "[[test]]\nmetric = '${DC}.x'\nblocked_by = 'prefix ${DC}.'\n").unwrap();
    let mut checked = check(&format!("{CONFIG}{OVERLAY}"), Some("prod"), Some("DC = 'fra'\n"), &[]);
    let options = Options { environment_name: Some("prod".to_owned()), ..Options::default() };
    let files = testing::read_files(&mut checked, &[path], &options).unwrap();
    assert!(!checked.has_errors(), "{:?}", checked.files);
    assert_eq!(testing::run(&checked, &files).unwrap().failed(), 0);
}
