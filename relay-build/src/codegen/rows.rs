//! Writes a large table as rows of data instead of code, and the functions that pass the rows to the loop in
//! relay-runtime. The rows keep the order of the rules.

use super::{
    data::Data,
    engines::EngineList,
    tables::{IndexTable, RowsTable},
};
use crate::analyses::strategy::Strategy;
use proc_macro2::{Literal, TokenStream};
use quote::quote;
use relay_runtime::table::Table;

pub(super) fn emit(
    table: &Table,
    strategy: &Strategy,
    index: Option<&IndexTable>,
    engines: &EngineList,
    data: &mut Data,
) -> (TokenStream, TokenStream) {
    let rows = RowsTable::new(table, strategy, index, engines);
    let number = |number: usize| Literal::usize_unsuffixed(number);
    let first_aggregator = number(strategy.first_aggregator);
    let first_route = number(strategy.first_route);
    let end = number(strategy.rules.len());
    let rule_checks = data.add("RULE_CHECKS", "Where each rule's checks start.", &rows.rule_checks.0);
    let checks = data.add("CHECKS", "The kind of each check and its literal.", &rows.checks.0);
    let literals = data.add("LITERALS", "The literals of checks.", &rows.literals.bytes);
    let literal_starts = data.add("LITERAL_STARTS", "Where each literal starts.", &rows.literals.starts.0);
    let drop_raw = data.add(
        "DROP_RAW",
        "For each aggregator, whether it hides its inputs from the routes.",
        &rows.drop_raw,
    );
    let kinds =
        data.add("KINDS", "For each route, how it chooses targets, and whether it stops.", &rows.kinds);
    let route_targets = data.add("ROUTE_TARGETS", "Where each route's targets start.", &rows.route_targets.0);
    let targets = data.add("TARGETS", "Destinations.", &rows.targets.0);
    let target_checks = data.add("TARGET_CHECKS", "Each target's checks.", &rows.target_checks.0);
    let always = index.is_none();
    let look = if always { quote!(None) } else { quote!(Some(look)) };
    let statics = quote! {
        /// All rules.
        static ROWS: Rows<'static> = Rows {
            first_aggregator: #first_aggregator,
            first_route: #first_route,
            end: #end,
            rule_checks: Words::new(#rule_checks),
            checks: Pairs::new(#checks),
            literals: Arena::new(#literals, Words::new(#literal_starts)),
            drop_raw: #drop_raw,
            kinds: #kinds,
            route_targets: Words::new(#route_targets),
            targets: Words::new(#targets),
            target_checks: Pairs::new(#target_checks),
        };
    };
    // An empty condition needs no check.
    let blocked = if table.blocklist.is_empty() {
        quote!(None)
    } else {
        quote!(ROWS.blocked(name, #look, &self.engines))
    };
    let aggregate = if table.aggregators.is_empty() {
        quote!(false)
    } else {
        quote!(ROWS.aggregate(name, #look, &self.engines, sink))
    };
    let body = quote! {
        #[allow(unused_variables, clippy::unused_self, reason = "one shape for all tables")]
        impl Table {
            #[inline]
            fn blocked(&self, name: &[u8], look: &Look) -> Option<BlocklistIndex> {
                #blocked
            }

            #[inline]
            fn aggregate<S: Sink>(&self, name: &[u8], look: &Look, sink: &mut S) -> bool {
                #aggregate
            }

            #[inline]
            fn routes<S: Sink>(&self, name: &[u8], look: &Look, sink: &mut S) {
                ROWS.route(name, #look, &self.engines, sink);
            }
        }
    };
    (statics, body)
}
