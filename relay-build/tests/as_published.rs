//! Configurations as people publish them: what they mean here, and what is said of them.

use relay_build::{
    config::{Checked, Options, Source, check_text},
    diagnostics::{Code, Diagnostic, Severity, codes},
};
use relay_runtime::{
    admission::Admission,
    interpret::Interpreter,
    table::{HashAlgorithm, RouteKind},
    trace::Tracer,
};

const MANDATORY: &str = "instance = 'relay1'\nlog_level = 'info'\nbad_metrics_max_age = '24h'\n";
const ROUTE: &str = "[[route]]\nkey = 'all'\ntype = 'sendAllMatch'\ndestinations = ['127.0.0.1:2103']\n";

fn check(text: &str) -> Checked {
    check_text(Source { path: "relay.toml".into(), text: format!("{MANDATORY}{text}") }, &Options::default())
}

#[track_caller]
fn find(checked: &Checked, code: Code) -> Diagnostic {
    let found = checked.diagnostics.iter().find(|one| one.code == code);
    found.unwrap_or_else(|| panic!("no {code}: {:#?}", checked.diagnostics)).clone()
}

#[track_caller]
fn assert_no_errors(checked: &Checked) {
    assert!(!checked.has_errors(), "{:#?}", checked.diagnostics);
}

/// The metric after the rewriters.
fn rewritten(checked: &Checked, name: &str) -> Option<String> {
    let interpreter = Interpreter::new(&checked.plan.table).unwrap();
    let admission = Admission::of(&checked.plan, |_| None);
    let mut tracer = Tracer::new(&checked.plan.table, &interpreter, admission);
    tracer.trace(format!("{name} 1 1700000000").as_bytes(), 1_700_000_000).rewritten
}

fn rewriter(old: &str, new: &str) -> Checked {
    check(&format!("{ROUTE}[[rewriter]]\nold = '{old}'\nnew = '{new}'\nmax = -1\n"))
}

#[test]
fn doubled_braces_mean_plain_ones_and_are_a_note() {
    for new in ["${{1}}_all", "${{dc}}_all", "${1}_all", "${dc}_all"] {
        let checked = rewriter("/^(?P<dc>[a-z]+)$/", new);
        assert_no_errors(&checked);
        assert_eq!(rewritten(&checked, "ams").as_deref(), Some("ams_all"), "{new}");
        let notes: Vec<_> = checked.diagnostics.iter().map(|one| (one.code, one.severity)).collect();
        let want =
            if new.contains("{{") { vec![(codes::DOUBLED_BRACES, Severity::Note)] } else { Vec::new() };
        assert_eq!(notes, want, "{new}");
    }
    let aggregation = "[[aggregation]]\nfunction = 'sum'\nregex = '^(a)\\.'\nformat = 'sum.${{1}}'\ninterval = 10\nwait = 20\n";
    assert_eq!(check(&format!("{ROUTE}{aggregation}")).plan.table.aggregators[0].format, "sum.${1}");
    let commands = "[init]\ncmds = ['addRewriter /^(a)$/ x_${{1}} -1', 'addAgg sum ^(a)$ s.${{1}} 10 20']\n";
    let table = check(&format!("{commands}{ROUTE}")).plan.table;
    assert_eq!((table.rewriters[0].new.as_str(), table.aggregators[0].format.as_str()), ("x_${1}", "s.${1}"));
    assert_eq!(find(&rewriter("/^(a)$/", "${{b}}"), codes::UNKNOWN_GROUP).severity, Severity::Warning);
}

#[test]
fn groups_are_named_in_both_forms() {
    let checked = rewriter(r"/^telegraf\.(?<host>[^.]+)\.(?<metric>.*)/", "${host}.telegraf.$metric");
    assert_no_errors(&checked);
    assert_eq!(rewritten(&checked, "telegraf.web1.cpu.user").as_deref(), Some("web1.telegraf.cpu.user"));
}

#[test]
fn a_plain_old_that_is_plainly_a_regex_is_a_warning() {
    for old in [r"^stats\.(.*)$", "^a", "b$", "a.*b", "[^.]+x"] {
        let warning = find(&rewriter(old, "x"), codes::PLAIN_REGEX);
        assert!(warning.help.unwrap().contains(&format!("old = '/{old}/'")));
    }
    for old in ["a.b", "/^a/", "[x]", "a+b", "(a)"] {
        let checked = rewriter(old, "x");
        assert!(checked.diagnostics.iter().all(|one| one.code != codes::PLAIN_REGEX), "{old}");
    }
}

