//! Which keywords of GitLab work here, which are taken without effect, and which are refused by name. The only such list: the
//! compiler takes the reasons from it, the documentation shows it, a test compares it with GitLab's own schema.

/// What becomes of a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    Works,
    /// Checked and stored; nothing on this server acts on it, for this reason.
    WithoutEffect(&'static str),
    /// An error of the configuration, for this reason.
    Refused(&'static str),
}

/// A keyword where it may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyword {
    /// `root`, `job`, or the keyword above, such as `artifacts`.
    pub place: &'static str,
    pub name: &'static str,
    pub support: Support,
}

const WORKS: &[(&str, &[&str])] = &[
    (
        "root",
        &[
            "after_script",
            "before_script",
            "default",
            "include",
            "pages",
            "spec",
            "stages",
            "variables",
            "workflow",
        ],
    ),
    ("spec", &["component", "description", "include", "inputs"]),
    (
        "spec:inputs",
        &[
            "default",
            "description",
            "options",
            "regex",
            "rules",
            "type",
        ],
    ),
    ("spec:include", &["file", "local", "project", "ref"]),
    (
        "default",
        &[
            "after_script",
            "artifacts",
            "before_script",
            "hooks",
            "interruptible",
            "retry",
            "tags",
        ],
    ),
    ("workflow", &["auto_cancel", "name", "rules"]),
    (
        "workflow:rules",
        &[
            "auto_cancel",
            "changes",
            "exists",
            "if",
            "variables",
            "when",
        ],
    ),
    ("workflow:auto_cancel", &["on_job_failure", "on_new_commit"]),
    ("variables", &["expand", "options", "value"]),
    (
        "include",
        &[
            "artifact",
            "component",
            "file",
            "inputs",
            "job",
            "local",
            "project",
            "ref",
            "rules",
        ],
    ),
    ("include:rules", &["changes", "exists", "if", "when"]),
    (
        "job",
        &[
            "after_script",
            "allow_failure",
            "artifacts",
            "before_script",
            "coverage",
            "dependencies",
            "environment",
            "except",
            "extends",
            "hooks",
            "inherit",
            "inputs",
            "interruptible",
            "manual_confirmation",
            "needs",
            "only",
            "parallel",
            "release",
            "resource_group",
            "retry",
            "rules",
            "script",
            "stage",
            "start_in",
            "tags",
            "timeout",
            "trigger",
            "variables",
            "when",
        ],
    ),
    ("allow_failure", &["exit_codes"]),
    (
        "artifacts",
        &[
            "access",
            "exclude",
            "expire_in",
            "name",
            "paths",
            "public",
            "reports",
            "untracked",
            "when",
        ],
    ),
    ("artifacts:reports", &["dotenv", "junit"]),
    (
        "environment",
        &[
            "action",
            "auto_stop_in",
            "deployment_tier",
            "name",
            "on_stop",
            "url",
        ],
    ),
    ("hooks", &["pre_get_sources_script"]),
    ("image", &["name"]),
    ("inherit", &["default", "variables"]),
    (
        "needs",
        &["artifacts", "job", "optional", "parallel", "pipeline"],
    ),
    ("only", &["changes", "kubernetes", "refs", "variables"]),
    ("parallel", &["matrix"]),
    (
        "release",
        &[
            "assets",
            "description",
            "milestones",
            "name",
            "ref",
            "released_at",
            "tag_message",
            "tag_name",
        ],
    ),
    ("retry", &["exit_codes", "max", "when"]),
    (
        "rules",
        &[
            "allow_failure",
            "changes",
            "exists",
            "if",
            "interruptible",
            "needs",
            "start_in",
            "variables",
            "when",
        ],
    ),
    ("rules:changes", &["compare_to", "paths", "regexp"]),
    ("rules:exists", &["paths", "project", "ref", "regexp"]),
    ("rules:needs", &["artifacts", "job", "optional"]),
    (
        "trigger",
        &[
            "branch", "forward", "include", "inputs", "project", "strategy",
        ],
    ),
    ("trigger:forward", &["pipeline_variables", "yaml_variables"]),
];

const NO_CONTAINERS: &str = "the built-in runner uses no containers";
const NO_CACHE: &str = "the built-in runner keeps no cache";
const NO_TOKENS: &str = "there is no provider of identity tokens";
const NO_PAGES: &str = "artifacts are kept, but no pages are served";
const NO_REPORT: &str = "the file is kept, but nothing reads it";
const SHOWN_ONLY: &str = "only shown where GitLab has a page";

