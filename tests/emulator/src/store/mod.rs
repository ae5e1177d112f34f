//! The whole state of the emulator as plain structs, one file per resource family.
//!
//! `Table` gives ids that are global per type and never used again; `next_iid` numbers things inside a project.

pub mod avatars;
pub mod awards;
pub mod belongings;
pub mod boards;
pub mod comments;
pub mod deployments;
pub mod environments;
pub mod events;
pub mod feature_flags;
pub mod freeze_periods;
pub mod group_settings;
pub mod groups;
pub mod holders;
pub mod instance;
pub mod integrations;
pub mod issues;
pub mod jobs;
pub mod labels;
pub mod members;
pub mod merge_requests;
pub mod milestones;
pub mod notes;
pub mod package_rules;
pub mod packages;
pub mod pages;
pub mod pipelines;
pub mod places;
pub mod profiles;
mod project_removal;
pub mod projects;
pub mod protected_branches;
pub mod protected_tags;
pub mod releases;
pub mod resource_events;
pub mod resource_groups;
pub mod runners;
pub mod snippets;
pub mod subscriptions;
pub mod time_logs;
pub mod todos;
pub mod tokens;
mod topics;
pub mod triggers;
pub mod uploads;
pub mod users;
pub mod variables;
pub mod webhooks;
pub mod wikis;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::awards::Award;
use self::belongings::Belongings;
use self::boards::Board;
use self::comments::Comment;
use self::deployments::Deployment;
use self::environments::Environment;
use self::events::Event;
use self::feature_flags::{FeatureFlag, UserList};
use self::freeze_periods::FreezePeriod;
use self::groups::Group;
use self::instance::Instance;
use self::integrations::Integration;
use self::issues::{Issue, IssueLink};
use self::jobs::Job;
use self::labels::Label;
use self::members::Member;
use self::merge_requests::MergeRequest;
use self::milestones::Milestone;
use self::notes::{DraftNote, Note, Suggestion};
use self::package_rules::PackageRule;
use self::packages::{Package, PackageFile};
use self::pages::{PagesDomain, PagesSettings, RemoteMirror};
use self::pipelines::Pipeline;
use self::projects::Project;
use self::protected_branches::ProtectedBranch;
use self::protected_tags::ProtectedTag;
use self::releases::{Evidence, Release, ReleaseLink};
use self::resource_events::ResourceEvent;
use self::resource_groups::ResourceGroup;
use self::runners::{Registration, Runner, RunnerManager};
use self::snippets::Snippet;
use self::subscriptions::Subscription;
use self::time_logs::TimeLog;
use self::todos::Todo;
use self::tokens::{JobToken, Token, TokenKind};
use self::triggers::{Schedule, Trigger};
use self::uploads::Upload;
use self::users::User;
use self::variables::Variables;
use self::wikis::{WikiAttachment, WikiPage};

