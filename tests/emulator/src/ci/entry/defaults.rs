//! `default:` and the older global keywords of the same meaning.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{artifacts, runner, settings};
use crate::ci::definition::{Artifacts, Retry};
use crate::ci::report::{At, Report};
use crate::ci::support;
use crate::ci::tree::{Map, get};

/// What `default:` may hold.
pub(super) const KEYS: &[&str] = &[
    "before_script",
    "after_script",
    "hooks",
    "cache",
    "image",
    "services",
    "interruptible",
    "timeout",
    "retry",
    "tags",
    "artifacts",
    "id_tokens",
];

/// The keywords that a job can take over, each `None` where nothing is said.
#[derive(Debug, Clone, Default)]
pub(super) struct Inheritable {
    pub(super) before_script: Option<Vec<String>>,
    pub(super) after_script: Option<Vec<String>>,
    pub(super) hooks: Option<Vec<String>>,
    pub(super) cache: Option<Vec<Value>>,
    pub(super) image: Option<Value>,
    pub(super) services: Option<Vec<Value>>,
    pub(super) interruptible: Option<bool>,
    pub(super) timeout: Option<u64>,
    pub(super) retry: Option<Retry>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) artifacts: Option<Artifacts>,
    pub(super) id_tokens: Option<BTreeMap<String, Vec<String>>>,
    /// What was said, and what was wrong with it: GitLab complains again for every job that takes it over.
    said: BTreeMap<&'static str, Vec<String>>,
}

impl Inheritable {
    /// Reads the inheritable keywords of a job or of `default:`.
    pub(super) fn read(report: &mut Report, at: &At, map: &Map, keys: &[&'static str]) -> Self {
        let mut read = Self::default();
        for key in keys {
            let Some(value) = get(map, key) else { continue };
            let at = &at.key(key);
            let before = report.errors.len();
            match *key {
                "before_script" => read.before_script = Some(report.commands(at, value)),
                "after_script" => read.after_script = Some(report.commands(at, value)),
                "hooks" => read.hooks = Some(runner::hooks(report, at, value)),
                "cache" => read.cache = Some(runner::caches(report, at, value)),
                "image" => read.image = runner::image(report, at, value),
                "services" => read.services = Some(runner::services(report, at, value)),
                "interruptible" => read.interruptible = settings::interruptible(report, at, value),
                "timeout" => read.timeout = settings::timeout(report, at, value),
                "retry" => read.retry = Some(settings::retry(report, value)),
                "tags" => read.tags = Some(settings::tags(report, at, value)),
                "artifacts" => read.artifacts = artifacts::read(report, at, value),
                "id_tokens" => read.id_tokens = Some(runner::id_tokens(report, at, value)),
                _ => {}
            }
            read.said.insert(key, report.errors[before..].to_vec());
        }
        read
    }

    /// Complains again about what is wrong with keywords that a job takes over.
    pub(super) fn complain_again(
        &self,
        report: &mut Report,
        own: &Map,
        wanted: &settings::Inheritance,
    ) {
        for (key, errors) in &self.said {
            if wanted.takes(key) && get(own, key).is_none() {
                report.errors.extend(errors.iter().cloned());
            }
        }
    }

    /// Fills what a job leaves open.
    pub(super) fn inherit(&mut self, from: &Self, wanted: &settings::Inheritance) {
        fn fill<T: Clone>(slot: &mut Option<T>, from: &Option<T>, wanted: bool) {
            if wanted && slot.is_none() {
                slot.clone_from(from);
            }
        }
        fill(
            &mut self.before_script,
            &from.before_script,
            wanted.takes("before_script"),
        );
        fill(
            &mut self.after_script,
            &from.after_script,
            wanted.takes("after_script"),
        );
        fill(&mut self.hooks, &from.hooks, wanted.takes("hooks"));
        fill(&mut self.cache, &from.cache, wanted.takes("cache"));
        fill(&mut self.image, &from.image, wanted.takes("image"));
        fill(&mut self.services, &from.services, wanted.takes("services"));
        fill(
            &mut self.interruptible,
            &from.interruptible,
            wanted.takes("interruptible"),
        );
        // `default:timeout` is checked but has no effect in GitLab.
        fill(&mut self.retry, &from.retry, wanted.takes("retry"));
        fill(&mut self.tags, &from.tags, wanted.takes("tags"));
        fill(
            &mut self.artifacts,
            &from.artifacts,
            wanted.takes("artifacts"),
        );
        fill(
            &mut self.id_tokens,
            &from.id_tokens,
            wanted.takes("id_tokens"),
        );
    }
}

/// Reads `default:` together with the global keywords; both for one keyword is an error.
pub(super) fn read(report: &mut Report, config: &Map) -> Inheritable {
    const GLOBAL: &[&str] = &[
        "before_script",
        "image",
        "services",
        "after_script",
        "cache",
    ];
    let mut defaults = Map::new();
    if let Some(value) = get(config, "default") {
        let at = At::section("default");
        if let Some(map) = report.hash(&at, value) {
            let refused = support::refused("default");
            report.allowed_keys(&at, map, &[KEYS, &refused].concat());
            for keyword in refused
                .into_iter()
                .filter(|keyword| map.contains_key(*keyword))
            {
                report.unsupported(&at, keyword);
            }
            defaults = map.clone();
        }
    }
    let doubled = GLOBAL
        .iter()
        .find(|key| get(&defaults, key).is_some() && get(config, key).is_some());
    if let Some(key) = doubled {
        report.verbatim(format!(
            "{key} is defined in top-level and `default:` entry"
        ));
    }
    let mut read = Inheritable::read(report, &At::section("default"), &defaults, KEYS);
    for key in GLOBAL {
        let Some(value) = get(config, key) else {
            continue;
        };
        let at = &At::section(key);
        let before = report.errors.len();
        match *key {
            "before_script" => read.before_script = Some(report.commands(at, value)),
            "after_script" => read.after_script = Some(report.commands(at, value)),
            "image" => read.image = runner::image(report, at, value),
            "services" => read.services = Some(runner::services(report, at, value)),
            _ => read.cache = Some(runner::caches(report, at, value)),
        }
        // Once for the global keyword, once for `default:`, which takes it over.
        let errors = report.errors[before..].to_vec();
        report.errors.extend(errors.iter().cloned());
        read.said.insert(key, errors);
    }
    read
}
