//! Kubernetes manifests: a workload with probes, a service in front of it, and a disruption budget.
//!
//! The budget says how many instances may be stopped at a time.

use super::{PackageError, Request, archive::Entry, facts::Facts, template::render};

const WORKLOAD: &str = include_str!("../../packed/templates/k8s/workload.yaml.in");
const SERVICE: &str = include_str!("../../packed/templates/k8s/service.yaml.in");
const BUDGET: &str = include_str!("../../packed/templates/k8s/disruption-budget.yaml.in");
const KUSTOMIZATION: &str = include_str!("../../packed/templates/k8s/kustomization.yaml.in");

/// One file for each object. A relay that stores something on disk becomes a `StatefulSet`, which brings its
/// volume.
pub(super) fn manifests(request: &Request<'_>, facts: &Facts) -> Result<Vec<Entry>, PackageError> {
    facts.check_ports(&request.checked.plan)?;
    let kind = if facts.has_storage { "statefulset" } else { "deployment" };
    Ok(vec![
        Entry::text(format!("{kind}.yaml"), render("k8s/workload", WORKLOAD, facts)?),
        Entry::text("service.yaml", render("k8s/service", SERVICE, facts)?),
        Entry::text("disruption-budget.yaml", render("k8s/disruption-budget", BUDGET, facts)?),
        Entry::text("kustomization.yaml", render("k8s/kustomization", KUSTOMIZATION, facts)?),
    ])
}
