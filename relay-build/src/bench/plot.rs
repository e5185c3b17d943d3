//! What a line costs while the table grows, as a picture: SVG, or bars for a terminal.
//!
//! Draws the points of a report and computes nothing else.

use super::GrowthPoint;
use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 70.0;
const BOTTOM: f64 = 50.0;
const TOP: f64 = 30.0;
const RIGHT: f64 = 20.0;

/// Characters in the longest bar.
const BAR: f64 = 40.0;

/// Draws the fastest round of each point as SVG. Nanoseconds are on a logarithmic scale, because the two curves
/// may be far apart.
#[must_use]
pub fn svg(points: &[GrowthPoint]) -> String {
    let (low, high) = bounds(points);
    #[expect(clippy::cast_precision_loss, reason = "a picture")]
    let (most, rules) =
        (points.last().map_or(1, |point| point.rules.max(1)) as f64, |count: u64| count as f64);
    let x = |count: u64| LEFT + (WIDTH - LEFT - RIGHT) * rules(count) / most;
    let y = |ns: f64| {
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (ns.max(low) / low).ln() / (high / low).ln().max(1e-9)
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    let mut tick = low;
    while tick <= high * 1.001 {
        let at = y(tick);
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1}\" \
             text-anchor=\"end\">{tick} ns</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0
        );
        tick *= 10.0;
    }
    for point in points {
        let at = x(point.rules);
        let _ = writeln!(
            out,
            "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            HEIGHT - BOTTOM + 18.0,
            point.rules
        );
    }
    let curves = [("interpreted", "#c0392b"), ("compiled", "#2471a3")];
    for (at, (name, color)) in curves.into_iter().enumerate() {
        let places: Vec<String> = points
            .iter()
            .map(|point| {
                let figures = if name == "compiled" { &point.compiled } else { &point.interpreted };
                format!("{:.1},{:.1}", x(point.rules), y(figures.ns_per_line_min))
            })
            .collect();
        let _ = writeln!(
            out,
            "<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"2\" points=\"{}\"/><text x=\"{}\" y=\"{}\" \
             fill=\"{color}\">{name}</text>",
            places.join(" "),
            LEFT + 10.0 + 100.0 * if at == 0 { 1.0 } else { 0.0 },
            TOP - 10.0
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">rules, from the top of the table</text>\n</svg>",
        f64::midpoint(LEFT, WIDTH - RIGHT),
        HEIGHT - 10.0
    );
    out
}

/// One bar for each point and engine; each engine has its own scale.
#[must_use]
pub fn terminal(points: &[GrowthPoint]) -> String {
    let mut out = String::new();
    for name in ["compiled", "interpreted"] {
        let of = |point: &GrowthPoint| match name {
            "compiled" => point.compiled.ns_per_line_min,
            _ => point.interpreted.ns_per_line_min,
        };
        let most = points.iter().map(of).fold(f64::MIN_POSITIVE, f64::max);
        let _ = writeln!(out, "{name}, ns per line by rules from the top of the table");
        for point in points {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 40")]
            let bar = "█".repeat((of(point) / most * BAR).round() as usize);
            let _ = writeln!(out, "  {:>7} {bar:<40} {:.1}", point.rules, of(point));
        }
    }
    out
}

/// The powers of ten below and above all figures.
fn bounds(points: &[GrowthPoint]) -> (f64, f64) {
    let all = || points.iter().flat_map(|point| [&point.compiled, &point.interpreted]);
    let figures = || all().map(|figures| figures.ns_per_line_min).filter(|ns| ns.is_finite() && *ns > 0.0);
    let low = 10_f64.powf(figures().fold(f64::INFINITY, f64::min).clamp(1.0, 1e9).log10().floor());
    let high = 10_f64.powf(figures().fold(low * 10.0, f64::max).log10().ceil());
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::{super::Figures, *};

    fn points() -> Vec<GrowthPoint> {
        let figures = |ns| Figures { ns_per_line_min: ns, ..Figures::default() };
        [(1, 40.0, 35.0), (500, 60.0, 9_000.0), (1_000, 70.0, 20_000.0)]
            .map(|(rules, compiled, interpreted)| GrowthPoint {
                rules,
                compiled: figures(compiled),
                interpreted: figures(interpreted),
            })
            .to_vec()
    }

    #[test]
    fn every_point_is_inside_of_the_picture() {
        let picture = svg(&points());
        let places = picture.split("points=\"").skip(1).flat_map(|rest| {
            let numbers = rest.split('"').next().unwrap_or_default();
            numbers.split([' ', ',']).map(|number| number.parse::<f64>().unwrap()).collect::<Vec<_>>()
        });
        let places: Vec<f64> = places.collect();
        assert_eq!(places.len(), 12);
        for place in places.chunks(2) {
            assert!((LEFT..=WIDTH - RIGHT).contains(&place[0]), "{place:?}");
            assert!((TOP..=HEIGHT - BOTTOM).contains(&place[1]), "{place:?}");
        }
        assert!(picture.ends_with("</svg>\n"));
    }

    #[test]
    fn the_longest_bar_is_the_dearest_beginning() {
        let text = terminal(&points());
        let bars: Vec<usize> =
            text.lines().map(|line| line.matches('█').count()).filter(|n| *n > 0).collect();
        assert_eq!(bars[2], 40);
        assert_eq!(bars.last(), Some(&40));
        assert_eq!(svg(&[]).matches("polyline").count(), 2);
    }
}
