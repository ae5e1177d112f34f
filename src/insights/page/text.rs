//! Text for the page: the one place where untrusted text becomes HTML, and how durations, instants and names are written.

use jiff::Timestamp;

use crate::domain::ids::{FeatureId, MergeRequestId, ProjectPath};

/// Makes any text safe between tags and in quoted attributes. Line breaks become spaces; control characters and those
/// that turn the direction of everything after them are dropped.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => safe.push(' '),
            c if c.is_control() || turns_direction(c) => {}
            c => safe.push(c),
        }
    }
    safe
}

/// Cuts a text to a length at which it cannot spoil the page, then escapes it.
pub(super) fn brief(text: &str, max: usize) -> String {
    let mut chars = text.trim().chars();
    let mut cut: String = chars.by_ref().take(max).collect();
    if chars.next().is_some() {
        cut.push('…');
    }
    escape(&cut)
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A link, if the address is one that a browser can open without running anything.
pub(super) fn link(url: Option<&String>, label: &str) -> String {
    const LONGEST: usize = 300;
    let safe = url.filter(|url| {
        (url.starts_with("https://") || url.starts_with("http://")) && url.len() <= LONGEST
    });
    match safe {
        Some(url) => format!("<a href=\"{}\">{label}</a>", escape(url)),
        None => label.to_owned(),
    }
}

/// A duration in its two largest units.
pub(super) fn duration(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let two = |large: u64, unit: &str, small: u64, of: &str| match small {
        0 => format!("{large} {unit}"),
        small => format!("{large} {unit} {small} {of}"),
    };
    match seconds {
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => two(seconds / HOUR, "h", seconds % HOUR / MINUTE, "min"),
        DAY.. => two(seconds / DAY, "d", seconds % DAY / HOUR, "h"),
    }
}

/// An instant, to the minute, in UTC.
pub(super) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// A part of a whole in per cent.
pub(super) fn percent(part: f64) -> String {
    if part > 0.0 && part < 0.005 {
        "under 1 %".to_owned()
    } else {
        format!("{:.0} %", part * 100.0)
    }
}

/// A number with its noun, which only needs an `s` for many.
pub(super) fn count(n: usize, noun: &str) -> String {
    match n {
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    }
}

/// How features and merge requests are called: short when they are of the project that the page is about.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) home: Option<ProjectPath>,
}

impl Names {
    const LONGEST: usize = 60;

    pub(super) fn feature(&self, id: &FeatureId) -> String {
        let name = match &self.home {
            Some(home) => id.seen_from(home),
            None => id.to_string(),
        };
        brief(&name, Self::LONGEST)
    }

    pub(super) fn merge_request(&self, id: &MergeRequestId) -> String {
        if self.home.as_ref() == Some(&id.project) {
            id.to_string()
        } else {
            brief(&format!("{}{id}", id.project), Self::LONGEST)
        }
    }

    /// The name of the feature's place on the page.
    pub(super) fn anchor(&self, id: &FeatureId) -> String {
        if self.home.as_ref() == Some(&id.project) {
            format!("feature-{}", id.iid)
        } else {
            escape(&format!("feature-{}-{}", id.project, id.iid))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_leave_its_place() {
        assert_eq!(
            escape("<script>alert(\"x\" & 'y')</script>"),
            "&lt;script&gt;alert(&quot;x&quot; &amp; &#39;y&#39;)&lt;/script&gt;"
        );
        assert_eq!(escape("a\r\nb\tc\0\u{1b}[1m"), "a  b c[1m");
        assert_eq!(escape("ab\u{202e}cd\u{2066}\u{200f}"), "abcd");
        assert_eq!(escape("日本 שלום"), "日本 שלום");
        assert_eq!(brief(&"&".repeat(9), 2), "&amp;&amp;…");
        assert_eq!(brief(" ab ", 2), "ab");
    }

    #[test]
    fn only_addresses_of_the_web_become_links() {
        let of = |url: &str| link(Some(&url.to_owned()), "x");
        assert_eq!(
            of("https://a.example/?a=1&b=\"2\""),
            "<a href=\"https://a.example/?a=1&amp;b=&quot;2&quot;\">x</a>"
        );
        for bad in ["javascript:alert(1)", "data:text/html,x", " https://a", ""] {
            assert_eq!(of(bad), "x", "{bad}");
        }
        assert_eq!(of(&format!("https://{}", "a".repeat(300))), "x");
    }

    #[test]
    fn durations_are_written_in_their_two_largest_units() {
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (3_660, "1 h 1 min"),
            (86_399, "23 h 59 min"),
            (86_400, "1 d"),
            (273_600, "3 d 4 h"),
        ];
        for (seconds, words) in cases {
            assert_eq!(duration(seconds), words);
        }
        assert_eq!(
            [0.0, 0.004, 0.006, 0.204, 1.0].map(percent),
            ["0 %", "under 1 %", "1 %", "20 %", "100 %"]
        );
        assert_eq!(
            (count(1, "trial"), count(2, "trial")),
            ("1 trial".into(), "2 trials".into())
        );
    }
}