#[test]
fn outputs_that_cannot_be_names_are_errors() {
    let format = |format: &str| {
        check(&format!(
            "{ROUTE}[[aggregation]]\nfunction = 'sum'\nregex = '^(a)'\nformat = '{format}'\ninterval = 10\nwait = 20\n"
        ))
    };
    assert_eq!(find(&format("sum of $1"), codes::UNUSABLE_OUTPUT).severity, Severity::Error);
    assert_eq!(find(&format("sum.{{ dc }}.$1"), codes::UNRENDERED).severity, Severity::Error);
    assert_eq!(find(&format("sum.{{dc}}.$1"), codes::UNRENDERED).severity, Severity::Error);
    assert_eq!(find(&rewriter("a", "{{ dc }}"), codes::UNRENDERED).severity, Severity::Error);
    let prefix = ROUTE.replace("key = 'all'", "prefix = '{{ dc }}.'");
    assert_eq!(find(&check(&prefix), codes::UNRENDERED).severity, Severity::Warning);
    assert_no_errors(&format("sum.$1"));
}

#[test]
fn a_route_to_this_relays_own_input_is_a_loop() {
    let to = |listen: &str, more: &str| {
        check(&format!("{listen}\n{}{more}", ROUTE.replace("'127.0.0.1:2103'", "'127.0.0.1:2003', 'h:2003'")))
    };
    assert_eq!(find(&to("listen_addr = ':2003'", ""), codes::ROUTE_LOOP).severity, Severity::Error);
    assert_eq!(find(&to("pickle_addr = '0.0.0.0:2003'", ""), codes::ROUTE_LOOP).severity, Severity::Error);
    assert_no_errors(&to("listen_addr = ':2013'", ""));
    // What comes back has another name, which the route does not take.
    let once = "blocklist = ['prefix x.']\n";
    let renamed = "[[rewriter]]\nold = '/^/'\nnew = 'x.'\nmax = -1\n";
    assert_no_errors(&to(&format!("listen_addr = ':2003'\n{once}"), renamed));
}

#[test]
fn doubled_backslashes_in_a_literal_string_are_a_warning() {
    let regex = |regex: &str| check(&ROUTE.replace("key = 'all'", &format!("regex = '{regex}'")));
    let warning = find(&regex(r"^foo\\..*"), codes::DOUBLED_BACKSLASH);
    assert!(warning.help.unwrap().contains(r"`'^foo\..*'`"));
    for fine in [r"^foo\..*", r"a\\\\b", r"[\\]", r"a\\b"] {
        assert!(regex(fine).diagnostics.iter().all(|one| one.code != codes::DOUBLED_BACKSLASH), "{fine}");
    }
}

#[test]
fn a_global_key_below_a_section_is_to_be_moved_up() {
    let checked = check(&format!("[amqp]\namqp_enabled = false\nblacklist = ['prefix a.']\n{ROUTE}"));
    let help = find(&checked, codes::UNKNOWN_KEY).help.unwrap();
    assert!(help.starts_with("move `blacklist` up"), "{help}");
}

#[test]
fn commands_where_they_stood_before_0_9_are_checked_in_the_same_run() {
    let checked = check(&format!("init = [\n 'addBlock prefix a.',\n 'addBlok prefix b.',\n]\n{ROUTE}"));
    assert!(find(&checked, codes::OLD_INIT).help.unwrap().contains("`[init]`"));
    assert!(find(&checked, codes::UNKNOWN_COMMAND).message.contains("addBlok"));
    assert_eq!(checked.plan.table.blocklist.len(), 1);
}

#[test]
fn a_command_whose_key_was_forgotten_is_refused() {
    for command in [
        "addRoute sendAllMatch prefix=a  127.0.0.1:2003",
        "addRoute blackhole notRegex=a",
        "addRoute grafanaNet sub=a  https://h/metrics k s",
        "modRoute prefix=b",
        "modDest prefix=b 0 prefix=c",
        "delRoute sub=b",
        "addAgg sum ^a cache=true 10 20",
    ] {
        let checked = check(&format!("[init]\ncmds = ['{command}']\n{ROUTE}"));
        assert_eq!(find(&checked, codes::MALFORMED_COMMAND).severity, Severity::Error, "{command}");
    }
}

