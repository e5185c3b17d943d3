//! `relay!("relay.toml")`: a compiled Graphite relay inside your own program.
//!
//! The program needs both crates, of one version:
//!
//! ```toml
//! [dependencies]
//! relay-macros = { path = "static-relay/relay-macros" }
//! relay-runtime = { path = "static-relay/relay-runtime" }
//! ```
//!
//! The path is relative to the directory of the program's Cargo.toml. The macro expands to items, so call it in a module of
//! its own. A configuration with errors is a compile error that shows each with its place, the quoted line and what to write.
//!
//! ```ignore
//! mod relay {
//!     relay_macros::relay!("relay.toml");
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     relay::main()
//! }
//! ```
//!
//! `relay!(router "relay.toml")` expands to the routing table only: the type `Table`, which implements
//! `relay_runtime::dispatch::Dispatch`, and the plan as the text `PLAN`. To ask it where a metric would go:
//!
//! ```ignore
//! use relay_runtime::{admission::Admission, plan::Plan, trace::Tracer};
//!
//! let (plan, table) = (Plan::from_json(table::PLAN)?, table::Table::new());
//! let mut tracer = Tracer::new(&plan.table, &table, Admission::of(&plan, |_| None));
//! for route in tracer.trace_name(b"servers.web1.cpu").routes {
//!     println!("{} -> {}", route.key, route.destinations.join(", "));
//! }
//! ```
//!
//! The whole program is `examples/macro` of the repository.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use relay_build::{codegen::Door, compile_text};
use std::path::PathBuf;
use syn::{
    Ident, LitStr,
    parse::{Parse, ParseStream},
};

/// Compiles a configuration into items of the current module; see the crate's documentation.
#[proc_macro]
pub fn relay(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let Arguments { door, path } = syn::parse_macro_input!(input as Arguments);
    expand(door, &path).unwrap_or_else(syn::Error::into_compile_error).into()
}

struct Arguments {
    door: Door,
    path: LitStr,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let door = if input.peek(Ident) {
            let word: Ident = input.parse()?;
            if word != "router" {
                return Err(syn::Error::new(word.span(), "expected `router` or a path"));
            }
            Door::Router
        } else {
            Door::Module
        };
        Ok(Self { door, path: input.parse()? })
    }
}

fn expand(door: Door, path: &LitStr) -> syn::Result<TokenStream> {
    let base = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let file = base.join(path.value());
    let error = |text: String| syn::Error::new(path.span(), text);
    let (code, warnings) = compile_text(&file, door).map_err(|bad| error(format!("\n{bad}")))?;
    let warnings = warnings.iter().map(|text| warning(text));
    let code: TokenStream =
        code.parse().map_err(|bad| error(format!("the generated code is none: {bad}")))?;
    // Makes cargo compile again when the file changes.
    let file = syn::LitStr::new(&file.to_string_lossy(), Span::call_site());
    Ok(quote! {
        #code
        #(#warnings)*
        const _: &[u8] = include_bytes!(#file);
    })
}

/// A macro cannot warn. What is used although it is deprecated is warned of, with a text.
fn warning(text: &str) -> TokenStream {
    let text = format!("\n{text}");
    quote! {
        const _: () = {
            #[deprecated(note = #text)]
            const CONFIGURATION: () = ();
            CONFIGURATION
        };
    }
}
