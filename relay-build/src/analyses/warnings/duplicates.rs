//! Routes that repeat an earlier one, and routes that share a key.
//!
//! Compares routes as written in the plan; routes that merely behave alike are not found here.

use super::{Facts, place};
use crate::diagnostics::{Diagnostic, codes};
use std::collections::{HashMap, HashSet};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let mut routes = HashMap::new();
    let mut keys = HashMap::new();
    let mut taken: HashSet<_> = facts.table.routes.iter().map(|route| route.key.clone()).collect();
    for (at, route) in facts.table.routes.iter().enumerate() {
        let here = place(&facts.origins.routes, at);
        // Equal routes print equally; not everything in a route's kind can be hashed.
        let text = format!("{:?} {} {:?}", route.matcher, route.stop, route.kind);
        // A route after an equal one that stops gets nothing; another warning reports that.
        if let Some(&first) = routes.get(&text).filter(|_| !route.stop) {
            let message = format!("{} repeats an earlier one", facts.route_name(at));
            found.push(
                Diagnostic::warning(codes::DUPLICATE_ROUTE, here, message)
                    .label("same conditions, same destinations")
                    .related(place(&facts.origins.routes, first), "first here")
                    .help("remove this route"),
            );
            continue;
        }
        routes.insert(text, at);
        if route.key.is_empty() {
            continue;
        }
        if let Some(&first) = keys.get(route.key.as_str()) {
            let mut others = (2..).map(|number| format!("{}-{number}", route.key));
            let free = others.find(|key| taken.insert(key.clone())).unwrap_or_default();
            found.push(
                Diagnostic::warning(
                    codes::DUPLICATE_ROUTE_KEY,
                    here,
                    format!("two routes have the key `{}`", route.key),
                )
                .label("commands with this key always change the first route")
                .related(place(&facts.origins.routes, first), "first here")
                .help(format!("write another key, such as `key = \"{free}\"`")),
            );
        } else {
            keys.insert(route.key.as_str(), at);
        }
    }
}
