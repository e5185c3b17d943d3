//! Generates the code that makes the names of aggregations' outputs: the texts and groups of each format, in
//! order. Only tables with aggregations have it.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use relay_runtime::{
    regex::parse_groups,
    table::{Aggregator, Table},
    template::{Piece, Template},
};

/// The code, and the regexes whose groups it uses.
#[derive(Clone, Debug, Default)]
pub(super) struct Outputs {
    patterns: Vec<String>,
    arms: Vec<TokenStream>,
}

impl Outputs {
    pub(super) fn new(table: &Table) -> Self {
        let mut outputs = Self::default();
        for (at, aggregator) in table.aggregators.iter().enumerate() {
            let at = Literal::usize_unsuffixed(at);
            let body = outputs.body(aggregator);
            outputs.arms.push(quote!(#at => { #body }));
        }
        outputs
    }

    /// The regexes, by number.
    pub(super) fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// The method of `Dispatch`; empty for a table without aggregations.
    pub(super) fn method(&self) -> Option<TokenStream> {
        let arms = &self.arms;
        (!arms.is_empty()).then(|| {
            quote! {
                fn output(&self, aggregator: AggregatorIndex, name: &[u8], out: &mut Vec<u8>) {
                    match aggregator.0 {
                        #(#arms)*
                        _ => {}
                    }
                }
            }
        })
    }

    fn body(&mut self, aggregator: &Aggregator) -> TokenStream {
        let regex = aggregator.matcher.regex.as_deref();
        // Without a regex, group 0 is the whole name (BUG-20).
        let groups = regex.map_or_else(|| vec![None], names_of_groups);
        let template = Template::parse(&aggregator.format, &groups);
        let is_text = |piece: &Piece| matches!(piece, Piece::Literal(_));
        let find = regex.filter(|_| !template.pieces().iter().all(is_text)).map(|regex| {
            let number = Literal::usize_unsuffixed(self.number(regex));
            quote!(let Some(groups) = self.engines.groups(#number, name) else { return };)
        });
        let steps = template.pieces().iter().map(|piece| match piece {
            Piece::Literal(text) => {
                let text = Literal::byte_string(text.as_bytes());
                quote!(out.extend_from_slice(#text);)
            }
            Piece::Group(_) if regex.is_none() => quote!(out.extend_from_slice(name);),
            Piece::Group(group) => {
                let group = Literal::usize_unsuffixed(*group);
                quote!(groups.write(#group, out);)
            }
            Piece::FirstOf(groups) => {
                let groups = groups.iter().copied().map(Literal::usize_unsuffixed);
                quote!(groups.write_first(&[#(#groups),*], out);)
            }
        });
        quote!(#find #(#steps)*)
    }

    fn number(&mut self, pattern: &str) -> usize {
        self.patterns.iter().position(|known| known == pattern).unwrap_or_else(|| {
            self.patterns.push(pattern.to_owned());
            self.patterns.len() - 1
        })
    }
}

/// The number of groups; 0 for an invalid regex, which a checked plan does not contain.
fn names_of_groups(regex: &str) -> Vec<Option<String>> {
    parse_groups(regex).map(|parsed| parsed.groups).unwrap_or_default()
}
