//! The public wire form of an event: one JSON object a line, a CloudEvent 1.0 in structured mode around a CDEvent.
//!
//! The CDEvents part has the shape of the specification's release 0.4.1, custom events included; our own event travels whole
//! in `customData`, and is all that is read back. What is not ours is kept as it came. Stored samples are in `samples`.

#[cfg(test)]
mod samples;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::domain::event::Event;
use crate::domain::event::registry::{self, Entry};
use crate::domain::ids::{FeatureId, ProjectPath, UserName};

/// What the type of each of our events begins with.
const TYPE_PREFIX: &str = "dev.cdeventsx.trainyard-";

/// The version of our event types; a reader takes any `0.x`, because fields are only ever added.
const TYPE_VERSION: &str = "0.1.0";

const CLOUD_EVENTS_VERSION: &str = "1.0";
const CD_EVENTS_VERSION: &str = "0.4.1";
const JSON: &str = "application/json";

/// One line, understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// An event of ours.
    Ours(Box<Event>),
    /// An event of somebody else, or of a later version of ours: kept as it came.
    Foreign(Value),
}

/// Why a line is no event.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The bytes are not UTF-8.
    #[error("not UTF-8 text")]
    NotText(#[from] std::str::Utf8Error),
    /// The text is not JSON.
    #[error("not JSON")]
    NotJson(#[from] serde_json::Error),
    /// It is JSON but not a CloudEvent.
    #[error("not a CloudEvent 1.0: no `specversion` \"1.0\" with a `type`")]
    NotACloudEvent,
    /// Its type is ours but its content is not what that type holds.
    #[error("an event of type `{kind}` whose `customData` cannot be read")]
    Garbled {
        kind: String,
        #[source]
        source: serde_json::Error,
    },
    /// Its type names one fact and its content another.
    #[error("an event of type `{kind}` that holds `{fact}`")]
    Contradictory { kind: String, fact: &'static str },
}

/// A line that could not be read.
#[derive(Debug)]
pub struct BadLine {
    /// Its number, from 1.
    pub number: usize,
    /// What is wrong with it.
    pub error: LineError,
}

/// Everything that a text of many lines holds.
#[derive(Debug, Default)]
pub struct Reading {
    /// Our events, in the order of their lines.
    pub events: Vec<Event>,
    /// Events that are not ours, whole.
    pub foreign: Vec<Value>,
    /// Lines that are no events.
    pub bad: Vec<BadLine>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    specversion: &'a str,
    id: &'a str,
    source: &'a str,
    r#type: &'a str,
    subject: &'a str,
    time: Timestamp,
    datacontenttype: &'a str,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    context: Context<'a>,
    subject: Subject<'a>,
    custom_data: &'a Event,
    custom_data_content_type: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    version: &'a str,
    id: &'a str,
    source: &'a str,
    r#type: &'a str,
    timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_id: Option<String>,
}

#[derive(Serialize)]
struct Subject<'a> {
    id: &'a str,
    source: &'a str,
    r#type: String,
    content: Content<'a>,
}

/// What a consumer can use without knowing our own event.
#[derive(Serialize)]
struct Content<'a> {
    project: &'a ProjectPath,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a UserName>,
    features: Vec<String>,
}

/// Writes an event as one line, without its line break. No text in it can break the line: JSON escapes control characters.
pub fn to_line(event: &Event, project_url: &str) -> String {
    let entry =
        registry::entry(event.fact.name()).expect("a test keeps every fact in the registry");
    let (subject, kind) = (event.fact.subject().to_string(), wire_type(entry));
    let features = event.fact.features();
    let envelope = Envelope {
        specversion: CLOUD_EVENTS_VERSION,
        id: &event.id,
        source: project_url,
        r#type: &kind,
        subject: &subject,
        time: event.at,
        datacontenttype: JSON,
        data: Data {
            context: Context {
                version: CD_EVENTS_VERSION,
                id: &event.id,
                source: project_url,
                r#type: &kind,
                timestamp: event.at,
                chain_id: only(&features).map(ToString::to_string),
            },
            subject: Subject {
                id: &subject,
                source: project_url,
                r#type: format!("trainyard-{}", entry.wire.0),
                content: Content {
                    project: &event.project,
                    by: event.by.as_ref(),
                    features: features.iter().map(ToString::to_string).collect(),
                },
            },
            custom_data: event,
            custom_data_content_type: JSON,
        },
    };
    serde_json::to_string(&envelope).expect("every map key of an event is text")
}