const WITHOUT_EFFECT: &[(&str, &[&str], &str)] = &[
    ("root", &["image", "services"], NO_CONTAINERS),
    ("root", &["cache"], NO_CACHE),
    ("default", &["image", "services"], NO_CONTAINERS),
    ("default", &["cache"], NO_CACHE),
    ("default", &["id_tokens"], NO_TOKENS),
    ("default", &["timeout"], "GitLab itself does not use it"),
    ("variables", &["description"], SHOWN_ONLY),
    ("job", &["image", "services"], NO_CONTAINERS),
    ("job", &["cache"], NO_CACHE),
    ("job", &["id_tokens"], NO_TOKENS),
    ("job", &["pages", "publish"], NO_PAGES),
    ("artifacts", &["expose_as"], SHOWN_ONLY),
    (
        "artifacts:reports",
        &[
            "accessibility",
            "annotations",
            "api_fuzzing",
            "browser_performance",
            "codequality",
            "container_scanning",
            "coverage_fuzzing",
            "coverage_report",
            "cyclonedx",
            "dast",
            "dependency_scanning",
            "license_scanning",
            "load_performance",
            "lsif",
            "metrics",
            "repository_xray",
            "requirements",
            "sarif",
            "sast",
            "secret_detection",
            "terraform",
        ],
        NO_REPORT,
    ),
    (
        "cache",
        &[
            "fallback_keys",
            "key",
            "paths",
            "policy",
            "unprotect",
            "untracked",
            "when",
        ],
        NO_CACHE,
    ),
    (
        "image",
        &["docker", "entrypoint", "kubernetes", "pull_policy"],
        NO_CONTAINERS,
    ),
    (
        "services",
        &[
            "alias",
            "command",
            "docker",
            "entrypoint",
            "kubernetes",
            "name",
            "pull_policy",
            "variables",
        ],
        NO_CONTAINERS,
    ),
    ("pages", &["expire_in", "publish"], NO_PAGES),
];

const NO_NETWORK: &str = "this server fetches nothing from elsewhere";
const LICENCE: &str = "it needs a licence";

const REFUSED: &[(&str, &str, &str)] = &[
    ("include", "cache", NO_NETWORK),
    ("include", "integrity", NO_NETWORK),
    ("include", "remote", NO_NETWORK),
    (
        "include",
        "template",
        "GitLab's own templates are not part of this server",
    ),
    ("spec:include", "cache", NO_NETWORK),
    ("spec:include", "integrity", NO_NETWORK),
    ("spec:include", "remote", NO_NETWORK),
    ("default", "identity", LICENCE),
    ("job", "dast_configuration", LICENCE),
    ("job", "identity", LICENCE),
    ("job", "run", "no runner here executes steps"),
    ("job", "secrets", LICENCE),
    ("environment", "kubernetes", "there are no clusters"),
    ("needs", "project", LICENCE),
    ("needs", "ref", LICENCE),
    ("pages", "path_prefix", LICENCE),
];

/// All keywords, in the order of their places.
pub fn keywords() -> Vec<Keyword> {
    let works = WORKS
        .iter()
        .flat_map(|(place, names)| names.iter().map(|name| (*place, *name, Support::Works)));
    let without = WITHOUT_EFFECT.iter().flat_map(|(place, names, why)| {
        names
            .iter()
            .map(|name| (*place, *name, Support::WithoutEffect(why)))
    });
    let refused = REFUSED
        .iter()
        .map(|(place, name, why)| (*place, *name, Support::Refused(why)));
    let mut all: Vec<Keyword> = works
        .chain(without)
        .chain(refused)
        .map(|(place, name, support)| Keyword {
            place,
            name,
            support,
        })
        .collect();
    all.sort_by_key(|keyword| (keyword.place, keyword.name));
    all
}

/// Why a keyword is refused; its place matters only where it is written before the name, as in `include:remote`.
pub(super) fn reason(keyword: &str) -> Option<&'static str> {
    let (place, name) = match keyword.rsplit_once(':') {
        Some((place, name)) => (Some(place), name),
        None => (None, keyword),
    };
    REFUSED
        .iter()
        .find(|(at, refused, _)| *refused == name && place.is_none_or(|place| place == *at))
        .map(|(_, _, why)| *why)
}

/// The keywords that are refused at a place.
pub(super) fn refused(place: &str) -> Vec<&'static str> {
    REFUSED
        .iter()
        .filter(|(at, _, _)| *at == place)
        .map(|(_, name, _)| *name)
        .collect()
}
