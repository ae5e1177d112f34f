//! The drawings, as inline SVG written by hand: lanes (a bar per visit on one time axis) and marks on a logarithmic time
//! scale are not among the charts of the plotting library at hand, and both must follow the page's colours and print.

use jiff::Timestamp;

use super::text::{brief, duration, escape, instant};
use super::{Frame, Names};
use crate::insights::numbers::seconds_between;
use crate::insights::{Distribution, FeatureFlow, Stage, StageFigures, Turn, Visit};

pub(super) const WIDTH: f64 = 1_120.0;
pub(super) const LABELS: f64 = 270.0;
const MARGIN: f64 = 70.0;
pub(super) const LANE: f64 = 26.0;
pub(super) const BAR: f64 = 16.0;
pub(super) const TOP: f64 = 28.0;

/// The stripes that tell waiting from work without colour; every drawing of the page uses them.
pub(super) fn patterns() -> String {
    let mut defs = String::from(
        "<svg width=\"0\" height=\"0\" style=\"position:absolute;min-width:0\" aria-hidden=\"true\"><defs>",
    );
    for stage in Stage::ON_THE_WAY.iter().filter(|stage| stage.waits()) {
        let n = index(*stage);
        defs.push_str(&format!(
            "<pattern id=\"w{n}\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
             <rect width=\"7\" height=\"7\" class=\"c{n}\"/><path d=\"M0 0V7\" class=\"stripe\"/></pattern>"
        ));
    }
    defs + "</defs></svg>"
}

/// What colours, stripes and letters mean.
pub(super) fn legend() -> String {
    let mut items = String::new();
    for stage in Stage::ON_THE_WAY {
        items.push_str(&format!(
            "<li><svg viewBox=\"0 0 26 16\" aria-hidden=\"true\"><rect width=\"26\" height=\"16\" class=\"s{}\"/>\
             <text x=\"13\" y=\"12\" class=\"letter\">{}</text></svg>{stage} ({})</li>",
            index(stage),
            letter(stage),
            if stage.waits() { "waiting, striped" } else { "work" },
        ));
    }
    format!(
        "<ul class=\"legend\">{items}<li><svg viewBox=\"0 0 26 16\" aria-hidden=\"true\">{}</svg>sent back</li>\
         <li><svg viewBox=\"0 0 26 16\" aria-hidden=\"true\">{}</svg>in production</li></ul>",
        cross(13.0, 8.0),
        diamond(13.0, 8.0)
    )
}

/// A time axis.
pub(super) struct Axis {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Axis {
    fn over(features: &[&FeatureFlow], from: Option<Timestamp>, to: Timestamp) -> Self {
        let first = features.iter().map(|feature| feature.first_known).min();
        let from = first.max(from).unwrap_or(to).min(to);
        Self { from, to }
    }

    /// Where an instant is; what is off the axis sits on its end.
    pub(super) fn x(&self, at: Timestamp) -> f64 {
        let whole = self.to.duration_since(self.from).as_secs_f64();
        if whole <= 0.0 {
            return LABELS;
        }
        let part = at.clamp(self.from, self.to).duration_since(self.from);
        LABELS + (WIDTH - LABELS - MARGIN) * part.as_secs_f64() / whole
    }

    /// Its lines down to a height, with their labels above.
    pub(super) fn grid(&self, bottom: f64) -> String {
        let line = |(at, label): (Timestamp, String)| {
            let x = self.x(at);
            format!(
                "<path d=\"M{x:.1} {TOP}V{bottom}\" class=\"grid\"/><text x=\"{x:.1}\" y=\"{:.0}\" class=\"axis\" text-anchor=\"middle\">{label}</text>",
                TOP - 10.0
            )
        };
        self.ticks().into_iter().map(line).collect()
    }

