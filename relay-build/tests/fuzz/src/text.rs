//! What people write: configurations and commands. Whatever is wrong with them must be said with a place that is in the text.

use relay_build::{
    analyses::{Force, Strategy},
    config::{
        Options, Source, check_text,
        commands::{apply, parse},
    },
    diagnostics::{render, to_json},
};
use relay_runtime::{interpret::Interpreter, plan::Plan};
use std::path::PathBuf;

/// A configuration. One without errors must be fit for both engines.
pub(crate) fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let source = Source { path: PathBuf::from("relay.toml"), text };
    let checked = check_text(source, &Options::default());
    for diagnostic in &checked.diagnostics {
        if let Some((span, _)) = &diagnostic.place {
            let text = &checked.source.text;
            assert!(span.start <= span.end && span.end <= text.len(), "{diagnostic:?}");
        }
    }
    let _ = render(&checked.diagnostics, &checked.source, false);
    let _ = to_json(&checked.diagnostics, &checked.source);
    if !checked.has_errors() {
        Interpreter::new(&checked.plan.table).expect("a plan without errors can be interpreted");
        Strategy::choose(&checked.plan, Force::default(), None)
            .expect("a plan without errors can be compiled");
    }
}

/// Commands, one a line, each on what the others left.
pub(crate) fn commands(data: &[u8]) {
    let mut plan = Plan::default();
    for line in String::from_utf8_lossy(data).lines().take(64) {
        if let Ok(command) = parse(line) {
            let before = plan.clone();
            if apply(&command, &mut plan).is_err() {
                assert_eq!(before, plan, "`{line}` failed and changed something");
            }
        }
    }
    Interpreter::new(&plan.table).expect("what commands made can be interpreted");
}
