//! Completes the open values of a plan: replaces `${NAME}` in addresses, directories and sizes by the
//! variable's value.
//!
//! Afterwards no variable is open in the settings and destinations that the engine uses. Values that decide
//! routing are never open.

use crate::{
    plan::Plan,
    table::{Destination, Late, Template, Unresolved},
};
use std::{cell::RefCell, collections::BTreeSet, fmt, str::FromStr};

/// A value that cannot be completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete {
    /// The value, named as a user would name it.
    pub what: String,
    /// What is wrong with it.
    pub error: Unresolved,
}

/// The value of a variable in the environment. `HOST` is the name of this machine if the environment has none, as in
/// carbon-relay-ng.
pub(super) fn from_environment(name: &str) -> Option<String> {
    let host = || rustix::system::uname().nodename().to_str().ok().map(str::to_owned);
    std::env::var(name).ok().or_else(|| host().filter(|_| name == "HOST"))
}

/// The plan, completed with the values that `lookup` returns for variables.
pub(super) fn complete(plan: &Plan, lookup: impl Fn(&str) -> Option<String>) -> Result<Plan, Incomplete> {
    let filler = Filler { lookup };
    let mut plan = plan.clone();
    let settings = &mut plan.settings;
    filler.text("instance", &mut settings.instance)?;
    filler.text("spool_dir", &mut settings.spool_dir)?;
    for (what, text) in [
        ("listen_addr", &mut settings.listen),
        ("pickle_addr", &mut settings.pickle),
        ("admin_addr", &mut settings.admin),
        ("http_addr", &mut settings.http),
        ("pid_file", &mut settings.pid_file),
        ("state_dir", &mut settings.state_dir),
    ] {
        if let Some(text) = text {
            filler.text(what, text)?;
        }
    }
    for (what, value) in [
        ("plain_read_timeout", &mut settings.listen_idle_ms),
        ("pickle_read_timeout", &mut settings.pickle_idle_ms),
        ("max_procs", &mut settings.workers),
        ("max_connections", &mut settings.connections_max),
        ("line_length_max", &mut settings.line_bytes_max),
        ("pickle_frame_max", &mut settings.pickle_frame_bytes_max),
        ("shutdown_timeout", &mut settings.shutdown_ms),
        ("aggregation_rate", &mut settings.aggregation_rate),
        ("aggregation_checkpoint", &mut settings.aggregation_checkpoint_ms),
        ("spool_dir_max_bytes", &mut settings.spool_bytes_max),
    ] {
        filler.value(what, value)?;
    }
    filler.value("memory", &mut settings.memory)?;
    for destination in &mut plan.table.destinations {
        filler.destination(destination)?;
    }
    Ok(plan)
}

/// The names of the variables that a relay of this plan reads from its environment, in alphabetical order.
#[must_use]
pub fn open_variables(plan: &Plan) -> BTreeSet<String> {
    let asked = RefCell::new(BTreeSet::new());
    let lookup = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        // A value that is a text and a number, so that no error prevents later variables from being read.
        Some("1".to_owned())
    };
    let completed = complete(plan, lookup);
    debug_assert!(completed.is_ok(), "whatever is open may be 1");
    asked.into_inner()
}

struct Filler<F> {
    lookup: F,
}

impl<F: Fn(&str) -> Option<String>> Filler<F> {
    fn text(&self, what: &str, text: &mut Template) -> Result<(), Incomplete> {
        let fail = |missing| Incomplete { what: what.to_owned(), error: Unresolved::Missing(missing) };
        *text = text.resolve(&self.lookup).map_err(fail)?.into();
        Ok(())
    }

    fn value<T>(&self, what: &str, value: &mut Late<T>) -> Result<(), Incomplete>
    where
        T: FromStr + Clone,
        T::Err: fmt::Display,
    {
        let fail = |error| Incomplete { what: what.to_owned(), error };
        *value = Late::Known(value.resolve(&self.lookup).map_err(fail)?);
        Ok(())
    }

    fn destination(&self, destination: &mut Destination) -> Result<(), Incomplete> {
        let written = destination.written();
        self.text(&format!("the address of destination `{written}`"), &mut destination.address)?;
        let options = &mut destination.options;
        for (option, value) in [
            ("flush", &mut options.flush_ms),
            ("reconn", &mut options.reconnect_ms),
            ("connbuf", &mut options.connbuf_lines),
            ("iobuf", &mut options.iobuf_bytes),
            ("spoolbuf", &mut options.spoolbuf_lines),
            ("spoolmaxbytesperfile", &mut options.spool_file_bytes_max),
            ("spoolsyncevery", &mut options.spool_sync_every),
            ("spoolsyncperiod", &mut options.spool_sync_period_ms),
            ("spoolsleep", &mut options.spool_sleep_us),
            ("unspoolsleep", &mut options.unspool_sleep_us),
            ("write_timeout", &mut options.write_timeout_ms),
            ("spool_after", &mut options.spool_after_ms),
            ("spool_max_bytes", &mut options.spool_bytes_max),
            ("spool_max_age", &mut options.spool_age_max_s),
            ("replay_rate", &mut options.replay_rate),
            ("redo_bytes", &mut options.redo_bytes),
            ("block_max", &mut options.block_max_ms),
        ] {
            self.value(&format!("`{option}` of destination `{written}`"), value)?;
        }
        if let Some(redo) = &mut options.redo_ms {
            self.value(&format!("`redo` of destination `{written}`"), redo)?;
        }
        Ok(())
    }
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, error } = self;
        match error {
            Unresolved::Missing(missing) => {
                let name = &missing.name;
                write!(
                    f,
                    "{error}, and {what} needs it: set {name} in the environment, as in `{name}=… relay`"
                )
            }
            Unresolved::Malformed { .. } => write!(f, "{what}: {error}"),
        }
    }
}

impl std::error::Error for Incomplete {}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let mut plan = Plan::default();
        plan.settings.listen = Some("${HOST}:2003".into());
        plan.settings.workers = Late::AtStart("${WORKERS}".into());
        plan.table.destinations.push(Destination::new("graphite.${DC}:2003"));
        plan
    }

    #[test]
    fn a_missing_variable_is_named_with_what_needs_it() {
        let lookup = |name: &str| (name != "DC").then(|| "3".to_owned());
        let error = complete(&plan(), lookup).unwrap_err().to_string();
        assert_eq!(
            error,
            "the variable `DC` is not set, and the address of destination `graphite.${DC}:2003` needs it: \
             set DC in the environment, as in `DC=… relay`"
        );
    }

    #[test]
    fn everything_is_known_afterwards() {
        let plan = complete(&plan(), |_| Some("3".to_owned())).unwrap();
        assert_eq!(plan.settings.listen, Some("3:2003".into()));
        assert_eq!(plan.settings.workers, Late::Known(3));
        assert_eq!(plan.table.destinations[0].address, "graphite.3:2003".into());
    }

    #[test]
    fn what_is_open_is_listed() {
        let open: Vec<_> = open_variables(&plan()).into_iter().collect();
        assert_eq!(open, ["DC", "HOST", "WORKERS"]);
    }

    #[test]
    fn a_number_that_is_none_is_named() {
        let error = complete(&plan(), |_| Some("many".to_owned())).unwrap_err().to_string();
        assert!(error.starts_with("max_procs: `many`: "), "{error}");
    }
}
