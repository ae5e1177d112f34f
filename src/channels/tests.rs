//! Text of others in every format: shown, never obeyed.

use jiff::Timestamp;
use proptest::prelude::*;
use pulldown_cmark::{Event as Markdown, Options, Parser, Tag};
use serde_json::Value;

use super::chat::{Style, runs};
use super::text::{JOINER, clean};
use super::*;
use crate::domain::event::Subject;
use crate::domain::ids::MergeRequestId;
use crate::domain::notification::letter::{Sort, Span, Words};

mod autolinks;
mod mattermost_reader;

use autolinks::autolinks;
use mattermost_reader::CODE;

const URL: &str = "https://gitlab.example/shop/web/-/merge_requests/7";

/// What somebody may write into a title, a reason or a job's name.
const HOSTILE: &[&str] = &[
    "/close",
    "x\n/merge\n/approve",
    "x\r\n\r\n/label ~bug",
    "@all @channel @here @everyone",
    "@ana @group/sub",
    "<!channel> <!here> <!everyone>",
    "<!subteam^S123|@ops>",
    "<@U123> <#C123>",
    "<http://evil.example|click here>",
    "<https://evil.example>",
    "[click here](http://evil.example)",
    "![x](http://evil.example/track.png)",
    "[a]: http://evil.example\n[a]",
    "[ref][a]",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<at>Everyone</at>",
    "&lt;!channel&gt; &amp; &#64;all",
    "*bold* _italic_ ~strike~ `code` ```fence```",
    "**bold** __under__ ~~gone~~",
    "# heading",
    "> quote",
    "- item\n1. item",
    "| a | b |\n|---|---|",
    "$x^2$ $$y$$",
    ":fire: :+1: #hashtag ~town-square !7 #34 %1 &1 $1",
    "{{DATE(2026-01-01T00:00:00Z, SHORT)}} {{{{TIME}}}} ${title}",
    "\"}],\"blocks\":[{\"type\":\"image\"",
    "\\\" \\u003c \\n \\",
    "\u{202e}dlrow\u{202c} \u{2066}x\u{2069} \u{200f}\u{200b}\u{feff}",
    "\u{1b}[31mred\u{7}\u{0}\u{8}",
    "\u{e0041}\u{e0042}",
    "line\u{2028}separator\u{2029}paragraph\u{85}next",
    "日本語の理由 \u{5d0}\u{5d1} é \u{1f525}",
    "`` ` `` ` `",
    "\\[x\\](y) \\\\",
    "mailto:x@y.example tel:1 javascript:alert(1) custom+scheme:x slack://x ftp:///y",
    "https://evil.example/?a=b&c=(d) http:evil.example",
    "www.evil.example WWW.EVIL.EXAMPLE www1.evil.example (www.evil.example) www",
    "evil.example evil.example/x sub.evil-1.example/x?y ..com/..com/ \u{430}\u{440}\u{440}\u{4cf}\u{435}.com/x",
    "x@evil.example \"x y\"@evil.example",
    "from $5 to $6, \\$x\\$ \\\\$x$",
    ":) :-( ;-) ;) x-d X-D :-x :o :D :'( :/ :| :$ :@ :] <3 </3",
    "-d",
    "one\u{2424}# two\u{2424}> three\u{2424}| a | b |\u{2424}|---|---|",
    "&#64;all &#x40;all &commat;all &dollar;x&dollar; &colon;",
    "$MM_ATMENTION0$ $MM_EMAIL0$",
    "\\n \\\\* \\[x\\](http\\://evil\\.example) \\",
    "",
    "   \t ",
];

fn letter(said: &str) -> Letter {
    let project = "shop/web".parse().unwrap();
    let id = MergeRequestId { project, iid: 7 };
    Letter {
        id: "0123456789abcdef".parse().unwrap(),
        sort: Sort::Alarm,
        occasion: "ChangeSetRejected".into(),
        about: Subject::MergeRequest(id.clone()),
        at: Timestamp::UNIX_EPOCH,
        words: Words {
            headline: vec![
                Span::MergeRequest {
                    id,
                    url: URL.into(),
                },
                Span::Text(" is rejected: ".into()),
                Span::Said(said.into()),
                Span::Text(" (".into()),
                Span::Code(said.into()),
                Span::Text(").".into()),
            ],
            next: vec![Span::Text("Press `integrate` again.".into())],
        },
        people: vec!["ana".parse().unwrap()],
        recovers: Vec::new(),
    }
}

