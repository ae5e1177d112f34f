//! Making tags on behalf of users.

use crate::errors::ApiError;
use crate::git::{GitError, Identity};
use crate::push::{self, Push, RefUpdate};
use crate::shared::Shared;

/// Tags what `target` stands for, with an annotation if there is a message, and lets the push take its effects.
pub(crate) fn create(
    shared: &Shared,
    (project, user): (u64, u64),
    name: &str,
    target: &str,
    message: Option<&str>,
) -> Result<(), ApiError> {
    if target.trim().is_empty() {
        return Err(ApiError::message(400, "Target is empty"));
    }
    if !is_valid_name(name) {
        return Err(ApiError::message(400, "Tag name invalid"));
    }
    let repository = shared.repository(project);
    let Some(commit) = repository.resolve(target)? else {
        return Err(ApiError::message(
            400,
            format!("Target {target} is invalid"),
        ));
    };
    let object = match message.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => repository.tag_object(name, &commit, text, &tagger(shared, user)?)?,
        None => commit,
    };
    let full_name = format!("refs/tags/{name}");
    match repository.update_ref(&full_name, Some(&object), None) {
        Ok(()) => {}
        Err(GitError::RefMoved { .. }) => {
            return Err(ApiError::message(409, format!("Tag {name} already exists")));
        }
        Err(error) => return Err(error.into()),
    }
    let update = RefUpdate {
        name: full_name,
        old: None,
        new: Some(object),
    };
    let push = Push {
        project,
        user,
        updates: vec![update],
        options: Vec::new(),
    };
    Ok(push::on_push(shared, &push)?)
}

fn tagger(shared: &Shared, user: u64) -> Result<Identity, ApiError> {
    let at = shared.clock.now();
    let state = shared.state();
    let user = state.users.get(user).ok_or_else(ApiError::unauthorized)?;
    Ok(Identity {
        name: user.name.clone(),
        email: user.email.clone(),
        at,
    })
}

/// The rules of `git check-ref-format`, and GitLab's own: no `HEAD`, nothing that looks like an option or another ref.
fn is_valid_name(name: &str) -> bool {
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    let odd = |char: char| char.is_ascii_control() || " ~^:?*[\\".contains(char);
    name != "HEAD"
        && name != "@"
        && !name.starts_with('-')
        && !name.starts_with("refs/heads/")
        && !name.starts_with("refs/remotes/")
        && !name.contains("..")
        && !name.contains("@{")
        && !name.ends_with('.')
        && !name.contains(odd)
        && name.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::is_valid_name;

    #[test]
    fn names_that_git_or_gitlab_refuse_are_not_valid() {
        for name in ["v1.2.3", "release/1", "v1.0-rc.1+build"] {
            assert!(is_valid_name(name), "{name}");
        }
        for name in [
            "",
            "HEAD",
            "-v1",
            "v 1",
            "v1..2",
            "v1.",
            "v1.lock",
            "a//b",
            "/a",
            "a/",
            ".a",
            "v@{1}",
            "refs/heads/main",
            "v1~2",
        ] {
            assert!(!is_valid_name(name), "{name}");
        }
    }
}