#[test]
fn too_few_destinations_are_counted_for_the_type_that_was_written() {
    let route = |kind: &str, destinations: &str| {
        check(&format!("[[route]]\nkey = 'r'\ntype = '{kind}'\ndestinations = [{destinations}]\n"))
    };
    for kind in ["consistentHashing", "consistentHashing-v2"] {
        let found = find(&route(kind, "'127.0.0.1:2103'"), codes::TOO_FEW_DESTINATIONS);
        assert!(
            found.message.contains(&format!("`{kind}` needs at least 2 destinations")),
            "{}",
            found.message
        );
    }
    for kind in
        HashAlgorithm::ALL.map(HashAlgorithm::name).into_iter().filter(|name| *name != "consistentHashing")
    {
        assert!(find(&route(kind, ""), codes::TOO_FEW_DESTINATIONS).message.contains(&format!("`{kind}`")));
        let checked = route(kind, "'127.0.0.1:2103'");
        assert_no_errors(&checked);
        let RouteKind::ConsistentHash(ring) = &checked.plan.table.routes[0].kind else { panic!("{kind}") };
        assert_eq!(ring.destinations.len(), 1);
        let interpreter = Interpreter::new(&checked.plan.table).unwrap();
        let admission = Admission::of(&checked.plan, |_| None);
        let mut tracer = Tracer::new(&checked.plan.table, &interpreter, admission);
        let trace = tracer.trace(b"a.b 1 1700000000", 1_700_000_000);
        assert_eq!(trace.routes[0].destinations, ["127.0.0.1:2103"], "{kind}");
    }
}

