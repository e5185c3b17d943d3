//! A program that knows where a relay would send a metric: it reads metrics from stdin and prints one answer
//! for each.
//!
//! ```console
//! $ echo shop.eu.orders.count | cargo run -q -p example-macro
//! shop.eu.orders.count -> shards 10.0.0.3:2003:c, business 10.0.1.1:2003
//! ```
//!
//! A complete relay inside a program needs less code: `relay_macros::relay!("relay.toml")` in a module, and a
//! call of that module's `main`.

mod table {
    #![allow(unreachable_pub, dead_code, reason = "generated for any module")]
    relay_macros::relay!(router "relay.toml");
}

use relay_runtime::{
    admission::Admission,
    plan::Plan,
    trace::{Trace, Tracer},
};
use std::io::{self, BufRead as _};

fn main() -> io::Result<()> {
    let (plan, table) = (Plan::from_json(table::PLAN)?, table::Table::new());
    let mut tracer = Tracer::new(&plan.table, &table, Admission::of(&plan, |_| None));
    for name in io::stdin().lock().lines() {
        let name = name?;
        println!("{name} -> {}", answer(&tracer.trace_name(name.as_bytes())));
    }
    Ok(())
}

fn answer(trace: &Trace) -> String {
    if let Some(entry) = &trace.blocked_by {
        return format!("blocked by {entry}");
    }
    let routes =
        trace.routes.iter().map(|route| format!("{} {}", route.key, route.destinations.join(" and ")));
    let routes: Vec<_> = routes.collect();
    if routes.is_empty() { "nowhere".to_owned() } else { routes.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_macro_s_table_routes_like_the_configuration() {
        let (plan, table) = (Plan::from_json(table::PLAN).unwrap(), table::Table::new());
        let mut tracer = Tracer::new(&plan.table, &table, Admission::of(&plan, |_| None));
        let mut answer = |name: &str| super::answer(&tracer.trace_name(name.as_bytes()));
        assert_eq!(answer("debug.x"), "blocked by prefix debug.");
        assert!(answer("shop.eu.orders.count").ends_with("business 10.0.1.1:2003"));
        assert!(answer("shop.us.orders.count").ends_with("business 10.0.1.2:2003"));
        assert!(answer("raw.a.b").starts_with("shards 10.0.0."));
    }
}
