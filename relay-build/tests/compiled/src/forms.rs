//! Forces the code generator to make each of its choices.
//!
//! Every form must agree with the interpreter.

use relay_build::analyses::strategy::{Force, PrefixStrategy, RuleForm, SubstringStrategy};

/// What is chosen by itself, with regexes compiled, then every strategy, with regexes made at start.
pub(crate) fn all() -> [(&'static str, Force); 6] {
    let compare = Force {
        prefixes: Some(PrefixStrategy::Compare),
        substrings: Some(SubstringStrategy::Search),
        form: Some(RuleForm::Rows),
        regexes_at_start: true,
        ..Force::default()
    };
    let hash = Force {
        prefixes: Some(PrefixStrategy::Hash),
        substrings: Some(SubstringStrategy::Automaton),
        form: Some(RuleForm::Code),
        ..compare
    };
    let trie = Force { prefixes: Some(PrefixStrategy::Trie), form: Some(RuleForm::Rows), ..hash };
    let skip = Force { substrings: Some(SubstringStrategy::Skip), form: Some(RuleForm::Code), ..trie };
    let plain = Force { regexes_plain: true, form: Some(RuleForm::Code), ..compare };
    [
        ("chosen", Force::default()),
        ("compare", compare),
        ("hash", hash),
        ("trie", trie),
        ("skip", skip),
        ("plain", plain),
    ]
}