/// Everything there is. A new family adds its table here.
#[derive(Debug, Clone)]
pub struct State {
    pub users: Table<User>,
    pub groups: Table<Group>,
    pub projects: Table<Project>,
    pub members: Table<Member>,
    pub tokens: Table<Token>,
    /// The tokens of jobs that are running now, put in and taken out by the pipeline engine.
    pub job_tokens: Vec<JobToken>,
    pub variables: Variables,
    pub protected_branches: Table<ProtectedBranch>,
    pub protected_tags: Table<ProtectedTag>,
    pub merge_requests: Table<MergeRequest>,
    pub issues: Table<Issue>,
    pub issue_links: Table<IssueLink>,
    pub notes: Table<Note>,
    pub draft_notes: Table<DraftNote>,
    pub suggestions: Table<Suggestion>,
    pub time_logs: Table<TimeLog>,
    pub todos: Table<Todo>,
    pub subscriptions: Vec<Subscription>,
    pub events: Table<Event>,
    pub awards: Table<Award>,
    pub boards: Table<Board>,
    pub comments: Table<Comment>,
    pub wiki_pages: Table<WikiPage>,
    pub wiki_attachments: Table<WikiAttachment>,
    pub snippets: Table<Snippet>,
    pub labels: Table<Label>,
    pub milestones: Table<Milestone>,
    pub resource_events: Table<ResourceEvent>,
    pub pipelines: Table<Pipeline>,
    pub jobs: Table<Job>,
    pub resource_groups: Table<ResourceGroup>,
    pub runners: Table<Runner>,
    pub runner_managers: Table<RunnerManager>,
    pub registration_tokens: BTreeMap<Registration, String>,
    pub triggers: Table<Trigger>,
    pub schedules: Table<Schedule>,
    /// Pipelines whose jobs changed since the engine last looked.
    pub touched_pipelines: BTreeSet<u64>,
    pub environments: Table<Environment>,
    pub deployments: Table<Deployment>,
    pub feature_flags: Table<FeatureFlag>,
    pub user_lists: Table<UserList>,
    pub freeze_periods: Table<FreezePeriod>,
    pub packages: Table<Package>,
    pub package_files: Table<PackageFile>,
    pub uploads: Table<Upload>,
    /// Projects that a push has made, and whose pusher does not know it yet.
    pub unannounced_projects: BTreeSet<u64>,
    pub releases: Table<Release>,
    pub release_links: Table<ReleaseLink>,
    pub evidences: Table<Evidence>,
    /// The gates of the instance's feature flags, by name.
    pub features: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
    pub package_rules: Table<PackageRule>,
    pub belongings: Belongings,
    pub instance: Instance,
    pub integrations: Table<Integration>,
    /// By project; absent: the defaults.
    pub pages: BTreeMap<u64, PagesSettings>,
    pub pages_domains: Table<PagesDomain>,
    pub remote_mirrors: Table<RemoteMirror>,
    pub limits: Limits,
    /// Where projects were before they moved, in lower case.
    pub(crate) former_paths: BTreeMap<String, u64>,
    iids: BTreeMap<(u64, &'static str), u64>,
    next_namespace: u64,
}

/// Numbers a test or an administrator may change.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub project_ci_variables: usize,
    pub group_ci_variables: usize,
    pub instance_ci_variables: usize,
    /// How long a merge request stays in `checking`, in milliseconds.
    pub mergeability_check_delay: u64,
    /// How long a rebase stays in progress, in milliseconds.
    pub rebase_delay: u64,
    /// How many comments a user may write in a minute.
    pub notes_per_minute: Option<usize>,
    /// How many pipelines a user may start in a minute for one commit of a project.
    pub pipelines_per_minute: Option<usize>,
    /// Jobs of pipelines that are older, in seconds, can be neither played nor retried.
    pub archive_jobs_after: Option<i64>,
    /// So many resources, next to become free, are not given to the job that waits: a known bug of GitLab's. The next job
    /// that comes to wait wakes everybody.
    pub lost_resource_assignments: u32,
    /// So many jobs, next to end, keep their resource for five minutes more.
    pub lost_resource_releases: u32,
}

