//! Writes a plan as a configuration: TOML that relay-build reads back as an equal plan.
//!
//! A running relay that was changed is the input of the next build, so everything that a plan can express is
//! written. Each structure is destructured field by field, so a new field does not compile until it is written
//! here. A value at its default is left out. Rules are sections in the order of the plan; destinations are
//! written with the routes that use them. Comments and commands of the original configuration are not part of a
//! plan and therefore not in the text.

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
