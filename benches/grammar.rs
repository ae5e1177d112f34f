//! How long a description of one megabyte takes to read: `cargo bench --bench grammar`. Budget for ordinary text: 20 ms.
//!
//! Beside it, each kind of text that a careless reader would take very long for: twice the text may take about twice the time.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed benchmark")]
#![expect(clippy::print_stdout, reason = "the figures are the result")]
#![expect(clippy::disallowed_methods, reason = "time is what is measured")]

use std::time::{Duration, Instant};

use trainyard::domain::linking::grammar::Grammar;

const SIZE: usize = 1024 * 1024;
const RUNS: usize = 7;
/// So many of the cases are text that people write.
const ORDINARY: usize = 2;
const BUDGET: Duration = Duration::from_millis(20);

fn main() {
    let home = "shop/web".parse().unwrap();
    let grammar = Grammar::new("https://gitlab.example", &home, &[], &[]).unwrap();
    let prose = "This change brings the new page for customers who pay by card, with **all** its `tests`.\nIt was asked for in #12 and [here](https://gitlab.example/a/b/-/issues/9), see below.\n\n- one thing\n- another\n\n";
    let cases: [(&str, &str); 26] = [
        ("prose", prose),
        ("Chinese", "关闭功能请求，这里有更多的文字。"),
        ("the same link", "contributes to feature #34\n\n"),
        ("links left unfilled", "closes feature #\n\n"),
        ("verbs alone", "closes closes closes "),
        ("verb and word alone", "closes feature "),
        ("near links", "closes the new feature and then "),
        ("quotations in each other", "> "),
        ("alerts in each other", "> [!note] "),
        ("fences of quotations", ">>>\n"),
        ("lists in each other", "- "),
        ("lists below the words", "- closes feature:\n"),
        ("open brackets", "["),
        ("links in each other", "[closes feature ["),
        ("open images", "!["),
        ("brackets and parentheses", "[a]("),
        ("links to nowhere", "[a](<b"),
        ("backticks", "` "),
        ("backticks of every length", "a `` b ``` c ` "),
        ("emphasis", "*a **b _c __d "),
        ("struck out", "~~a "),
        ("open comments", "<!-- "),
        ("open elements", "<a "),
        ("open hiding elements", "<del><code>"),
        ("escapes", "\\\\"),
        ("entities", "&amp;&#35;"),
    ];
    for (number, (name, piece)) in cases.into_iter().enumerate() {
        let (half, whole) = (
            fastest(&grammar, piece, SIZE / 2),
            fastest(&grammar, piece, SIZE),
        );
        let ordinary = number < ORDINARY;
        let over = if ordinary && whole > BUDGET {
            "  over the budget"
        } else {
            ""
        };
        let (whole, half) = (whole.as_secs_f64() * 1e3, half.as_secs_f64() * 1e3);
        println!(
            "{name:<28} {whole:>8.2} ms, {:>4.1} times half of it{over}",
            whole / half
        );
    }
}

fn fastest(grammar: &Grammar, piece: &str, size: usize) -> Duration {
    let text = piece.repeat(size / piece.len());
    let mut taken: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let began = Instant::now();
            std::hint::black_box(grammar.read(std::hint::black_box(&text)));
            began.elapsed()
        })
        .collect();
    taken.sort();
    taken[0]
}