#[test]
fn every_malformed_value_has_a_help_of_its_own() {
    let help = |text: &str, code: Code| find(&check(&format!("{text}\n{ROUTE}")), code).help.unwrap();
    for (listen, want) in [
        ("0.0.0.0:99999", "0.0.0.0:2003"),
        ("0.0.0.0:99999:2003", "0.0.0.0:2003"),
        ("2003", ":2003"),
        ("host", "host:2003"),
        ("host:", "host:2003"),
        ("::1", "[::1]:2003"),
        ("[::1]", "[::1]:2003"),
    ] {
        assert_eq!(
            help(&format!("listen_addr = '{listen}'"), codes::LISTEN_ADDRESS),
            format!("write `listen_addr = \"{want}\"`"),
            "{listen}"
        );
        assert_no_errors(&check(&format!("listen_addr = '{want}'\n{ROUTE}")));
    }
    let duplicate = help("max_procs = 1\nmax_procs = 2", codes::SYNTAX);
    assert_eq!(duplicate, "remove one of the two");
    for (duration, want) in [("120", "120s"), ("1d", "24h"), ("5 min", "5m"), ("soon", "90s")] {
        let help = help(&format!("plain_read_timeout = '{duration}'"), codes::MALFORMED_DURATION);
        assert_eq!(help, format!("write `plain_read_timeout = \"{want}\"`"));
    }
    for (regex, want) in [
        ("(a", "write `(a)`"),
        ("a)", r"write `a\)`"),
        ("[a", "write `[a]`"),
        ("*.a", r"write `\*.a`"),
        ("a**", "write `a*`"),
        (r"a\y", r"write `a\\y`"),
        (r"a\", r"write `a\\`"),
        ("[z-a]", "write `[a-z]`"),
    ] {
        let checked = check(&ROUTE.replace("key = 'all'", &format!("regex = '{regex}'")));
        assert_eq!(find(&checked, codes::MALFORMED_REGEX).help.unwrap(), want, "{regex}");
    }
    let ahead = check(&ROUTE.replace("key = 'all'", "regex = 'a(?!b)'"));
    assert!(find(&ahead, codes::MALFORMED_REGEX).help.unwrap().contains("notRegex"));
}

#[test]
fn a_typing_error_in_a_rule_is_an_error_with_the_nearest_key() {
    let rules = [
        (ROUTE.replace("key = 'all'", "prefx = 'servers.'"), "`prefix`"),
        (
            "[[route]]\ntype = 'sendAllMatch'\n[[route.destination]]\naddress = 'h:2003'\nspol = true\n"
                .to_owned(),
            "`spool`",
        ),
        (format!("{ROUTE}[[rewriter]]\nold = 'a'\nnew = 'b'\nmx = 1\nmax = 1\n"), "`max`"),
        (
            format!(
                "{ROUTE}[[aggregation]]\nfunction = 'sum'\nregex = '^a'\nformat = 'b'\ninterval = 10\nwait = 20\nprefx = 'a'\n"
            ),
            "`prefix`",
        ),
        (format!("{ROUTE}[[test]]\nmetric = 'a'\nroutes = ['all']\nacepted = true\n"), "`accepted`"),
        (ROUTE.replace("[[route]]", "[[rout]]"), "`route`"),
    ];
    for (text, near) in rules {
        let found = find(&check(&text), codes::UNKNOWN_KEY);
        assert_eq!(found.severity, Severity::Error, "{text}");
        assert!(found.help.unwrap().contains(near), "{text}");
        let options = Options { allow_unknown_keys: true, ..Options::default() };
        let text = format!("{MANDATORY}{text}");
        let checked = check_text(Source { path: "relay.toml".into(), text }, &options);
        assert_eq!(find(&checked, codes::UNKNOWN_KEY).severity, Severity::Warning);
    }
    assert_eq!(
        find(&check(&format!("listen_adr = ':1'\n{ROUTE}")), codes::UNKNOWN_KEY).severity,
        Severity::Warning
    );
}

#[test]
fn every_mistake_of_a_file_is_found_in_one_run() {
    let checked = check(
        "listen_addr = '0.0.0.0:99999'\nplain_read_timeout = '1d'\nlisten_adr = ':1'\nblocklist = ['prefix', 'regex (']\n\
         [[rewriter]]\nold = '^a'\nnew = '{{ dc }}'\nmax = -2\n\
         [[aggregation]]\nfunction = 'mean'\nregex = '^(a)'\nformat = 'b c'\ninterval = 0\n\
         [[route]]\nkey = 'one'\ntype = 'sendAllMatches'\nprefx = 'x'\ndestinations = ['127.0.0.1', 'h:99999 flsh=1']\n\
         [[route]]\nkey = 'two'\ntype = 'sendAllMatch'\ndestinations = ['h:2003 flush=x', '127.0.0.1:2103']\n\
         [[route]]\nkey = 'two'\ntype = 'carbon_ch'\nregex = 'a**'\ndestinations = []\n\
         [[route]]\nkey = 'three'\ntype = 'blackhole'\n\
         [[route]]\nkey = 'three'\ntype = 'blackhole'\nprefix = 'a'\n",
    );
    let mut found: Vec<_> = checked.diagnostics.iter().map(|one| one.code).collect();
    for want in [
        codes::LISTEN_ADDRESS,
        codes::MALFORMED_DURATION,
        codes::UNKNOWN_KEY,
        codes::UNKNOWN_KEY,
        codes::MALFORMED_BLOCKLIST_ENTRY,
        codes::MALFORMED_REGEX,
        codes::MALFORMED_REGEX,
        codes::PLAIN_REGEX,
        codes::UNRENDERED,
        codes::MALFORMED_MAX,
        codes::UNKNOWN_FUNCTION,
        codes::UNUSABLE_OUTPUT,
        codes::ZERO_INTERVAL,
        codes::UNKNOWN_ROUTE_TYPE,
        codes::NO_PORT,
        codes::NO_PORT,
        codes::UNKNOWN_OPTION,
        codes::MALFORMED_OPTION,
        codes::TOO_FEW_DESTINATIONS,
        codes::DUPLICATE_ROUTE_KEY,
    ] {
        let at = found.iter().position(|code| *code == want);
        found.remove(at.unwrap_or_else(|| panic!("no {want} among {found:?}")));
    }
}

#[test]
fn suggestions_are_what_was_meant_or_one_of_all() {
    let help = |text: &str, code: Code| find(&check(&format!("{text}\n{ROUTE}")), code).help.unwrap();
    let level = |level: &str| {
        let text = format!("{}{ROUTE}", MANDATORY.replace("'info'", &format!("'{level}'")));
        let checked = check_text(Source { path: "relay.toml".into(), text }, &Options::default());
        find(&checked, codes::UNKNOWN_VALUE).help.unwrap()
    };
    assert_eq!(level("notice"), "write `log_level = \"info\"`");
    assert_eq!(level("inof"), "write `log_level = \"info\"`");
    assert!(level("loud").starts_with("write one of these"));
    let function = |name: &str| {
        let text = format!(
            "{ROUTE}[[aggregation]]\nfunction = '{name}'\nregex = '^a'\nformat = 'b'\ninterval = 10\nwait = 20\n"
        );
        find(&check(&text), codes::UNKNOWN_FUNCTION).help.unwrap()
    };
    assert_eq!(function("mean"), "write `function = \"avg\"`");
    assert_eq!(function("total"), "write `function = \"sum\"`");
    assert!(function("zzz").starts_with("write one of these"));
    assert!(help("blocklist = ['prefix']", codes::MALFORMED_BLOCKLIST_ENTRY).contains("`\"prefix <text>\"`"));
    assert!(
        help("blocklist = ['servers.']", codes::MALFORMED_BLOCKLIST_ENTRY).contains("`\"prefix servers.\"`")
    );
}