    /// Round instants with their labels, at most nine.
    fn ticks(&self) -> Vec<(Timestamp, String)> {
        const HOUR: i64 = 3_600;
        const DAY: i64 = 24 * HOUR;
        const STEPS: [i64; 16] = [
            60,
            300,
            900,
            1_800,
            HOUR,
            3 * HOUR,
            6 * HOUR,
            12 * HOUR,
            DAY,
            2 * DAY,
            7 * DAY,
            14 * DAY,
            28 * DAY,
            91 * DAY,
            364 * DAY,
            3_640 * DAY,
        ];
        let (from, to) = (self.from.as_second(), self.to.as_second());
        let step = STEPS
            .into_iter()
            .find(|step| (to - from) / step < 9)
            .unwrap_or(to - from);
        // The first second of the epoch was a Thursday; weeks begin on a Monday.
        let phase = if step >= 7 * DAY { 4 * DAY } else { 0 };
        let first = (from - phase).div_euclid(step) * step + step + phase;
        let format = match step {
            ..DAY => "%-d %b %H:%M",
            DAY..=7_862_400 => "%-d %b",
            7_862_401.. => "%b %Y",
        };
        (0..10)
            .map(|n| first + n * step)
            .take_while(|second| *second <= to)
            .filter_map(|second| Timestamp::from_second(second).ok())
            .map(|at| (at, at.strftime(format).to_string()))
            .collect()
    }
}

/// One lane per feature: its visits as bars on one time axis.
pub(super) fn lanes(
    features: &[&FeatureFlow],
    frame: &Frame,
    names: &Names,
    from: Option<Timestamp>,
    to: Timestamp,
) -> String {
    let axis = Axis::over(features, from, to);
    let bottom = TOP + LANE * features.len() as f64;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"One lane per feature from {} to {}; the table below holds the same\">",
        bottom + 22.0,
        instant(axis.from),
        instant(axis.to)
    );
    svg.push_str(&axis.grid(bottom));
    let end = axis.x(axis.to);
    svg.push_str(&format!(
        "<path d=\"M{end:.1} {TOP}V{bottom}\" class=\"now\"/><text x=\"{end:.1}\" y=\"{:.0}\" class=\"axis\" text-anchor=\"end\">{} UTC</text>",
        bottom + 15.0,
        instant(axis.to)
    ));
    let mut middle = TOP + LANE / 2.0;
    for feature in features {
        svg.push_str(&lane(feature, frame, names, &axis, middle));
        middle += LANE;
    }
    svg + "</svg>"
}

fn lane(feature: &FeatureFlow, frame: &Frame, names: &Names, axis: &Axis, middle: f64) -> String {
    const LABEL: usize = 36;
    let name = names.feature(&feature.feature);
    let room = LABEL.saturating_sub(name.chars().count() + 1).max(8);
    let title = frame
        .titles
        .get(&feature.feature)
        .map(|title| brief(title, room));
    let mut svg = format!(
        "<text x=\"0\" y=\"{:.0}\"><tspan font-weight=\"600\">{name}</tspan> {}</text>",
        middle + 4.0,
        title.unwrap_or_default()
    );
    for visit in &feature.visits {
        svg.push_str(&bar(visit, axis, middle));
    }
    let mut last = f64::NEG_INFINITY;
    for step in &feature.timeline {
        let x = axis.x(step.at);
        if step.turn == Turn::Back && step.at >= axis.from && x - last > 8.0 {
            svg.push_str(&cross(x, middle));
            last = x;
        }
    }
    if let Some(release) = feature.released.as_ref().filter(|r| r.at <= axis.to) {
        let x = axis.x(release.at);
        let number = release.number.as_deref().unwrap_or_default();
        svg.push_str(&format!(
            "{}<text x=\"{:.1}\" y=\"{:.0}\" class=\"axis\">{}</text>",
            diamond(x, middle),
            x + 9.0,
            middle + 4.0,
            brief(number, 10)
        ));
    }
    svg
}

