//! Tables that can be read aloud: a caption, a header for every row and column, and a bound on their size.

use super::text::{duration, escape};
use crate::insights::Distribution;

/// Percentiles of fewer durations than this are said to be of few.
const FEW: usize = 11;

/// A table. Headers that end in `*` are of text, the others of numbers.
pub(super) fn table(caption: &str, headers: &[&str], rows: &str) -> String {
    let heads: String = headers
        .iter()
        .map(|header| match header.strip_suffix('*') {
            Some(text) => format!("<th scope=\"col\" class=\"t\">{text}</th>"),
            None => format!("<th scope=\"col\">{header}</th>"),
        })
        .collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table><caption>{0}</caption>\
         <thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>",
        escape(caption)
    )
}

/// A row: its header, cells of numbers, and cells of text last.
pub(super) fn row(head: &str, numbers: &[String], texts: &[String]) -> String {
    let mut row = format!("<tr><th scope=\"row\">{head}</th>");
    for number in numbers {
        row.push_str(&format!("<td>{number}</td>"));
    }
    for text in texts {
        row.push_str(&format!("<td class=\"t\">{text}</td>"));
    }
    row + "</tr>\n"
}

/// As many pieces as fit into a number of bytes, and how many did not.
pub(super) fn within(bytes: usize, pieces: impl Iterator<Item = String>) -> (String, usize) {
    let (mut fitting, mut left_out) = (String::new(), 0);
    for piece in pieces {
        if left_out == 0 && fitting.len() + piece.len() <= bytes {
            fitting.push_str(&piece);
        } else {
            left_out += 1;
        }
    }
    (fitting, left_out)
}

/// What is said of pieces that did not fit.
pub(super) fn and_more(left_out: usize) -> String {
    match left_out {
        0 => String::new(),
        n => format!("<p class=\"soft\">And {n} more, in the output of <code>--json</code>.</p>"),
    }
}

/// The cells n, p50, p85, p95, longest.
pub(super) fn spread(spread: Option<Distribution>) -> Vec<String> {
    match spread {
        Some(d) => {
            let mut cells = vec![format!("{}{}", d.n, few(d.n))];
            cells.extend([d.p50, d.p85, d.p95, d.max].map(duration));
            cells
        }
        None => ["0", "–", "–", "–", "–"].map(str::to_owned).to_vec(),
    }
}

/// A warning next to an `n`.
pub(super) fn few(n: usize) -> &'static str {
    if n < FEW { " (few)" } else { "" }
}
