//! What holds for every text.

use proptest::prelude::*;

use super::*;

/// Pieces of descriptions, so that what they are made of meets in every order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "closes feature #1",
        "contributes to features #2, #3",
        "closes",
        "feature",
        "#4",
        " ",
        "\n",
        "\n\n",
        "> ",
        ">>>\n",
        "```\n",
        "~~~\n",
        "`",
        "<!--",
        "-->",
        "- ",
        "  - ",
        "* ",
        "[",
        "](",
        ")",
        "https://gitlab.example:8443/git/a/b/-/issues/5",
        "<del>",
        "</del>",
        "<code>",
        "</code>",
        "<details>\n",
        "~~",
        "**",
        "_",
        "| a |\n|---|\n|",
        "\\",
        "&nbsp;",
        "&#35;6",
        "：＃７",
        "\u{200b}",
        "\u{202e}",
        "\u{feff}",
        "日本",
        "é",
        "🚀",
        "    ",
        "\t",
        "# ",
        "[x]: http://x\n",
        "!",
        ",",
        " and ",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_can_be_read(text in "(?s).{0,400}") {
        read(&text);
    }

    #[test]
    fn any_markup_can_be_read_and_every_line_is_the_one_named(text in pieces()) {
        let reading = read(&text);
        let lines = reading.claims.iter().map(|claim| &claim.line)
            .chain(reading.problems.iter().map(|problem| &problem.line))
            .chain(reading.remarks.iter().map(|remark| &remark.line));
        for line in lines {
            let source = text.split('\n').nth(line.number - 1).unwrap();
            prop_assert!(source.contains(&line.text), "{line:?}");
            for range in [&line.verb, &line.reference].into_iter().flatten() {
                prop_assert!(line.text.get(range.clone()).is_some(), "{line:?}");
            }
        }
    }

    #[test]
    fn line_ends_of_windows_change_nothing(text in pieces()) {
        let of = |text: &str| {
            let reading = read(text);
            let lines: Vec<(String, usize)> = reading.claims.iter().map(|claim| (show(claim), claim.line.number)).collect();
            (lines, reading.problems.len(), reading.remarks.len())
        };
        prop_assert_eq!(of(&text.replace('\n', "\r\n")), of(&text));
    }

    #[test]
    fn a_list_is_read_whole_and_in_order_whatever_separates_it(
        iids in prop::collection::vec(1u64..100_000, 1..8),
        separator in prop::sample::select(vec![", ", ",", " and ", " & ", ", and ", ",\n", "、", " ", " + ", "; "]),
        closing in any::<bool>(),
    ) {
        let words = if closing { "closes features" } else { "contributes to features" };
        let list = iids.iter().map(|iid| format!("#{iid}")).collect::<Vec<_>>().join(separator);
        let sign = if closing { '!' } else { '+' };
        let mut expected: Vec<String> = Vec::new();
        for iid in &iids {
            let claim = format!("{sign}#{iid}");
            if !expected.contains(&claim) {
                expected.push(claim);
            }
        }
        prop_assert_eq!(claims(&format!("Hello.\n\n{words} {list}\n\nbye")), expected);
    }

    #[test]
    fn what_is_hidden_is_never_read(text in "[a-z #0-9,\n]{0,60}", kind in 0..6usize) {
        let inner = format!("closes feature #1\n{text}\ncloses feature #2");
        let line = inner.replace('\n', " ");
        let hidden = match kind {
            0 => format!("````\n{inner}\n````\n"),
            1 => format!("~~~~\n{inner}\n"),
            2 => format!("<!--\n{inner}\n-->\n"),
            3 => format!("Words `` {line} `` words"),
            4 => format!("> {}", inner.replace('\n', "\n> ")),
            _ => format!(">>>\n{inner}\n\n>>>\n"),
        };
        prop_assert_eq!(claims(&hidden), Vec::<String>::new(), "{}", hidden);
    }

    #[test]
    fn reading_again_what_was_read_finds_the_same(text in pieces()) {
        prop_assert_eq!(read(&text), read(&text));
    }
}