/// Every text in a JSON value, with the key that holds it.
fn texts(value: &Value) -> Vec<(String, String)> {
    fn collect(key: &str, value: &Value, found: &mut Vec<(String, String)>) {
        match value {
            Value::String(text) => found.push((key.to_owned(), text.clone())),
            Value::Array(items) => items.iter().for_each(|item| collect(key, item, found)),
            Value::Object(map) => map.iter().for_each(|(key, item)| collect(key, item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut found = Vec::new();
    collect("", value, &mut found);
    found
}

fn is_one_line_of_visible_text(text: &str) -> bool {
    !text.chars().any(|c| {
        c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
    })
}

fn is_inert_in_slack(said: &str) {
    let payload = slack::payload(&[letter(said)]);
    let text = payload["text"].as_str().unwrap();
    assert!(!text.contains(['<', '>', '\n']), "{text}");
    assert!(
        !text
            .replace("&amp;", "")
            .replace("&lt;", "")
            .replace("&gt;", "")
            .contains('&'),
        "{text}"
    );
    let blocks = payload["blocks"].as_array().unwrap();
    assert_eq!(blocks.len(), 1);
    let shown = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    assert!(autolinks(&shown).is_empty(), "{:?}", autolinks(&shown));
    assert_eq!(payload["mrkdwn"], false, "`*` and `_` would be read");
    let sections = blocks[0]["elements"].as_array().unwrap();
    assert_eq!(sections.len(), 1);
    for element in sections[0]["elements"].as_array().unwrap() {
        match element["type"].as_str().unwrap() {
            "link" => assert_eq!(element["url"], URL),
            kind => assert_eq!(kind, "text", "{element}"),
        }
        let text = element["text"].as_str().unwrap();
        assert!(
            element["style"]["code"] == true || autolinks(text).is_empty(),
            "{text}"
        );
    }
    for (_, text) in texts(&payload) {
        assert!(is_one_line_of_visible_text(&text), "{text:?}");
    }
}

fn is_inert_in_teams(said: &str) {
    let payload = teams::payload(&[letter(said)]);
    for (key, text) in texts(&payload) {
        assert!(!text.contains("{{"), "{text}");
        assert!(is_one_line_of_visible_text(&text), "{text:?}");
        assert!(key != "url" || text == URL, "{text}");
    }
    let body = payload["attachments"][0]["content"]["body"]
        .as_array()
        .unwrap();
    assert!(
        body.iter().all(|block| block["type"] == "RichTextBlock"),
        "a `TextBlock` would read Markdown"
    );
    let inlines = body[0]["inlines"].as_array().unwrap();
    assert!(inlines.iter().all(|inline| inline["type"] == "TextRun"));
    for inline in inlines {
        let found = autolinks(inline["text"].as_str().unwrap());
        assert!(found.is_empty(), "{found:?}");
    }
    let content = &payload["attachments"][0]["content"];
    assert!(
        content["msteams"]["entities"].is_null(),
        "only an entity makes a mention of `<at>`"
    );
}

/// What Mattermost and GitLab read between them, and more; but neither reads `^x^` as superscript.
fn dialect() -> Options {
    Options::all().difference(Options::ENABLE_SUPERSCRIPT)
}

/// What a reader of Markdown makes of a text beside plain words.
fn markup_of(text: &str) -> Vec<String> {
    Parser::new_ext(text, dialect())
        .filter_map(|event| {
            if let Markdown::Start(Tag::Link { dest_url, .. }) = &event {
                Some(format!("link {dest_url}"))
            } else if let Markdown::Start(Tag::Strong) = &event {
                Some("strong".to_owned())
            } else if let Markdown::Code(_) = &event {
                Some("code".to_owned())
            } else if let Markdown::Start(Tag::Paragraph) | Markdown::End(_) | Markdown::Text(_) =
                &event
            {
                None
            } else {
                Some(format!("{event:?}"))
            }
        })
        .collect()
}

/// The words that a reader of Markdown sees outside of code: where mentions and references are looked for.
fn outside_of_code(text: &str) -> String {
    Parser::new_ext(text, dialect())
        .filter_map(|event| {
            if let Markdown::Text(text) = event {
                Some(text.into_string())
            } else {
                None
            }
        })
        .collect()
}

fn mentions(text: &str) -> Vec<char> {
    let signs: Vec<char> = text.chars().collect();
    let mentioned = signs.windows(2).filter(|pair| {
        matches!(pair[0], '@' | '#' | '~') && (pair[1].is_alphanumeric() || pair[1] == '_')
    });
    mentioned.map(|pair| pair[0]).collect()
}

fn is_inert_in_mattermost(said: &str) {
    let letter = letter(said);
    let payload = mattermost::payload(std::slice::from_ref(&letter));
    let attachment = &payload["attachments"][0];
    let shown = |text: &str| -> String { text.chars().map(mattermost::look_alike).collect() };
    let without_joiners = |text: &str| text.replace(JOINER, "");

    let seen = mattermost_reader::read(attachment["text"].as_str().unwrap());
    assert!(seen.surprises.is_empty(), "{seen:?}");
    assert_eq!(seen.links, [URL]);
    assert_eq!(seen.bold, ["Action needed:"]);
    let words: String = runs(&letter)
        .iter()
        .map(|run| match run.style {
            Style::Plain | Style::Bold => shown(&run.text),
            Style::Code => CODE.to_string(),
        })
        .collect();
    assert_eq!(
        without_joiners(&seen.words),
        words,
        "people read what was written"
    );
    let code = shown(&clean(said)).replace('`', "'");
    let code = [code.as_str(), "integrate"];
    assert_eq!(seen.code, code[usize::from(code[0].is_empty())..]);

    let fallback = mattermost_reader::read(attachment["fallback"].as_str().unwrap());
    assert!(fallback.surprises.is_empty(), "{fallback:?}");
    assert!(fallback.links.is_empty() && fallback.bold.is_empty() && fallback.code.is_empty());
    for text in [&attachment["text"], &attachment["fallback"]] {
        let text = text.as_str().unwrap();
        assert!(is_one_line_of_visible_text(text), "{text:?}");
        let mut markup = markup_of(text);
        markup.retain(|kind| kind != "code" && kind != "strong" && *kind != format!("link {URL}"));
        assert!(
            markup.is_empty(),
            "other readers of Markdown agree: {markup:?}"
        );
    }
}

fn is_inert_for_programs(said: &str) {
    let text = webhook::envelope(&letter(said), "https://gitlab.example/shop/web").to_string();
    assert_eq!(text.lines().count(), 1);
    let value: Value = serde_json::from_str(&text).unwrap();
    let headline = value["data"]["headline"].as_str().unwrap();
    assert!(headline.starts_with("!7 is rejected: "), "{headline}");
    assert!(
        is_one_line_of_visible_text(headline) && !headline.contains('\n'),
        "{headline:?}"
    );
    assert_eq!(value["data"].as_object().unwrap().len(), 7);
}

fn is_inert_in_a_note(said: &str) {
    let words = letter(said).words;
    let note = crate::report::mention(&["ana".parse().unwrap()].into(), &words);
    assert_eq!(note.lines().count(), 1, "{note}");
    assert!(note.starts_with("@ana !7 is rejected: "), "{note}");
    let outside = outside_of_code(&note["@ana !7".len()..]);
    assert!(mentions(&outside).is_empty(), "{outside}");
    let mut markup = markup_of(&note);
    markup.retain(|kind| kind != "code");
    assert!(markup.is_empty(), "{markup:?}: {note}");
}

fn is_inert(said: &str) {
    is_inert_in_slack(said);
    is_inert_in_teams(said);
    is_inert_in_mattermost(said);
    is_inert_for_programs(said);
    is_inert_in_a_note(said);
}

#[test]
fn hostile_text_is_inert_in_every_format() {
    for said in HOSTILE {
        is_inert(said);
        is_inert(&said.repeat(40));
        is_inert(&format!("x{said}"));
        is_inert(&format!("x {said} y"));
    }
    is_inert(&"a".repeat(1_000_000));
}

#[test]
fn a_post_of_many_long_messages_stays_within_what_chats_take() {
    let letters: Vec<Letter> = (0..MOST_IN_A_POST)
        .map(|index| letter(&["\u{1f525}", "."][index % 2].repeat(5_000)))
        .collect();
    for (payload, most) in [
        (slack::payload(&letters), 60_000),
        (mattermost::payload(&letters), 60_000),
        (teams::payload(&letters), 28_000),
    ] {
        assert!(
            payload.to_string().len() < most,
            "{}",
            payload.to_string().len()
        );
    }
}

#[test]
fn the_signature_is_that_of_the_specification() {
    // The key, id, time and body of the example in the Standard Webhooks specification's own test vectors.
    let key = base64::Engine::decode(
        &base64::engine::general_purpose::STANDARD,
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    .unwrap();
    let text = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
    assert_eq!(
        webhook::sign(&key, text),
        "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    );
}

proptest! {
    #[test]
    fn any_text_is_inert_in_every_format(said in "\\PC{0,60}|[.:/@$~#;\\\\&wxdcom0-9(|)\\[\\]!*_` \\x{2424}-]{0,60}|[<>&@#~!:/\\[\\]()*_`{}|\\\\\\n a-z]{0,60}|.{0,80}") {
        is_inert(&said);
    }
}
