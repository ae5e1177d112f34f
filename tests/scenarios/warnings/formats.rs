//! What each channel gets, byte by byte.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::receiver::Received;
use super::scene::Scene;

const CHANNELS: &str = "channels:
  team: {kind: slack, url_variable: TEAM_URL}
  room: {kind: mattermost, url_variable: ROOM_URL}
  board: {kind: teams, url_variable: BOARD_URL}
  ops: {kind: webhook, url_variable: OPS_URL, secret_variable: OPS_KEY}
  pager: {kind: command, command: [sh, -c, 'cat >> \"$OUT\"; env > \"$OUT.env\"'], variables: [OUT]}";

const KEY: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

fn body(received: &[Received]) -> &str {
    assert_eq!(received.len(), 1, "{received:?}");
    &received[0].body
}

#[test]
fn each_channel_gets_exactly_the_bytes_of_its_format() {
    let mut scene = Scene::with(CHANNELS);
    for (name, path) in [("ROOM_URL", "room"), ("BOARD_URL", "board")] {
        let url = scene.receiver.url(path);
        scene.variable(name, &url);
    }
    scene.variable("OPS_KEY", &format!("whsec_{KEY}"));
    let out = scene.file("paged.ndjson");
    scene.variable("OUT", out.to_str().unwrap());
    scene.stage.feature("Wanted");
    scene.open();
    let iid = scene.rejected();
    assert_eq!(scene.receiver.received().len(), 4);

    let envelope: Value = serde_json::from_str(body(&scene.receiver.at("T0OPS-SECRET"))).unwrap();
    let (id, time) = (envelope["id"].clone(), envelope["time"].clone());
    let url = format!("{}/-/merge_requests/{iid}", scene.stage.world.project_url());
    let tests = scene.stage.last("nrt-tests").id;
    let job = format!("{}/-/jobs/{tests}", scene.stage.world.project_url());
    let expected = json!({
        "specversion": "1.0", "id": id, "source": scene.stage.world.project_url(),
        "type": "dev.trainyard.message.alarm", "subject": format!("shop/web!{iid}"), "time": time,
        "datacontenttype": "application/json",
        "data": {
            "sort": "alarm", "occasion": "ChangeSetRejected",
            "headline": "!1 is rejected by the non-regression tests (trial 1): `nrt-tests` failed. See the job.",
            "next": "It left the queue. Push a fix, and press `integrate` again.",
            "people": ["eve"], "links": [{"label": "!1", "url": url}, {"label": "the job", "url": job}], "recovers": [],
        },
    });
    assert_eq!(
        body(&scene.receiver.at("T0OPS-SECRET")),
        expected.to_string()
    );

    let words = "Action needed:\u{2060} !1 is rejected by the non-regression tests (trial 1):\u{2060} `nrt-tests` failed\u{2060}. See the job\u{2060}. It left the queue\u{2060}. Push a fix, and press integrate again\u{2060}. For eve\u{2060}.";
    let expected = json!({
        "text": words,
        "mrkdwn": false,
        "blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
            {"type": "text", "text": "Action needed:", "style": {"bold": true}},
            {"type": "text", "text": " "},
            {"type": "link", "url": url, "text": "!1"},
            {"type": "text", "text": " is rejected by the non-regression tests (trial 1)"},
            {"type": "text", "text": ":\u{2060} "},
            {"type": "text", "text": "`nrt-tests` failed"},
            {"type": "text", "text": "\u{2060}."},
            {"type": "text", "text": " See "},
            {"type": "link", "url": job, "text": "the job"},
            {"type": "text", "text": "\u{2060}."},
            {"type": "text", "text": " "},
            {"type": "text", "text": "It left the queue\u{2060}. Push a fix, and press "},
            {"type": "text", "text": "integrate", "style": {"code": true}},
            {"type": "text", "text": " again\u{2060}."},
            {"type": "text", "text": " For eve\u{2060}."},
            {"type": "text", "text": "\n"},
        ]}]}],
        "unfurl_links": false, "unfurl_media": false,
    });
    assert_eq!(
        body(&scene.receiver.at("T0TEAM-SECRET")),
        expected.to_string()
    );

    let markdown = format!(
        "**Action needed:** [\\!1]({url}) is rejected by the non-regression tests \\(trial 1\\):\u{2060} \\`nrt-tests\\` failed\u{2060}. See [the job]({job})\u{2060}. It left the queue\u{2060}. Push a fix, and press `integrate` again\u{2060}. For eve\u{2060}."
    );
    let fallback = "Action needed:\u{2060} \\!1 is rejected by the non-regression tests \\(trial 1\\):\u{2060} \\`nrt-tests\\` failed\u{2060}. See the job\u{2060}. It left the queue\u{2060}. Push a fix, and press integrate again\u{2060}. For eve\u{2060}.";
    let expected =
        json!({"attachments": [{"fallback": fallback, "color": "#c62828", "text": markdown}]});
    assert_eq!(body(&scene.receiver.at("room")), expected.to_string());

    let run = |text: &str| json!({"type": "TextRun", "text": text});
    let expected = json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard", "version": "1.4",
                "body": [{"type": "RichTextBlock", "inlines": [
                    {"type": "TextRun", "text": "Action needed:\u{2060}", "weight": "Bolder"},
                    run(" "),
                    {"type": "TextRun", "text": "!1", "selectAction": {"type": "Action.OpenUrl", "url": url}},
                    run(" is rejected by the non-regression tests (trial 1)"),
                    run(":\u{2060} "),
                    run("`nrt-tests` failed"),
                    run("\u{2060}."),
                    run(" See "),
                    {"type": "TextRun", "text": "the job", "selectAction": {"type": "Action.OpenUrl", "url": job}},
                    run("\u{2060}."),
                    run(" "),
                    run("It left the queue\u{2060}. Push a fix, and press "),
                    {"type": "TextRun", "text": "integrate", "fontType": "Monospace"},
                    run(" again\u{2060}."),
                    run(" For eve\u{2060}."),
                ]}],
                "msteams": {"width": "Full"},
            },
        }],
    });
    assert_eq!(body(&scene.receiver.at("board")), expected.to_string());

    let paged = std::fs::read_to_string(&out).unwrap();
    assert_eq!(
        paged,
        format!("{}\n", body(&scene.receiver.at("T0OPS-SECRET")))
    );
    let seen = std::fs::read_to_string(scene.file("paged.ndjson.env")).unwrap();
    for hidden in ["TOKEN", "T0TEAM-SECRET", "T0OPS-SECRET", "CI_JOB", "whsec"] {
        assert!(!seen.contains(hidden), "a command sees no {hidden}: {seen}");
    }
    scene.keeps_its_secrets(&[]);
}

