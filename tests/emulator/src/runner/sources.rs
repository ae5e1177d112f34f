//! What is in the directory of a job before its script: sources as the `GIT_*` variables want them.

use super::checkout;
use super::claim::Assignment;

/// Gets the sources; the answer are lines for the trace.
pub(super) fn get(assignment: &Assignment) -> Result<Vec<String>, String> {
    let value = |key: &str| {
        let variable = assignment.variables.get(key);
        variable.map_or("", |variable| variable.value.as_str())
    };
    if !value("GIT_CLONE_PATH").is_empty() {
        return Err(
            "setting GIT_CLONE_PATH is not allowed, enable `custom_build_dir` feature".to_owned(),
        );
    }
    match value("GIT_STRATEGY") {
        "none" | "empty" => return Ok(vec!["Skipping Git repository setup".to_owned()]),
        // The directory is fresh, so both come to the same.
        "" | "fetch" | "clone" => {}
        _ => return Err("unknown GIT_STRATEGY".to_owned()),
    }
    let recursive = match value("GIT_SUBMODULE_STRATEGY") {
        "" | "none" => None,
        "normal" => Some(false),
        "recursive" => Some(true),
        _ => return Err("unknown GIT_SUBMODULE_STRATEGY".to_owned()),
    };
    let (sources, dir) = (&assignment.sources, assignment.workspace.project());
    let mut lines = vec![if sources.depth > 0 {
        format!(
            "Fetching changes with git depth set to {}...",
            sources.depth
        )
    } else {
        "Fetching changes...".to_owned()
    }];
    checkout::fetch(sources, dir)?;
    if matches!(value("GIT_CHECKOUT"), "false" | "0") {
        lines.push("Skipping Git checkout".to_owned());
        return Ok(lines);
    }
    checkout::checkout(sources, dir)?;
    let short = sources.sha.get(..8).unwrap_or(&sources.sha);
    lines.push(format!(
        "Checking out {short} as detached HEAD (ref is {})...",
        sources.git_ref
    ));
    match recursive {
        None => lines.push("Skipping Git submodules setup".to_owned()),
        Some(recursive) => {
            lines.push("Updating/initializing submodules...".to_owned());
            checkout::submodules(dir, recursive)?;
        }
    }
    Ok(lines)
}