fn bar(visit: &Visit, axis: &Axis, middle: f64) -> String {
    let to = visit.to.unwrap_or(axis.to);
    if visit.stage == Stage::Released || to < axis.from || to <= visit.from || visit.from > axis.to
    {
        return String::new();
    }
    let (x, width) = (
        axis.x(visit.from),
        (axis.x(to) - axis.x(visit.from)).max(1.5),
    );
    let n = index(visit.stage);
    let lasted = seconds_between(visit.from, to)
        .map(duration)
        .unwrap_or_default();
    let so_far = if visit.to.is_none() { " so far" } else { "" };
    let mut svg = format!(
        "<rect x=\"{x:.1}\" y=\"{:.0}\" width=\"{width:.1}\" height=\"{BAR}\" class=\"s{n}\"><title>{}: {lasted}{so_far}</title></rect>",
        middle - BAR / 2.0,
        visit.stage
    );
    if width > 16.0 {
        svg.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{:.0}\" class=\"letter\">{}</text>",
            x + width / 2.0,
            middle + 4.0,
            letter(visit.stage)
        ));
    }
    svg
}

/// Where the time goes: one bar, cut by the stages' shares of it.
pub(super) fn shares(stages: &[StageFigures]) -> String {
    let total: u64 = stages.iter().map(|figures| figures.seconds).sum();
    if total == 0 {
        return String::new();
    }
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} 40\" role=\"img\" aria-label=\"Share of each stage; the table below holds the same\">"
    );
    let mut x = 0.0;
    for figures in stages {
        let width = WIDTH * share(figures.seconds, total);
        let n = index(figures.stage);
        svg.push_str(&format!(
            "<rect x=\"{x:.1}\" y=\"4\" width=\"{width:.1}\" height=\"32\" class=\"s{n}\"><title>{}: {}</title></rect>",
            figures.stage,
            duration(figures.seconds)
        ));
        if width > 20.0 {
            svg.push_str(&format!(
                "<text x=\"{:.1}\" y=\"24\" class=\"letter\">{}</text>",
                x + width / 2.0,
                letter(figures.stage)
            ));
        }
        x += width;
    }
    svg + "</svg>"
}

/// Percentiles of several measures, one under the other, on a logarithmic scale of time.
pub(super) fn percentiles(measures: &[(String, Distribution)]) -> String {
    const TICKS: [(u64, &str); 8] = [
        (10, "10 s"),
        (60, "1 min"),
        (600, "10 min"),
        (3_600, "1 h"),
        (21_600, "6 h"),
        (86_400, "1 d"),
        (604_800, "1 w"),
        (2_592_000, "30 d"),
    ];
    let smallest = measures.iter().map(|(_, d)| d.p50.max(1)).min();
    let largest = measures.iter().map(|(_, d)| d.p95.max(1)).max();
    let (Some(smallest), Some(largest)) = (smallest, largest) else {
        return String::new();
    };
    let low = TICKS
        .iter()
        .rev()
        .find(|(s, _)| *s <= smallest)
        .map_or(1, |(s, _)| *s);
    let high = TICKS
        .iter()
        .find(|(s, _)| *s >= largest)
        .map_or(largest, |(s, _)| *s)
        .max(low * 10);
    let x = |seconds: u64| {
        let part = (log(seconds) - log(low)) / (log(high) - log(low));
        LABELS + (WIDTH - LABELS - MARGIN) * part.clamp(0.0, 1.0)
    };
    let bottom = TOP + LANE * measures.len() as f64;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"Percentiles on a logarithmic scale of time; the table below holds the same\">",
        bottom + 8.0
    );
    for (seconds, label) in TICKS.iter().filter(|(s, _)| (low..=high).contains(s)) {
        let x = x(*seconds);
        svg.push_str(&format!(
            "<path d=\"M{x:.1} {TOP}V{bottom}\" class=\"grid\"/><text x=\"{x:.1}\" y=\"{:.0}\" class=\"axis\" text-anchor=\"middle\">{label}</text>",
            TOP - 10.0
        ));
    }
    let mut y = TOP + LANE / 2.0;
    for (name, spread) in measures {
        let (a, b, c) = (x(spread.p50), x(spread.p85), x(spread.p95));
        svg.push_str(&format!(
            "<text x=\"0\" y=\"{:.0}\">{}</text><path d=\"M{a:.1} {y}H{c:.1}\" class=\"link\"/>\
             <rect x=\"{:.1}\" y=\"{:.0}\" width=\"5\" height=\"14\" class=\"p95\"><title>p95 {}</title></rect>\
             <path d=\"M{b:.1} {:.0}l7 12h-14z\" class=\"p85\"><title>p85 {}</title></path>\
             <circle cx=\"{a:.1}\" cy=\"{y}\" r=\"6\" class=\"p50\"><title>p50 {}</title></circle>",
            y + 4.0,
            escape(name),
            c - 2.5,
            y - 7.0,
            duration(spread.p95),
            y - 7.0,
            duration(spread.p85),
            duration(spread.p50),
        ));
        y += LANE;
    }
    svg + "</svg><p class=\"soft\">Circle: p50. Triangle: p85. Bar: p95.</p>"
}