#[test]
fn a_webhook_is_signed_so_that_its_receiver_can_check_it() {
    let mut scene = Scene::with(
        "channels:\n  ops: {kind: webhook, url_variable: OPS_URL, secret_variable: OPS_KEY}",
    );
    scene.variable("OPS_KEY", &format!("whsec_{KEY}"));
    let said = scene.gate(&["notify", "--test", "ops"]);
    assert_eq!(said.code, Some(0), "{}", said.said);
    let received = &scene.receiver.received()[0];
    assert_eq!(received.header("content-type"), Some("application/json"));
    let header = |name: &str| received.header(name).unwrap().to_owned();
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let value: Value = serde_json::from_str(&received.body).unwrap();
    assert_eq!(value["id"], id.as_str());
    let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(KEY).unwrap()).unwrap();
    mac.update(format!("{id}.{timestamp}.{}", received.body).as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(header("webhook-signature"), format!("v1,{signature}"));
    for token in scene.stage.world.secrets() {
        assert!(
            !received.head.contains(token) && !received.body.contains(token),
            "a token of GitLab left for elsewhere"
        );
    }
}

#[test]
fn a_test_message_shows_that_text_of_others_stays_text_and_can_be_looked_at_first() {
    let scene = Scene::with("channels:\n  team: {kind: slack, url_variable: TEAM_URL}");
    let dry = scene.gate(&["notify", "--test", "team", "--dry-run"]);
    assert_eq!(dry.code, Some(0), "{}", dry.said);
    let payload = super::scene::json_in(&dry.said);
    assert!(
        payload["text"]
            .as_str()
            .unwrap()
            .contains("&lt;!channel&gt; @\u{2060}all [link](https:\u{2060}//example\u{2060}.com)"),
        "{payload}"
    );
    assert!(scene.receiver.received().is_empty());
    let real = scene.gate(&["notify", "--test", "team"]);
    assert!(
        real.code == Some(0) && real.said.contains("took a test message"),
        "{}",
        real.said
    );
    assert_eq!(scene.receiver.received().len(), 1);
    scene.keeps_its_secrets(&[&dry.said, &real.said]);
}
