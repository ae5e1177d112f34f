//! Environments: named places that software is deployed to.

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;
use sha2::{Digest, Sha256};

use super::State;

/// An environment of a project.
#[derive(Debug, Clone)]
pub struct Environment {
    pub id: u64,
    pub project_id: u64,
    pub name: String,
    /// The name in the form that host names allow.
    pub slug: String,
    pub external_url: Option<String>,
    pub description: Option<String>,
    /// `production`, `staging`, `testing`, `development` or `other`.
    pub tier: String,
    /// `available`, `stopping` or `stopped`.
    pub state: String,
    /// `always` or `with_action`.
    pub auto_stop_setting: String,
    /// When it stops of itself.
    pub auto_stop_at: Option<Timestamp>,
    /// When it is removed, once that was asked for.
    pub auto_delete_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl State {
    /// Removes an environment with its deployments.
    pub fn remove_environment(&mut self, id: u64) {
        self.environments.remove(id);
        self.deployments.retain(|row| row.environment_id != id);
    }

    /// Removes the environments whose time has come.
    pub fn remove_scheduled_environments(&mut self, now: Timestamp) {
        let due = |row: &&Environment| row.auto_delete_at.is_some_and(|at| at <= now);
        let due: Vec<u64> = self
            .environments
            .iter()
            .filter(due)
            .map(|row| row.id)
            .collect();
        for id in due {
            self.remove_environment(id);
        }
    }

    /// The environments of a project by ascending id.
    pub fn environments_of(&self, project: u64) -> impl Iterator<Item = &Environment> {
        self.environments
            .iter()
            .filter(move |environment| environment.project_id == project)
    }

    /// The environment of a name.
    pub fn environment_named(&self, project: u64, name: &str) -> Option<&Environment> {
        self.environments_of(project)
            .find(|environment| environment.name == name)
    }

    /// The environment of a name, made with the guessed tier if it is not there yet.
    pub fn ensure_environment(&mut self, project: u64, name: &str, now: Timestamp) -> u64 {
        if let Some(found) = self.environment_named(project, name) {
            return found.id;
        }
        self.environments.insert(|id| Environment {
            id,
            ..Environment::new(project, name, now)
        })
    }
}

impl Environment {
    /// An environment as GitLab makes it from a name alone, not stored yet.
    pub(crate) fn new(project_id: u64, name: &str, now: Timestamp) -> Self {
        Self {
            id: 0,
            project_id,
            name: name.to_owned(),
            slug: slug(name),
            external_url: None,
            description: None,
            tier: guessed_tier(name).to_owned(),
            state: "available".to_owned(),
            auto_stop_setting: "always".to_owned(),
            auto_stop_at: None,
            auto_delete_at: None,
            created_at: now,
            updated_at: now,
        }
    }
}

/// GitLab's patterns, the first that matches anywhere in the name wins.
static TIERS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"(?i)(dev|review|trunk)", "development"),
        (
            r"(?i)(test|tst|int|ac(ce|)pt|qa|qc|control|quality)",
            "testing",
        ),
        (r"(?i)(st(a|)g|mod(e|)l|pre|demo|non)", "staging"),
        (r"(?i)(pr(o|)d|live)", "production"),
    ]
    .into_iter()
    .filter_map(|(pattern, tier)| Some((Regex::new(pattern).ok()?, tier)))
    .collect()
});

/// The tier that a name suggests.
fn guessed_tier(name: &str) -> &'static str {
    TIERS
        .iter()
        .find(|(pattern, _)| pattern.is_match(name))
        .map_or("other", |(_, tier)| tier)
}

/// At most 24 of `a-z0-9-`, starting with a letter; whatever had to change gets a suffix made from the name.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for char in name.to_lowercase().chars() {
        let char = if char.is_ascii_lowercase() || char.is_ascii_digit() {
            char
        } else {
            '-'
        };
        if !(char == '-' && slug.ends_with('-')) {
            slug.push(char);
        }
    }
    if !slug.starts_with(|first: char| first.is_ascii_lowercase()) {
        slug = format!("env-{}", slug.trim_start_matches('-'));
    }
    if slug.len() <= 24 && slug == name {
        return slug.trim_end_matches('-').to_owned();
    }
    slug.truncate(17);
    format!("{}-{}", slug.trim_end_matches('-'), suffix(name))
}

/// The last six digits, to the base 36, of the SHA-256 of a name.
fn suffix(name: &str) -> String {
    const DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut rest = Sha256::digest(name).iter().fold(0u64, |rest, byte| {
        (rest * 256 + u64::from(*byte)) % 36u64.pow(6)
    });
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = usize::try_from(rest % 36)
            .ok()
            .and_then(|index| DIGITS.get(index).copied())
            .unwrap_or(b'0');
        rest /= 36;
    }
    String::from_utf8_lossy(&digits).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tier_is_guessed_from_the_name() {
        for (name, tier) in [
            ("production", "production"),
            ("Prod/eu", "production"),
            ("live", "production"),
            ("staging", "staging"),
            ("pre-prod", "staging"),
            ("qa", "testing"),
            ("integration", "testing"),
            ("review/feature-prod", "development"),
            ("nrt", "other"),
        ] {
            assert_eq!(guessed_tier(name), tier, "{name}");
        }
    }

    #[test]
    fn a_slug_is_the_name_or_gets_a_suffix_that_is_always_the_same() {
        assert_eq!(slug("production"), "production");
        let long = slug("review/A very long branch name");
        assert!(
            long.starts_with("review-a-very-lon-") && long.len() == 24,
            "{long}"
        );
        assert_eq!(long, slug("review/A very long branch name"));
        assert_ne!(slug("Prod"), slug("prod"));
        assert!(slug("1").starts_with("env-1-"));
    }
}
