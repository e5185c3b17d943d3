//! Generates Rust from a plan: one type that implements `relay_runtime::dispatch::Dispatch` for exactly this
//! table.
//!
//! The output is short and reads like the configuration: a function per route in order, conditions as
//! expressions, the configuration's lines as comments. Long tables are data in a separate module. The same
//! input gives the same bytes: the output depends on no clock, host, path or hash order.
//!
//! [`analyses::strategy`](crate::analyses::strategy) makes all decisions; the modules here only write them as
//! code, one module per kind of item.

mod comments;
mod data;
mod engines;
mod index;
mod names;
mod outputs;
mod rows;
mod rules;
mod tables;

use crate::{
    analyses::{
        explain,
        strategy::{BadRegex, Force, RuleForm, Strategy},
    },
    config::Checked,
};
use comments::Comments;
use data::Data;
use engines::EngineList;
use outputs::Outputs;
use proc_macro2::TokenStream;
use quote::quote;
use tables::IndexTable;

/// The kind of program that will contain the code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// A separate program with a `main`.
    #[default]
    Program,
    /// A module of another program, with a function that runs the relay.
    Module,
    /// A module of another program, with only the routing table.
    Router,
}

/// Options of the generated code.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The kind of program that will contain the code.
    pub door: Door,
    /// Strategies that replace the default choices.
    pub force: Force,
    /// The manifest to embed, as JSON.
    pub manifest: String,
    /// The SHA-256 of the configuration, for the first line.
    pub config_sha256: String,
}

/// Generated code.
#[derive(Clone, Debug)]
pub struct Generated {
    header: String,
    items: TokenStream,
    data: Data,
}

