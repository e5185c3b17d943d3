//! Judges a bench report: against limits, and against a report that was saved before.
//!
//! Only compares figures that are given; `measure` makes them.

use super::{Figures, Report};

/// What a bench must meet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// The most nanoseconds per line that the compiled table may take, in its best round.
    pub ns_max: Option<f64>,
    /// By how much the figure may exceed the baseline's: 0.05 for 5%.
    pub regression_max: Option<f64>,
}

/// One requirement, and whether it was met.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Judgement {
    /// Whether it was met.
    pub is_met: bool,
    /// The figures and the requirement, in words.
    pub said: String,
}

/// Judges `report` by `limits`, and against `baseline` if there is one. A regression is judged by instructions
/// per line if both reports have them, otherwise by the time of the best round.
#[must_use]
pub fn judge(report: &Report, baseline: Option<&Report>, limits: Limits) -> Vec<Judgement> {
    let mut judgements = Vec::new();
    if let Some(most) = limits.ns_max {
        let best = report.compiled.ns_per_line_min;
        let said = format!("{best:.1} ns per line in the best round, at most {most} wanted");
        judgements.push(Judgement { is_met: best <= most, said });
    }
    if let Some(baseline) = baseline {
        judgements.push(regression(report, baseline, limits.regression_max.unwrap_or(f64::INFINITY)));
    }
    judgements
}

fn regression(report: &Report, baseline: &Report, most: f64) -> Judgement {
    let (now, before, unit) = comparable(&report.compiled, &baseline.compiled);
    let growth = now / before - 1.0;
    let demand =
        if most.is_finite() { format!(", at most {:+.1}% wanted", most * 100.0) } else { String::new() };
    let mut said = format!("{now:.1} {unit} after {before:.1}: {:+.1}%{demand}", growth * 100.0);
    if report.corpus.sha256 != baseline.corpus.sha256 {
        said.push_str(
            " (over other lines than the baseline's: give the same --corpus to compare like with like)",
        );
    }
    Judgement { is_met: growth <= most, said }
}

fn comparable(now: &Figures, before: &Figures) -> (f64, f64, &'static str) {
    match now.instructions_per_line.zip(before.instructions_per_line) {
        Some((now, before)) => (now, before, "instructions per line"),
        None => (now.ns_per_line_min, before.ns_per_line_min, "ns per line in the best round"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(ns: f64, instructions: Option<f64>) -> Report {
        let compiled =
            Figures { ns_per_line_min: ns, instructions_per_line: instructions, ..Figures::default() };
        Report { compiled, ..Report::default() }
    }

    #[test]
    fn instructions_decide_where_both_have_them() {
        let limits = Limits { regression_max: Some(0.05), ..Limits::default() };
        let judged = |now: &Report, before: &Report| judge(now, Some(before), limits)[0].is_met;
        assert!(judged(&report(90.0, Some(104.0)), &report(30.0, Some(100.0))));
        assert!(!judged(&report(20.0, Some(106.0)), &report(30.0, Some(100.0))));
        assert!(!judged(&report(40.0, None), &report(30.0, Some(100.0))));
        assert!(judged(&report(31.0, Some(500.0)), &report(30.0, None)));
    }

    #[test]
    fn a_limit_of_time_is_judged_by_the_best_round() {
        let limits = Limits { ns_max: Some(50.0), ..Limits::default() };
        assert!(judge(&report(50.0, None), None, limits)[0].is_met);
        assert!(!judge(&report(50.1, None), None, limits)[0].is_met);
        assert!(judge(&report(50.1, None), None, Limits::default()).is_empty());
    }
}
