//! The worked examples of `docs/aggregation.md` do what the page says: each configuration is run on its input, through the
//! interpreter in virtual time.

use relay_build::config::{Options, Source, check_text};
use relay_runtime::{admission::Admission, interpret::Interpreter, replay::replay_lines};

const MANDATORY: &str = "instance = \"relay1\"\nlog_level = \"info\"\nbad_metrics_max_age = \"24h\"\n";

#[test]
fn every_example_of_the_page_does_what_it_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/aggregation.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (configs, inputs, outputs) = (blocks(&page, "toml"), blocks(&page, "input"), blocks(&page, "output"));
    assert!(configs.len() >= 5 && inputs.len() == configs.len() && outputs.len() == configs.len());
    for ((config, input), output) in configs.into_iter().zip(inputs).zip(outputs) {
        let text = format!("{MANDATORY}{config}");
        let checked = check_text(Source { path: "relay.toml".into(), text }, &Options::default());
        assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
        let table = &checked.plan.table;
        let input: Vec<_> = input.lines().map(|line| format!("{}\n", line.replacen(' ', "\t", 1))).collect();
        let mut written = Vec::new();
        let interpreter = Interpreter::new(table).unwrap();
        let admission = Admission::of(&checked.plan, |_| None);
        let ledger =
            replay_lines(table, &interpreter, admission, None, &mut input.concat().as_bytes(), &mut written)
                .unwrap();
        let written = String::from_utf8(written).unwrap().replace('\t', " ");
        assert_eq!(written, output, "{config}");
        assert_eq!(ledger.difference(), None);
    }
}

fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let start = format!("```{language}\n");
    page.split(&start).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}
