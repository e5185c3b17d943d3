//! A plan as a configuration: TOML that `relay-build` reads back as an equal plan.
//!
//! What a running relay was changed to is the input of the next build, so whatever a plan can say is written here. Each
//! structure is taken apart field by field, so a new field does not compile until it is written. A value that is its default
//! is left out. Rules are sections in the order of the plan; destinations stand with the routes that use them.
//! Comments and commands of the original configuration are not in a plan, hence not in the text.

mod destinations;
mod document;
mod remote;
mod routes;
mod rules;
mod settings;

use crate::plan::Plan;
use document::Document;

/// The configuration of a plan, as TOML.
#[must_use]
pub fn to_toml(plan: &Plan) -> String {
    let Plan { settings, table } = plan;
    let mut document = Document::default();
    settings::globals(&mut document, settings, table.validation);
    rules::blocklist(&mut document, &table.blocklist);
    settings::sections(&mut document, settings);
    rules::rewriters(&mut document, &table.rewriters);
    rules::aggregators(&mut document, &table.aggregators);
    routes::routes(&mut document, table);
    document.finish()
}
