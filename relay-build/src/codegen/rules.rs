//! Writes rules as code: an expression per blocklist entry, a function per route. Tables with very many rules
//! use `rows` instead.

use super::{comments::Comments, engines::EngineList, names::Names, tables::IndexTable};
use crate::analyses::strategy::{Strategy, Test, TestKind};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;
use relay_runtime::table::{DestinationIndex, Route, RouteDestination, RouteKind, Table};

/// What the functions are made from.
pub(super) struct Rules<'a> {
    pub(super) table: &'a Table,
    pub(super) strategy: &'a Strategy,
    pub(super) comments: &'a Comments<'a>,
    pub(super) index: Option<&'a IndexTable>,
    pub(super) engines: &'a EngineList,
}

impl Rules<'_> {
    /// The statics and the functions.
    pub(super) fn emit(&self) -> (TokenStream, TokenStream) {
        let mut names = Names::default();
        let destinations = self.destinations(&mut names);
        let constants = self.table.destinations.iter().zip(&destinations).enumerate();
        let constants = constants.map(|(number, (destination, name))| {
            let doc = format!(" {}", destination.written());
            let number = Literal::usize_unsuffixed(number);
            quote! {
                #[doc = #doc]
                const #name: DestinationIndex = DestinationIndex(#number);
            }
        });
        let statics = quote!(#(#constants)*);
        let functions: Vec<_> = self
            .table
            .routes
            .iter()
            .enumerate()
            .map(|(at, route)| names.function("route", &route.key, at))
            .collect();
        let blocked = self.emit_blocked();
        let aggregate = self.emit_aggregate();
        let calls = self.emit_routes(&functions);
        let routes = self
            .table
            .routes
            .iter()
            .zip(&functions)
            .enumerate()
            .map(|(at, (route, name))| self.emit_route(at, route, name, &destinations));
        let body = quote! {
            #[allow(unused_variables, clippy::unused_self, reason = "one shape for all rules")]
            impl Table {
                #blocked
                #aggregate
                #calls
                #(#routes)*
            }
        };
        (statics, body)
    }

    fn destinations(&self, names: &mut Names) -> Vec<Ident> {
        let written = self.table.destinations.iter().enumerate();
        written.map(|(number, destination)| names.constant("TO", &destination.written(), number)).collect()
    }

    fn emit_blocked(&self) -> TokenStream {
        let entries = self.table.blocklist.iter().zip(&self.strategy.rules).enumerate();
        let doc: Vec<_> =
            entries.clone().flat_map(|(at, (entry, _))| self.comments.blocklist(at, entry)).collect();
        let [stage, ..] = self.strategy.stages();
        let body = if self.strategy.waits(stage) {
            let end = Literal::usize_unsuffixed(self.strategy.first_aggregator);
            let arms = entries.map(|(at, (_, rule))| {
                let (at, condition) = (Literal::usize_unsuffixed(at), self.all(&rule.tests));
                quote!(#at => #condition,)
            });
            quote! {
                let mut rules = look.rules(0, #end).iter().copied();
                rules.find(|rule| match rule { #(#arms)* _ => false }).map(BlocklistIndex)
            }
        } else {
            let entries = entries.map(|(at, (_, rule))| {
                let (at, condition) = (Literal::usize_unsuffixed(at), self.all(&rule.tests));
                quote!(if #condition { return Some(BlocklistIndex(#at)); })
            });
            quote!(#(#entries)* None)
        };
        let doc = if doc.is_empty() { vec![" There is no blocklist.".to_owned()] } else { doc };
        quote! {
            #(#[doc = #doc])*
            #[inline]
            fn blocked(&self, name: &[u8], look: &Look) -> Option<BlocklistIndex> { #body }
        }
    }

    fn emit_aggregate(&self) -> TokenStream {
        let first = self.strategy.first_aggregator;
        let rules = &self.strategy.rules[first..self.strategy.first_route];
        let aggregators = self.table.aggregators.iter().zip(rules).enumerate();
        let mut doc: Vec<_> = aggregators
            .clone()
            .flat_map(|(at, (aggregator, _))| {
                self.comments.aggregator(at, &aggregator.matcher, &aggregator.format)
            })
            .collect();
        let hides = |hides: bool| hides.then(|| quote!(sink.dropped_raw(); return true;));
        let (mut steps, mut questions) = (Vec::new(), Vec::new());
        let waits = self.strategy.waits(first..self.strategy.first_route);
        let mut are_alike = waits;
        for (at, (aggregator, rule)) in aggregators {
            let index = Literal::usize_unsuffixed(at);
            let hide = hides(aggregator.drop_raw);
            let take = quote!(sink.aggregate(AggregatorIndex(#index)); #hide);
            // Regexes come last and may be remembered; see `Sink::takes`.
            let (regexes, cheap): (Vec<_>, Vec<_>) = rule
                .tests
                .iter()
                .cloned()
                .partition(|test| matches!(test.kind, TestKind::Regex(_) | TestKind::Confirm(_)));
            are_alike &= cheap.is_empty()
                && !regexes.is_empty()
                && aggregator.drop_raw == self.table.aggregators[0].drop_raw;
            let number = Literal::usize_unsuffixed(first + at);
            let step = if regexes.is_empty() {
                self.when(&cheap, &take)
            } else {
                let (cheap, regexes) = (self.all(&cheap), self.all(&regexes));
                let takes = quote!(sink.takes(AggregatorIndex(#index), name, || #regexes));
                questions.push(quote!(#number => #regexes,));
                if cheap.to_string() == "true" {
                    quote!(if #takes { #take })
                } else {
                    quote!(if #cheap && #takes { #take })
                }
            };
            steps.push(if waits { quote!(#number => { #step }) } else { step });
        }
        let (start, end) =
            (Literal::usize_unsuffixed(first), Literal::usize_unsuffixed(self.strategy.first_route));
        let body = if !waits {
            quote!(#(#steps)* false)
        } else if are_alike {
            // A remembered answer needs no test of the rule, which would be a jump that no processor
            // predicts.
            let at = if first == 0 { quote!(rule) } else { quote!(rule - #start) };
            let hide = hides(self.table.aggregators[0].drop_raw);
            quote! {
                let matches = |rule| match rule { #(#questions)* _ => false };
                for &rule in look.rules(#start, #end) {
                    let aggregator = AggregatorIndex(#at);
                    if sink.takes(aggregator, name, || matches(rule)) {
                        sink.aggregate(aggregator);
                        #hide
                    }
                }
                false
            }
        } else {
            quote! {
                for &rule in look.rules(#start, #end) {
                    match rule { #(#steps)* _ => {} }
                }
                false
            }
        };
        let last_hides = !waits && self.unconditional_hide();
        if doc.is_empty() {
            doc.push(" There are no aggregations.".to_owned());
        }
        let lint = last_hides.then(
            || quote!(#[allow(unreachable_code, reason = "an aggregation takes every metric and hides it")]),
        );
        quote! {
            #(#[doc = #doc])*
            #lint
            #[inline]
            fn aggregate<S: Sink>(&self, name: &[u8], look: &Look, sink: &mut S) -> bool { #body }
        }
    }

    fn unconditional_hide(&self) -> bool {
        let rules = &self.strategy.rules[self.strategy.first_aggregator..];
        self.table
            .aggregators
            .iter()
            .zip(rules)
            .any(|(aggregator, rule)| aggregator.drop_raw && rule.tests.is_empty())
    }

    fn emit_routes(&self, functions: &[Ident]) -> TokenStream {
        let first = self.strategy.first_route;
        let [.., stage] = self.strategy.stages();
        let body = if self.strategy.waits(stage) {
            let numbers = (first..).map(Literal::usize_unsuffixed);
            let (start, end) =
                (Literal::usize_unsuffixed(first), Literal::usize_unsuffixed(self.strategy.rules.len()));
            let arms = functions.iter().zip(numbers).enumerate().map(|(at, (function, number))| {
                if self.strategy.stops[at] {
                    quote!(#number => if self.#function(name, look, sink) { return; },)
                } else {
                    quote!(#number => self.#function(name, look, sink),)
                }
            });
            quote! {
                for &rule in look.rules(#start, #end) {
                    match rule { #(#arms)* _ => {} }
                }
            }
        } else {
            let calls = functions.iter().enumerate().map(|(at, function)| {
                if self.strategy.stops[at] {
                    quote!(if self.#function(name, look, sink) { return; })
                } else {
                    quote!(self.#function(name, look, sink);)
                }
            });
            quote!(#(#calls)*)
        };
        quote! {
            /// The routes, in order.
            #[inline]
            fn routes<S: Sink>(&self, name: &[u8], look: &Look, sink: &mut S) { #body }
        }
    }

    fn emit_route(&self, at: usize, route: &Route, function: &Ident, destinations: &[Ident]) -> TokenStream {
        let rule = &self.strategy.rules[self.strategy.first_route + at];
        let index = Literal::usize_unsuffixed(at);
        let (what, send) = match &route.kind {
            RouteKind::SendAllMatch { destinations: targets } => {
                let sends = targets.iter().zip(&self.strategy.targets[at]).map(|(target, tests)| {
                    let name = &destinations[target.destination.get()];
                    self.when(tests, &quote!(sink.deliver(#name);))
                });
                (format!("to each of {}", self.list(targets)), quote!(#(#sends)*))
            }
            RouteKind::SendFirstMatch { destinations: targets } => (
                format!("to the first of {}", self.list(targets)),
                self.emit_first(at, targets, destinations),
            ),
            RouteKind::ConsistentHash(_) => {
                ("by hash".to_owned(), quote!(sink.select(RouteIndex(#index), name);))
            }
            RouteKind::RoundRobin { .. } => {
                ("in turn".to_owned(), quote!(sink.select(RouteIndex(#index), name);))
            }
            RouteKind::Failover { .. } => {
                ("to the first that is up".to_owned(), quote!(sink.select(RouteIndex(#index), name);))
            }
            RouteKind::Blackhole => ("to nowhere".to_owned(), quote!()),
            _ => ("by another protocol".to_owned(), quote!()),
        };
        let what = if route.stop { what + ", and to no later route" } else { what };
        let doc = self.comments.route(at, &route.key, &route.matcher, &what);
        let take = quote!(sink.route(RouteIndex(#index)); #send);
        let (answer, body) = match (self.strategy.stops[at], rule.tests.is_empty()) {
            (false, _) => (quote!(), self.when(&rule.tests, &take)),
            (true, true) => (quote!(-> bool), quote!(#take true)),
            (true, false) => {
                let condition = self.all(&rule.tests);
                (quote!(-> bool), quote!(if #condition { #take return true; } false))
            }
        };
        quote! {
            #(#[doc = #doc])*
            #[inline]
            fn #function<S: Sink>(&self, name: &[u8], look: &Look, sink: &mut S) #answer { #body }
        }
    }

    /// Generates an `else if` per destination, up to one without conditions.
    fn emit_first(&self, at: usize, targets: &[RouteDestination], destinations: &[Ident]) -> TokenStream {
        let tests = &self.strategy.targets[at];
        let reached = tests.iter().position(Vec::is_empty).map_or(tests.len(), |last| last + 1);
        let mut code = quote!();
        for (target, tests) in targets.iter().zip(tests).take(reached).rev() {
            let name = &destinations[target.destination.get()];
            let condition = self.all(tests);
            let otherwise = (!code.is_empty()).then(|| quote!(else #code));
            code = if tests.is_empty() {
                quote!({ sink.deliver(#name); })
            } else {
                quote!(if #condition { sink.deliver(#name); } #otherwise)
            };
        }
        code
    }

    fn list(&self, targets: &[RouteDestination]) -> String {
        let written = |target: DestinationIndex| self.table.destinations[target.get()].written();
        let mut list: Vec<_> = targets.iter().take(4).map(|target| written(target.destination)).collect();
        if targets.len() > list.len() {
            list.push(format!("{} more", targets.len() - list.len()));
        }
        list.join(", ")
    }

    fn when(&self, tests: &[Test], then: &TokenStream) -> TokenStream {
        if tests.is_empty() {
            return then.clone();
        }
        let condition = self.all(tests);
        quote!(if #condition { #then })
    }

    /// All tests as one expression.
    fn all(&self, tests: &[Test]) -> TokenStream {
        if tests.is_empty() {
            return quote!(true);
        }
        let tests = tests.iter().map(|test| self.emit_test(test));
        quote!(#(#tests)&&*)
    }

    fn emit_test(&self, test: &Test) -> TokenStream {
        let bytes = |text: &str| Literal::byte_string(text.as_bytes());
        let number = |number: usize| Literal::usize_unsuffixed(number);
        let holds = match &test.kind {
            TestKind::Exact(text) => {
                let (text, equals) = (bytes(text), if test.negated { quote!(!=) } else { quote!(==) });
                return quote!(name #equals #text);
            }
            TestKind::Prefix(text) => {
                let text = bytes(text);
                quote!(name.starts_with(#text))
            }
            TestKind::Suffix(text) => {
                let text = bytes(text);
                quote!(name.ends_with(#text))
            }
            TestKind::Found(text) => {
                let text = number(self.index.map_or(0, |index| index.numbers[text]));
                quote!(look.contains(#text))
            }
            TestKind::Contains(text) => {
                let text = number(self.engines.finder(text));
                quote!(self.engines.contains(#text, name))
            }
            TestKind::Regex(regex) => {
                let regex = number(*regex);
                quote!(self.engines.matches(#regex, name))
            }
            TestKind::Confirm(regex) => {
                let regex = number(*regex);
                quote!(self.engines.confirms(#regex, name))
            }
            TestKind::Always => quote!(true),
        };
        if test.negated { quote!(!#holds) } else { holds }
    }
}