/// The CDEvents type under which a fact of the model travels.
pub fn wire_type(entry: &Entry) -> String {
    let (subject, predicate) = entry.wire;
    format!("{TYPE_PREFIX}{subject}.{predicate}.{TYPE_VERSION}")
}

/// Reads one line.
///
/// # Errors
/// Why it is no event.
pub fn from_line(line: &str) -> Result<Line, LineError> {
    let value: Value = serde_json::from_str(line)?;
    let kind = match (value["specversion"].as_str(), value["type"].as_str()) {
        (Some(CLOUD_EVENTS_VERSION), Some(kind)) => kind.to_owned(),
        (Some(_) | None, _) => return Err(LineError::NotACloudEvent),
    };
    let Some((named, exact)) = fact_of_type(&kind) else {
        return Ok(Line::Foreign(value));
    };
    match serde_json::from_value::<Event>(value["data"]["customData"].clone()) {
        Ok(event) if event.fact.name() == named => Ok(Line::Ours(Box::new(event))),
        Ok(event) => Err(LineError::Contradictory {
            kind,
            fact: event.fact.name(),
        }),
        Err(_) if !exact => Ok(Line::Foreign(value)),
        Err(source) => Err(LineError::Garbled { kind, source }),
    }
}

/// Reads a whole file. A bad line is named and the reading goes on; empty lines are nothing.
pub fn read_lines(bytes: &[u8]) -> Reading {
    let mut reading = Reading::default();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        match std::str::from_utf8(line)
            .map_err(LineError::from)
            .and_then(from_line)
        {
            Ok(Line::Ours(event)) => reading.events.push(*event),
            Ok(Line::Foreign(value)) => reading.foreign.push(value),
            Err(error) => reading.bad.push(BadLine {
                number: index + 1,
                error,
            }),
        }
    }
    reading
}

/// The feature that is the chain of an event: only when the fact names exactly one.
fn only(features: &[FeatureId]) -> Option<&FeatureId> {
    let (first, rest) = features.split_first()?;
    rest.iter().all(|other| other == first).then_some(first)
}

/// The fact that a type of ours stands for, and whether its version is the one that we write.
fn fact_of_type(kind: &str) -> Option<(&'static str, bool)> {
    let rest = kind.strip_prefix(TYPE_PREFIX)?;
    let (name, version) = rest.split_once(".0.")?;
    let (subject, predicate) = name.split_once('.')?;
    let entry = registry::MODEL
        .iter()
        .find(|entry| entry.wire == (subject, predicate))?;
    Some((entry.fact, format!("0.{version}") == TYPE_VERSION))
}

#[cfg(test)]
mod tests {
    use super::samples::{LINES, PROJECT_URL, fact, sample};
    use super::*;
    use crate::domain::event::registry::MODEL;
    use crate::domain::ids::JobId;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn every_fact_has_a_stored_line_that_is_written_and_read_as_ever() {
        let stored: Vec<&str> = LINES.trim().lines().collect();
        assert_eq!(stored.len(), MODEL.len());
        for (entry, line) in MODEL.iter().zip(stored) {
            let event = sample(entry.fact);
            assert_eq!(to_line(&event, PROJECT_URL), line, "{}", entry.fact);
            assert_eq!(
                from_line(line).unwrap(),
                Line::Ours(Box::new(event)),
                "{}",
                entry.fact
            );
        }
    }

