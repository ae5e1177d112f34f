//! Files that a runner brings back from a job: checked, read where the server needs what is in them, and kept.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::dotenv;
use crate::archive;
use crate::ci::duration;
use crate::store::State;
use crate::store::jobs::Artifact;

/// A larger archive is refused: the default of a self-managed server.
pub(crate) const MAX_ARCHIVE: usize = 100 * 1024 * 1024;
/// Limits of `artifacts:reports:annotations`.
const MAX_ANNOTATIONS: usize = 20;
const MAX_LINKS: usize = 1_000;
const MAX_ANNOTATIONS_SIZE: usize = 80 * 1024;

/// A file on its way.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    /// `archive`, `junit`, `dotenv`, ...
    pub(crate) kind: String,
    /// `zip`, `gzip` or `raw`.
    pub(crate) format: String,
    pub(crate) file_name: String,
    pub(crate) content: Bytes,
    pub(crate) expire_in: Option<String>,
}

/// Why a file was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
}

fn bad(message: impl Into<String>) -> Refusal {
    Refusal {
        status: 400,
        message: message.into(),
    }
}

/// Checks a file and keeps it with its job.
pub(crate) fn accept(
    state: &mut State,
    job: u64,
    upload: Upload,
    now: Timestamp,
) -> Result<(), Refusal> {
    if upload.kind == "archive" && upload.content.len() > MAX_ARCHIVE {
        return Err(Refusal {
            status: 413,
            message: "file size has reached maximum size limit".to_owned(),
        });
    }
    let job = state
        .jobs
        .get_mut(job)
        .ok_or_else(|| bad("the job is gone"))?;
    let same = job
        .artifacts
        .iter()
        .find(|known| known.file_type == upload.kind);
    if let Some(same) = same {
        if same.content == upload.content {
            return Ok(());
        }
        return Err(bad("another artifact of the same type already exists"));
    }
    match upload.kind.as_str() {
        "archive" => {
            job.files = archive::unzip(&upload.content)
                .ok_or_else(|| bad("the archive is not a zip file"))?;
            if let Ok(content) = archive::gzip(b"GitLab Build Artifacts Metadata 0.0.2\n") {
                job.artifacts.push(Artifact {
                    file_type: "metadata".to_owned(),
                    file_name: "metadata.gz".to_owned(),
                    file_format: "gzip".to_owned(),
                    content,
                });
            }
        }
        "dotenv" => {
            let limit = dotenv::MAX_SIZE;
            if upload.content.len() >= limit {
                return Err(bad(format!(
                    "Dotenv Artifact Too Big. Maximum Allowable Size: {limit}"
                )));
            }
            job.dotenv = dotenv::parse(&unpacked(&upload)?).map_err(bad)?;
        }
        "annotations" => check_annotations(&upload)?,
        _ => {}
    }
    if let Some(expiry) = expiry(upload.expire_in.as_deref(), now) {
        job.artifacts_expire_at = Some(expiry);
    }
    job.artifacts.push(Artifact {
        file_type: upload.kind,
        file_name: upload.file_name,
        file_format: upload.format,
        content: upload.content,
    });
    Ok(())
}

fn expiry(wish: Option<&str>, now: Timestamp) -> Option<Timestamp> {
    let seconds = duration::seconds(wish.filter(|wish| *wish != "never")?)?;
    let lifetime = SignedDuration::from_secs(i64::try_from(seconds).ok()?);
    now.checked_add(lifetime).ok()
}

fn unpacked(upload: &Upload) -> Result<Vec<u8>, Refusal> {
    if upload.format == "gzip" {
        archive::gunzip(&upload.content).map_err(|_broken| bad("Invalid Format"))
    } else {
        Ok(upload.content.to_vec())
    }
}

fn check_annotations(upload: &Upload) -> Result<(), Refusal> {
    if upload.content.len() > MAX_ANNOTATIONS_SIZE {
        return Err(bad(format!(
            "Annotations Artifact Too Big. Maximum Allowable Size: {MAX_ANNOTATIONS_SIZE}"
        )));
    }
    let content = unpacked(upload)?;
    let parsed: Value = serde_json::from_slice(&content).map_err(|error| bad(error.to_string()))?;
    let lists = parsed
        .as_object()
        .ok_or_else(|| bad("Annotations files must be a JSON object"))?;
    if lists.len() > MAX_ANNOTATIONS {
        return Err(bad(format!(
            "Annotations files cannot have more than {MAX_ANNOTATIONS} annotation lists"
        )));
    }
    if let Some(name) = lists
        .keys()
        .find(|name| name.trim().is_empty() || name.chars().count() > 255)
    {
        return Err(bad(if name.trim().is_empty() {
            "Validation failed: Name can't be blank"
        } else {
            "Validation failed: Name is too long (maximum is 255 characters)"
        }));
    }
    let fits = |list: &Value| {
        list.as_array()
            .is_some_and(|list| list.len() <= MAX_LINKS && list.iter().all(is_annotation))
    };
    if lists.values().all(fits) {
        Ok(())
    } else {
        Err(bad("Validation failed: Data must be a valid json schema"))
    }
}

/// GitLab's schema of an annotation: nothing but a link, and of that nothing but texts for label and address, either of which may be
/// missing.
fn is_annotation(item: &Value) -> bool {
    let texts = |link: &Value| {
        link.as_object().is_none_or(|link| {
            link.iter()
                .all(|(key, value)| matches!(key.as_str(), "label" | "url") && value.is_string())
        })
    };
    item.as_object().is_some_and(|item| {
        item.iter()
            .all(|(key, link)| key == "external_link" && texts(link))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(content: &Value) -> Option<String> {
        let upload = Upload {
            kind: "annotations".to_owned(),
            format: "raw".to_owned(),
            file_name: "a.json".to_owned(),
            content: Bytes::from(content.to_string()),
            expire_in: None,
        };
        check_annotations(&upload)
            .err()
            .map(|refusal| refusal.message)
    }

    #[test]
    fn annotations_are_held_to_gitlabs_schema() {
        let link = json!({"external_link": {"label": "a", "url": "http://x"}});
        let many = |count: usize| Value::from(vec![link.clone(); count]);
        for fine in [
            json!({}),
            json!({"a": []}),
            json!({"a": [{}, {"external_link": {}}]}),
            json!({"a": many(1_000)}),
        ] {
            assert_eq!(refusal(&fine), None, "{fine:.80}");
        }
        let schema = "Validation failed: Data must be a valid json schema";
        for (wrong, why) in [
            (json!([]), "Annotations files must be a JSON object"),
            (json!({"a": {}}), schema),
            (json!({"a": [{"external_link": {"label": 1}}]}), schema),
            (json!({"a": [{"external_link": {"title": "t"}}]}), schema),
            (json!({"a": [{"link": {}}]}), schema),
            (json!({"a": many(1_001)}), schema),
            (json!({"": []}), "Validation failed: Name can't be blank"),
            (
                json!({"n".repeat(256): []}),
                "Validation failed: Name is too long (maximum is 255 characters)",
            ),
        ] {
            assert_eq!(refusal(&wrong).as_deref(), Some(why), "{wrong:.80}");
        }
    }
}