/// A part of a whole, from 0 to 1.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn log(seconds: u64) -> f64 {
    (seconds.max(1) as f64).ln()
}

fn cross(x: f64, y: f64) -> String {
    format!(
        "<path d=\"M{:.1} {:.1}l8 8m0-8l-8 8\" class=\"back\"/>",
        x - 4.0,
        y - 4.0
    )
}

fn diamond(x: f64, y: f64) -> String {
    format!(
        "<path d=\"M{x:.1} {:.1}l7 7-7 7-7-7z\" class=\"out\"/>",
        y - 7.0
    )
}

fn index(stage: Stage) -> usize {
    let all = Stage::ON_THE_WAY.iter();
    all.take_while(|other| **other != stage).count()
}

fn letter(stage: Stage) -> char {
    match stage {
        Stage::Development => 'D',
        Stage::Validation => 'V',
        Stage::Validated => '✓',
        Stage::Queued => 'Q',
        Stage::Trial => 'T',
        Stage::Landed => 'L',
        Stage::Released => 'P',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insights::story::minute;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_round_and_in_the_words_of_their_distance() {
        let labels = |from, to| -> Vec<String> {
            let axis = Axis {
                from: minute(from),
                to: minute(to),
            };
            axis.ticks().into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(
            labels(0, 4),
            ["5 Jan 08:01", "5 Jan 08:02", "5 Jan 08:03", "5 Jan 08:04"]
        );
        assert_eq!(
            labels(0, 4 * 24 * 60),
            [
                "5 Jan 12:00",
                "6 Jan 00:00",
                "6 Jan 12:00",
                "7 Jan 00:00",
                "7 Jan 12:00",
                "8 Jan 00:00",
                "8 Jan 12:00",
                "9 Jan 00:00"
            ]
        );
        assert_eq!(
            labels(0, 30 * 24 * 60),
            ["12 Jan", "19 Jan", "26 Jan", "2 Feb"],
            "Mondays"
        );
    }

    proptest! {
        #[test]
        fn ticks_are_few_and_on_the_axis(from in -1_000_000_000i64..2_000_000_000, length in 60i64..900_000_000) {
            let at = |second| Timestamp::from_second(second).unwrap();
            let axis = Axis { from: at(from), to: at(from + length) };
            let ticks = axis.ticks();
            prop_assert!(ticks.len() <= 9, "{}", ticks.len());
            for (tick, _) in ticks {
                prop_assert!(axis.from < tick && tick <= axis.to);
                prop_assert!((LABELS..=WIDTH - MARGIN).contains(&axis.x(tick)));
            }
        }
    }
}
