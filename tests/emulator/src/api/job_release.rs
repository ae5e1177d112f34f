//! `release:` for a runner of its own: the command that makes the release, for whichever of GitLab's two programs is there.

use serde_json::Value;

/// The script of the step.
pub(super) fn script(release: &Value) -> String {
    let text = |key: &str| release[key].as_str().filter(|text| !text.is_empty());
    let flags = |names: &[(&str, &str)]| -> String {
        names
            .iter()
            .filter_map(|(key, flag)| Some(format!(" {flag} \"{}\"", text(key)?)))
            .collect()
    };
    let links = release["assets"]["links"].as_array();
    let links = links.map(Vec::as_slice).unwrap_or_default();
    let milestones: Vec<&str> = release["milestones"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut modern = format!(
        "glab release create -R $CI_PROJECT_PATH \"{}\"",
        text("tag_name").unwrap_or("$CI_COMMIT_TAG")
    );
    if !links.is_empty() {
        modern.push_str(&format!(" --assets-links {}", quoted(&Value::from(links))));
    }
    if !milestones.is_empty() {
        modern.push_str(&format!(" --milestone \"{}\"", milestones.join(",")));
    }
    modern.push_str(&flags(&[
        ("name", "--name"),
        ("description", "--experimental-notes-text-or-file"),
    ]));
    modern.push_str(&format!(
        " --ref \"{}\"",
        text("ref").unwrap_or("$CI_COMMIT_SHA")
    ));
    modern.push_str(&flags(&[
        ("tag_message", "--tag-message"),
        ("released_at", "--released-at"),
    ]));
    modern.push_str(" --no-update --no-close-milestone");
    let mut old = "release-cli create".to_owned();
    old.push_str(&flags(&[
        ("name", "--name"),
        ("description", "--description"),
        ("tag_name", "--tag-name"),
        ("tag_message", "--tag-message"),
        ("ref", "--ref"),
        ("released_at", "--released-at"),
    ]));
    for milestone in milestones {
        old.push_str(&format!(" --milestone \"{milestone}\""));
    }
    for link in links {
        old.push_str(&format!(" --assets-link {}", quoted(link)));
    }
    format!(
        "if command -v glab > /dev/null 2>&1; then\n  export GITLAB_HOST=$CI_SERVER_URL\n  glab auth login --job-token $CI_JOB_TOKEN --hostname \"$CI_SERVER_FQDN\" --api-protocol $CI_SERVER_PROTOCOL\n  {modern}\nelse\n  {old}\nfi\n"
    )
}

/// JSON as one word for the shell.
fn quoted(value: &Value) -> String {
    Value::String(value.to_string()).to_string()
}
