//! Routes and aggregations that no metric reaches, because all that they match is blocked or cannot exist.
//!
//! A name that reaches a rule either came in and was not blocked, or a rewriter changed it after the blocklist;
//! then it contains what the last rewriter wrote. Routes also get what aggregations emit. A rule is reported
//! only if it can match none of these names.

use super::{
    Facts, contradictions,
    cover::{Cover, cover},
    place, produced, related_entries, these,
};
use crate::{
    analyses::language::{FUEL, Languages},
    diagnostics::{Diagnostic, Span, codes},
};
use relay_runtime::table::Matcher;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let mut languages = Languages::new(FUEL);
    let rewritten: Vec<_> = facts.table.rewriters.iter().filter_map(produced::by_rewriter).collect();
    for (at, aggregator) in facts.table.aggregators.iter().enumerate() {
        let rule = Rule {
            matcher: &aggregator.matcher,
            place: place(&facts.origins.aggregators, at),
            name: "this aggregation".to_owned(),
            word: "aggregation",
        };
        rule.check(facts, &rewritten, &mut languages, found);
    }
    let mut made = rewritten;
    made.extend(facts.table.aggregators.iter().map(produced::by_aggregator));
    for (at, route) in facts.table.routes.iter().enumerate() {
        let rule = Rule {
            matcher: &route.matcher,
            place: place(&facts.origins.routes, at),
            name: facts.route_name(at),
            word: "route",
        };
        rule.check(facts, &made, &mut languages, found);
    }
}

struct Rule<'t> {
    matcher: &'t Matcher,
    place: Span,
    name: String,
    word: &'static str,
}

impl Rule<'_> {
    /// Reports the rule if nothing reaches it. `made` matches every name that reaches it in another form than
    /// it came in.
    fn check(
        &self,
        facts: &Facts<'_>,
        made: &[Matcher],
        languages: &mut Languages,
        found: &mut Vec<Diagnostic>,
    ) {
        match cover(languages, &[self.matcher], &facts.blocklist, facts.blocklist.len()) {
            Cover::Nothing => {
                let report =
                    contradictions::report(languages, self.place, &self.name, self.matcher, self.word);
                found.push(report);
            }
            Cover::TakenBy(by)
                if made.iter().all(|one| languages.intersect(&[self.matcher, one]) == Some(false)) =>
            {
                let message = format!("no metric reaches {}", self.name);
                let diagnostic = Diagnostic::warning(codes::BLOCKED_RULE, self.place, message)
                    .label("everything that it matches is blocked");
                let help = format!("remove this {}, or {}", self.word, these(&by));
                found.push(related_entries(diagnostic, facts, &by).help(help));
            }
            Cover::TakenBy(_) | Cover::Leaves(_) | Cover::Unknown => {}
        }
    }
}