    #[test]
    fn an_event_has_the_fields_that_both_standards_ask_for() {
        let line = to_line(&sample("FeatureLinked"), PROJECT_URL);
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            value["type"],
            "dev.cdeventsx.trainyard-featurelink.declared.0.1.0"
        );
        assert_eq!(value["time"], value["data"]["context"]["timestamp"]);
        assert_eq!(value["id"], value["data"]["context"]["id"]);
        assert_eq!(value["data"]["context"]["chainId"], "shop/web#34");
        assert_eq!(value["data"]["subject"]["type"], "trainyard-featurelink");
        let lease: Value =
            serde_json::from_str(&to_line(&sample("LeaseReleased"), PROJECT_URL)).unwrap();
        assert_eq!(lease["data"]["context"].get("chainId"), None);
    }

    #[test]
    fn the_chain_is_the_feature_when_there_is_exactly_one() {
        let id = |iid| FeatureId {
            project: "shop/web".parse().unwrap(),
            iid,
        };
        assert_eq!(only(&[]), None);
        assert_eq!(only(&[id(1)]), Some(&id(1)));
        assert_eq!(only(&[id(1), id(1)]), Some(&id(1)));
        assert_eq!(only(&[id(1), id(2)]), None);
    }

    #[test]
    fn what_is_not_ours_is_kept_and_what_is_garbled_is_named_by_its_line() {
        let ours = to_line(&sample("TrialValidated"), PROJECT_URL);
        let foreign = r#"{"specversion":"1.0","id":"1","source":"x","type":"dev.cdevents.taskrun.started.0.2.0"}"#;
        let future = ours
            .replace("trial.validated.0.1.0", "trial.postponed.0.1.0")
            .replace("TrialValidated", "TrialPostponed");
        let garbled = ours.replace("\"trial\":3", "\"trial\":\"three\"");
        let swapped = ours.replace("trial.validated", "lease.released");
        let mut text = [
            &ours, foreign, "", "{", &future, &garbled, &swapped, "[]", "{}",
        ]
        .join("\r\n")
        .into_bytes();
        text.extend(b"\n\xff\xfe\n");
        text.extend(ours.as_bytes());
        let reading = read_lines(&text);
        assert_eq!(
            reading.events,
            [sample("TrialValidated"), sample("TrialValidated")]
        );
        assert_eq!(
            reading.foreign[0],
            serde_json::from_str::<Value>(foreign).unwrap()
        );
        assert_eq!(reading.foreign.len(), 2);
        let bad: Vec<(usize, String)> = reading
            .bad
            .iter()
            .map(|bad| (bad.number, bad.error.to_string()))
            .collect();
        let kind = "dev.cdeventsx.trainyard-trial.validated.0.1.0";
        let no_event = "not a CloudEvent 1.0: no `specversion` \"1.0\" with a `type`".to_owned();
        assert_eq!(
            bad,
            [
                (4, "not JSON".to_owned()),
                (
                    6,
                    format!("an event of type `{kind}` whose `customData` cannot be read")
                ),
                (
                    7,
                    "an event of type `dev.cdeventsx.trainyard-lease.released.0.1.0` that holds `TrialValidated`"
                        .to_owned()
                ),
                (8, no_event.clone()),
                (9, no_event),
                (10, "not UTF-8 text".to_owned()),
            ]
        );
    }

    #[test]
    fn a_later_version_of_a_type_is_read_if_it_can_be_and_kept_if_not() {
        let ours = to_line(&sample("TrialValidated"), PROJECT_URL);
        let later = ours.replace("0.1.0", "0.2.0");
        assert!(matches!(from_line(&later).unwrap(), Line::Ours(_)));
        let unreadable = later.replace("\"trial\":3", "\"trials\":[3]");
        assert!(matches!(from_line(&unreadable).unwrap(), Line::Foreign(_)));
        let redone = ours.replace("0.1.0", "1.0.0");
        assert!(matches!(from_line(&redone).unwrap(), Line::Foreign(_)));
    }

    proptest! {
        #[test]
        fn any_event_survives_the_wire_as_one_line(
            which in 0..MODEL.len(), text in any::<String>(), number in any::<u64>(), nanos in 0i64..4_000_000_000_000_000_000,
            by in proptest::option::of("[a-z]{1,9}"), job in proptest::option::of(any::<u64>()), url in any::<String>(),
        ) {
            let at = Timestamp::from_nanosecond(i128::from(nanos)).unwrap();
            let project = "shop/web".parse().unwrap();
            let by = by.map(|name| name.parse().unwrap());
            let event = Event::new(&project, at, by, job.map(JobId), fact(MODEL[which].fact, &text, number));
            let line = to_line(&event, &url);
            prop_assert!(!line.contains(['\n', '\r']));
            prop_assert_eq!(from_line(&line).unwrap(), Line::Ours(Box::new(event)));
        }

        #[test]
        fn no_line_makes_the_reader_stop(before in any::<Vec<u8>>(), cut in any::<prop::sample::Index>()) {
            let ours = to_line(&sample("ChangeSetAppended"), PROJECT_URL);
            let mut bytes = before;
            bytes.push(b'\n');
            bytes.extend(&ours.as_bytes()[..cut.index(ours.len())]);
            bytes.push(b'\n');
            bytes.extend(ours.as_bytes());
            let reading = read_lines(&bytes);
            prop_assert_eq!(reading.events.last(), Some(&sample("ChangeSetAppended")));
        }
    }

    #[test]
    fn unknown_fields_of_our_own_events_are_no_error() {
        let mut value: Value =
            serde_json::from_str(&to_line(&sample("VersionOpened"), PROJECT_URL)).unwrap();
        value["data"]["customData"]["added_later"] = json!({"a": 1});
        assert_eq!(
            from_line(&value.to_string()).unwrap(),
            Line::Ours(Box::new(sample("VersionOpened")))
        );
    }
}