/// Generates the code for a checked plan.
pub fn generate(checked: &Checked, options: &Options) -> Result<Generated, BadRegex> {
    let strategy = Strategy::choose(&checked.plan, options.force, checked.traffic.as_ref())?;
    let explained = explain(&strategy);
    let comments = Comments::new(checked, &explained);
    let mut data = Data::default();
    let table = emit_table(checked, &strategy, &comments, &mut data);
    let entry = emit_entry(checked, options);
    let header = comments.header(&options.config_sha256);
    Ok(Generated { header, items: quote!(#table #entry), data })
}

impl Generated {
    /// The files of a program: names and texts. The first is the root.
    #[must_use]
    pub fn files(&self) -> Vec<(&'static str, String)> {
        let items = &self.items;
        if self.data.is_empty() {
            return vec![("main.rs", self.format(items))];
        }
        let root = self.format(&quote! {
            #[rustfmt::skip]
            mod data;
            #items
        });
        vec![("main.rs", root), ("data.rs", self.data.file(&self.header))]
    }

    /// Everything in one text, to be included.
    #[must_use]
    pub fn text(&self) -> String {
        self.format(&self.tokens())
    }

    /// Everything as tokens, for a macro.
    #[must_use]
    pub fn tokens(&self) -> TokenStream {
        let (items, data) = (&self.items, self.data.inline());
        if self.data.is_empty() { quote!(#items) } else { quote!(#items #data) }
    }

    fn format(&self, items: &TokenStream) -> String {
        let formatted = syn::parse2(items.clone()).map(|file| prettyplease::unparse(&file));
        // Code that does not parse would not compile either, and rustc's message is better.
        let text = formatted.unwrap_or_else(|_| items.to_string());
        format!("{}\n{}", self.header, spaced(&text))
    }
}

/// Puts blank lines between items, because tokens have none.
fn spaced(text: &str) -> String {
    const STARTS: [&str; 9] = ["///", "#[", "fn ", "pub ", "static ", "const ", "impl", "mod ", "struct "];
    let mut spaced = String::with_capacity(text.len() + text.len() / 16);
    let mut before = "";
    for line in text.lines() {
        let (indent, item) = (indent(line), line.trim_start());
        let ended = before.ends_with('}') || before.ends_with(';');
        if ended && indent == self::indent(before) && STARTS.iter().any(|start| item.starts_with(start)) {
            spaced.push('\n');
        }
        spaced.push_str(line);
        spaced.push('\n');
        before = line;
    }
    spaced
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn emit_table(
    checked: &Checked,
    strategy: &Strategy,
    comments: &Comments<'_>,
    data: &mut Data,
) -> TokenStream {
    let table = &checked.plan.table;
    let index = IndexTable::new(strategy);
    let list = EngineList::new(strategy);
    let rewriter_comments: Vec<_> =
        table.rewriters.iter().enumerate().map(|(at, rewriter)| comments.rewriter(at, rewriter)).collect();
    let outputs = Outputs::new(table);
    let engines = list.emit(strategy, &table.rewriters, &rewriter_comments, outputs.patterns(), data);
    let index_static = index.as_ref().map(|index| index::emit(index, data));
    let (statics, body) = match strategy.form {
        RuleForm::Code => {
            let rules = rules::Rules { table, strategy, comments, index: index.as_ref(), engines: &list };
            rules.emit()
        }
        RuleForm::Rows => rows::emit(table, strategy, index.as_ref(), &list, data),
    };
    let dispatch = emit_dispatch(index.is_some(), !table.rewriters.is_empty(), &outputs);
    let doc = comments.table();
    // Rows get the engines even if there are none.
    let (fields, made) = if engines.is_empty() && strategy.form == RuleForm::Code {
        (quote!(;), quote!(Self))
    } else {
        let make = engines.make();
        (quote!({ engines: Engines }), quote!(Self { engines: #make }))
    };
    let engine_statics = &engines.statics;
    quote! {
        #[allow(clippy::wildcard_imports, reason = "the module is made for this")]
        use relay_runtime::generated::*;

        #(#[doc = #doc])*
        #[derive(Debug)]
        pub struct Table #fields

        impl Table {
            /// Makes the table ready to run.
            pub fn new() -> Self {
                #made
            }
        }

        #dispatch
        #body
        #statics
        #index_static
        #(#engine_statics)*
    }
}

/// Generates the function that takes a name through the table. It is the same for every table, except that
/// absent parts are left out.
fn emit_dispatch(indexed: bool, rewriting: bool, outputs: &Outputs) -> TokenStream {
    let output = outputs.method();
    let look = |name: TokenStream| if indexed { quote!(INDEX.look(#name, look);) } else { quote!() };
    let (look_first, look_again) = (look(quote!(name)), look(quote!(rewritten)));
    let rewrite = rewriting.then(|| {
        quote! {
            if self.engines.rewrite(name, rewritten, next_name) {
                if !is_usable(rewritten) {
                    return sink.unusable(rewritten);
                }
                sink.rewritten(rewritten);
                #look_again
                return self.aggregate_and_route(rewritten, look, sink);
            }
        }
    });
    quote! {
        #[allow(unused_variables, reason = "not every table has everything")]
        impl Dispatch for Table {
            #[inline]
            fn dispatch<S: Sink>(&self, name: &[u8], scratch: &mut Scratch, sink: &mut S) {
                let Scratch { name: rewritten, next_name, look } = scratch;
                #look_first
                if let Some(entry) = self.blocked(name, look) {
                    return sink.blocked(entry);
                }
                #rewrite
                self.aggregate_and_route(name, look, sink);
            }

            #[inline]
            fn route<S: Sink>(&self, name: &[u8], scratch: &mut Scratch, sink: &mut S) {
                let look = &mut scratch.look;
                #look_first
                self.routes(name, look, sink);
            }

            #output
        }

        impl Table {
            #[inline]
            fn aggregate_and_route<S: Sink>(&self, name: &[u8], look: &Look, sink: &mut S) {
                if !self.aggregate(name, look, sink) {
                    self.routes(name, look, sink);
                }
            }
        }
    }
}

fn emit_entry(checked: &Checked, options: &Options) -> TokenStream {
    let plan = serde_json::to_string(&checked.plan).unwrap_or_default();
    let manifest = &options.manifest;
    let embedded = quote! {
        /// What was configured, as JSON.
        pub const PLAN: &str = #plan;

        /// How this was built, as JSON.
        pub const MANIFEST: &str = #manifest;
    };
    match options.door {
        Door::Program => quote! {
            #embedded

            fn main() -> std::process::ExitCode {
                relay_runtime::serve::main(PLAN, MANIFEST, Table::new())
            }
        },
        Door::Module => quote! {
            #embedded

            /// Runs the relay until it is told to stop.
            pub fn main() -> std::process::ExitCode {
                relay_runtime::serve::main(PLAN, MANIFEST, Table::new())
            }
        },
        Door::Router => quote! {
            /// What was configured, as JSON.
            pub const PLAN: &str = #plan;
        },
    }
}
