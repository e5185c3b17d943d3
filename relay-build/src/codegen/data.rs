//! Writes large tables into a separate module of the generated code, as one byte-string literal each. So they delay neither rustc nor a reader of the code.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;
use std::fmt::Write;

/// The items of the module `data`.
#[derive(Clone, Debug, Default)]
pub(super) struct Data {
    items: Vec<Item>,
}

#[derive(Clone, Debug)]
struct Item {
    name: String,
    doc: String,
    bytes: Vec<u8>,
    aligned: bool,
}

impl Data {
    /// Adds a table and returns an expression for its bytes.
    pub(super) fn add(&mut self, name: &str, doc: &str, bytes: &[u8]) -> TokenStream {
        let ident = Ident::new(name, proc_macro2::Span::call_site());
        let (name, doc) = (name.to_owned(), doc.to_owned());
        self.items.push(Item { name, doc, bytes: bytes.to_vec(), aligned: false });
        quote!(data::#ident)
    }

    /// Adds bytes at an aligned address.
    pub(super) fn add_aligned(&mut self, name: &Ident, doc: &str, bytes: &[u8]) {
        let (name, doc) = (name.to_string(), doc.to_owned());
        self.items.push(Item { name, doc, bytes: bytes.to_vec(), aligned: true });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The module as the text of a file.
    pub(super) fn file(&self, header: &str) -> String {
        let mut text = format!("{header}\n//! The tables of the relay as data.\n");
        for Item { name, doc, bytes, aligned } in &self.items {
            let literal = Literal::byte_string(bytes);
            let doc = doc.replace(['\n', '\r'], " ");
            let written = if *aligned {
                let length = bytes.len();
                writeln!(
                    text,
                    "\n/// {doc}\npub(crate) static {name}: relay_runtime::matching::Aligned<{length}> = \
                     relay_runtime::matching::Aligned(*{literal});"
                )
            } else {
                writeln!(text, "\n/// {doc}\npub(crate) static {name}: &[u8] = {literal};")
            };
            debug_assert!(written.is_ok(), "a string takes everything");
        }
        text
    }

    /// The module as tokens, for output that is only one file.
    pub(super) fn inline(&self) -> TokenStream {
        let items = self.items.iter().map(|Item { name, doc, bytes, aligned }| {
            let name = Ident::new(name, proc_macro2::Span::call_site());
            let literal = Literal::byte_string(bytes);
            let doc = format!(" {doc}");
            if *aligned {
                let length = bytes.len();
                quote! {
                    #[doc = #doc]
                    pub(super) static #name: relay_runtime::matching::Aligned<#length> =
                        relay_runtime::matching::Aligned(*#literal);
                }
            } else {
                quote! {
                    #[doc = #doc]
                    pub(super) static #name: &[u8] = #literal;
                }
            }
        });
        quote! {
            /// The tables of the relay as data.
            mod data {
                #(#items)*
            }
        }
    }
}