impl State {
    /// A state that holds only the administrator `root` and the token given for it.
    pub(crate) fn with_root(token: &str, now: Timestamp) -> Self {
        let mut state = Self {
            users: Table::default(),
            groups: Table::default(),
            projects: Table::default(),
            members: Table::default(),
            tokens: Table::default(),
            job_tokens: Vec::new(),
            variables: Variables::default(),
            protected_branches: Table::default(),
            protected_tags: Table::default(),
            merge_requests: Table::default(),
            issues: Table::default(),
            issue_links: Table::default(),
            notes: Table::default(),
            draft_notes: Table::default(),
            suggestions: Table::default(),
            time_logs: Table::default(),
            todos: Table::default(),
            subscriptions: Vec::new(),
            events: Table::default(),
            awards: Table::default(),
            boards: Table::default(),
            comments: Table::default(),
            wiki_pages: Table::default(),
            wiki_attachments: Table::default(),
            snippets: Table::default(),
            labels: Table::default(),
            milestones: Table::default(),
            resource_events: Table::default(),
            pipelines: Table::default(),
            jobs: Table::default(),
            resource_groups: Table::default(),
            runners: Table::default(),
            runner_managers: Table::default(),
            registration_tokens: BTreeMap::new(),
            triggers: Table::default(),
            schedules: Table::default(),
            touched_pipelines: BTreeSet::new(),
            environments: Table::default(),
            deployments: Table::default(),
            feature_flags: Table::default(),
            user_lists: Table::default(),
            freeze_periods: Table::default(),
            packages: Table::default(),
            package_files: Table::default(),
            uploads: Table::default(),
            unannounced_projects: BTreeSet::new(),
            releases: Table::default(),
            release_links: Table::default(),
            evidences: Table::default(),
            features: BTreeMap::new(),
            package_rules: Table::default(),
            belongings: Belongings::default(),
            instance: Instance::default(),
            integrations: Table::default(),
            pages: BTreeMap::new(),
            pages_domains: Table::default(),
            remote_mirrors: Table::default(),
            limits: Limits {
                project_ci_variables: 8000,
                group_ci_variables: 30_000,
                instance_ci_variables: 25,
                mergeability_check_delay: 0,
                rebase_delay: 0,
                notes_per_minute: None,
                pipelines_per_minute: None,
                archive_jobs_after: None,
                lost_resource_assignments: 0,
                lost_resource_releases: 0,
            },
            former_paths: BTreeMap::new(),
            iids: BTreeMap::new(),
            next_namespace: 1,
        };
        let root = state.add_user("root", "Administrator", "admin@example.com", now);
        if let Some(user) = state.users.get_mut(root) {
            user.admin = true;
        }
        state.tokens.insert(|id| Token {
            id,
            user_id: root,
            kind: TokenKind::Personal,
            name: "root token".to_owned(),
            description: None,
            secret: token.to_owned(),
            scopes: vec![
                "api".to_owned(),
                "read_repository".to_owned(),
                "write_repository".to_owned(),
                "sudo".to_owned(),
            ],
            created_at: now,
            expires_at: None,
            revoked: false,
            last_used_at: None,
        });
        state
    }

    /// The next number of a family inside a project, from 1: `next_iid(project, "issues")`.
    pub fn next_iid(&mut self, project: u64, family: &'static str) -> u64 {
        let last = self.iids.entry((project, family)).or_insert(0);
        *last += 1;
        *last
    }

    /// Groups and users' own namespaces share their ids.
    pub(crate) fn next_namespace(&mut self) -> u64 {
        self.next_namespace += 1;
        self.next_namespace - 1
    }
}

/// Rows by id, in order of creation.
#[derive(Debug, Clone)]
pub struct Table<T> {
    last: u64,
    rows: BTreeMap<u64, T>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            last: 0,
            rows: BTreeMap::new(),
        }
    }
}

impl<T> Table<T> {
    /// Adds the row that `make` builds for the next free id, and returns that id.
    pub fn insert(&mut self, make: impl FnOnce(u64) -> T) -> u64 {
        self.put(self.last + 1, make)
    }

    /// Takes an id that a row of another table will have.
    pub(crate) fn reserve(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Adds a row under an id that comes from elsewhere.
    pub(crate) fn put(&mut self, id: u64, make: impl FnOnce(u64) -> T) -> u64 {
        self.last = self.last.max(id);
        self.rows.insert(id, make(id));
        id
    }

    /// The row of an id.
    pub fn get(&self, id: u64) -> Option<&T> {
        self.rows.get(&id)
    }

    /// The row of an id, to change it.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut T> {
        self.rows.get_mut(&id)
    }

    /// Takes a row out; its id is not used again.
    pub fn remove(&mut self, id: u64) -> Option<T> {
        self.rows.remove(&id)
    }

    /// Keeps only some rows.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.rows.retain(|_, row| keep(row));
    }

    /// All rows by ascending id; reversible.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    /// All rows by ascending id, to change them.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut T> {
        self.rows.values_mut()
    }
}
