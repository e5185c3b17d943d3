//! The engines (regexes and substring searches) that a table makes at its start, and their numbers. Equal
//! ones are made once.

use super::data::Data;
use crate::analyses::strategy::{RegexForm, Strategy, Test, TestKind};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use relay_runtime::table::{Pattern, Rewriter};
use std::collections::BTreeMap;

/// Which substrings are searched one by one.
#[derive(Clone, Debug, Default)]
pub(super) struct EngineList {
    numbers: BTreeMap<String, usize>,
    substrings: Vec<String>,
}

impl EngineList {
    pub(super) fn new(strategy: &Strategy) -> Self {
        let mut list = Self::default();
        strategy.rules.iter().for_each(|rule| list.collect(&rule.tests));
        strategy.targets.iter().flatten().for_each(|tests| list.collect(tests));
        list
    }

    fn collect(&mut self, tests: &[Test]) {
        for test in tests {
            if let TestKind::Contains(text) = &test.kind
                && !self.numbers.contains_key(text)
            {
                self.numbers.insert(text.clone(), self.substrings.len());
                self.substrings.push(text.clone());
            }
        }
    }

    /// Returns the number of a substring; a new one is added.
    pub(super) fn finder(&self, text: &str) -> usize {
        self.numbers.get(text).copied().unwrap_or_default()
    }

    /// The sources of the engines as statics, and an expression that makes the engines from them.
    pub(super) fn emit(
        &self,
        strategy: &Strategy,
        rewriters: &[Rewriter],
        rewriter_comments: &[String],
        groups: &[String],
        data: &mut Data,
    ) -> EngineCode {
        let substrings: Vec<_> = self.substrings.iter().map(|text| quote!(#text)).collect();
        let regexes = strategy.regexes.iter().enumerate().map(|(number, regex)| {
            let required = option(regex.literal.as_deref());
            let pattern = &regex.pattern;
            match &regex.form {
                RegexForm::Automaton(bytes) => {
                    let name = format_ident!("REGEX_{number}");
                    data.add_aligned(&name, &format!("The automaton of `{pattern}`."), bytes);
                    quote!(RegexSource::Automaton { bytes: &data::#name.0, required: #required })
                }
                RegexForm::AtStart => quote!(RegexSource::Pattern { pattern: #pattern, required: #required }),
            }
        });
        let regexes: Vec<_> = regexes.collect();
        let rewriters = rewriters.iter().zip(&strategy.rewriters).map(|(rewriter, needs)| {
            let (old, new) = (rewriter.old.written(), &rewriter.new);
            let not = option(rewriter.not.as_ref().map(Pattern::written).as_deref());
            let max = rewriter.max.map_or(quote!(None), |max| quote!(Some(#max)));
            let required = option(match &rewriter.old {
                Pattern::Text(text) => Some(text),
                Pattern::Regex(_) => needs.required.as_deref(),
            });
            quote!(RewriterSource { old: #old, new: #new, not: #not, max: #max, required: #required })
        });
        let mut code = EngineCode::default();
        code.list(
            "SUBSTRINGS",
            &[" The substrings that are searched one by one."],
            &quote!(&str),
            &substrings,
        );
        code.list("REGEXES", &[" The regexes."], &quote!(RegexSource), &regexes);
        let doc: Vec<_> = [" The rewriters, in order.", ""]
            .into_iter()
            .chain(rewriter_comments.iter().map(String::as_str))
            .collect();
        code.list("REWRITERS", &doc, &quote!(RewriterSource), &rewriters.collect::<Vec<_>>());
        let groups: Vec<_> = groups.iter().map(|pattern| quote!(#pattern)).collect();
        code.list("GROUPS", &[" The regexes whose groups are in outputs' names."], &quote!(&str), &groups);
        code
    }
}

/// The engines of a table, as code. A list without entries has no static.
#[derive(Clone, Debug, Default)]
pub(super) struct EngineCode {
    /// One static per list that has entries.
    pub(super) statics: Vec<TokenStream>,
    /// The arguments of `Engines::new`.
    arguments: Vec<TokenStream>,
}

impl EngineCode {
    fn list(&mut self, name: &str, doc: &[&str], kind: &TokenStream, entries: &[TokenStream]) {
        if entries.is_empty() {
            return self.arguments.push(quote!(&[]));
        }
        let name = format_ident!("{name}");
        self.statics.push(quote! {
            #(#[doc = #doc])*
            static #name: &[#kind] = &[#(#entries),*];
        });
        self.arguments.push(quote!(#name));
    }

    /// Whether the table has any engine.
    pub(super) fn is_empty(&self) -> bool {
        self.statics.is_empty()
    }

    /// The expression that makes them ready.
    pub(super) fn make(&self) -> TokenStream {
        let arguments = &self.arguments;
        quote!(Engines::new(#(#arguments),*))
    }
}

fn option(text: Option<&str>) -> TokenStream {
    text.map_or(quote!(None), |text| quote!(Some(#text)))
}
