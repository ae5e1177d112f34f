//! The members of a yard: each is looked at when a job first needs it, and once.

use std::cell::OnceCell;

use crate::config::Config;
use crate::config::ci::Ci;
use crate::domain::ids::ProjectPath;
use crate::git::{Destination, WorkTree};
use crate::gitlab::{GitLab, Trust};
use crate::jobs::{Desk, Members};
use crate::outcome::Problem;
use crate::ports::{Answer, Channels, Clock, Journal, Logs, Policies};

/// A member as a job of its own gate would see it, and the text of its rules.
type Seen = (Ci, Option<String>);

/// Each member, looked at or not yet.
#[derive(Debug)]
pub(super) struct Surroundings(Vec<(ProjectPath, OnceCell<Seen>)>);

impl Surroundings {
    pub(super) fn of(projects: &[ProjectPath]) -> Self {
        Self(
            projects
                .iter()
                .map(|path| (path.clone(), OnceCell::new()))
                .collect(),
        )
    }
}

/// What a job needs of one member.
struct Member<'a> {
    ci: &'a Ci,
    gitlab: GitLab<'a>,
    config: Config,
    tree: WorkTree,
}

/// All members, and what they share.
pub(super) struct Fleet<'a> {
    projects: Vec<ProjectPath>,
    surroundings: &'a Surroundings,
    members: Vec<OnceCell<Member<'a>>>,
    /// The yard itself.
    yard: &'a Ci,
    config: &'a Config,
    gitlab: &'a GitLab<'a>,
    clock: &'a dyn Clock,
    channels: &'a dyn Channels,
    journal: &'a dyn Journal,
    logs: &'a dyn Logs,
}

impl<'a> Fleet<'a> {
    pub(super) fn new(
        surroundings: &'a Surroundings,
        (yard, config): (&'a Ci, &'a Config),
        gitlab: &'a GitLab<'a>,
        clock: &'a dyn Clock,
        channels: &'a dyn Channels,
        (journal, logs): (&'a dyn Journal, &'a dyn Logs),
    ) -> Self {
        let projects: Vec<ProjectPath> = surroundings
            .0
            .iter()
            .map(|(path, _)| path.clone())
            .collect();
        Self {
            members: projects.iter().map(|_| OnceCell::new()).collect(),
            projects,
            surroundings,
            yard,
            config,
            gitlab,
            clock,
            channels,
            journal,
            logs,
        }
    }

    /// The member as a job of its own gate would see it, and the text of its rules.
    fn ci(&self, index: usize) -> Answer<&'a Seen> {
        let (path, cell) = &self.surroundings.0[index];
        if let Some(ci) = cell.get() {
            return Ok(ci);
        }
        let found = self.gitlab.member(path, self.config.branch.as_ref())?;
        let found = found.ok_or_else(|| {
            Problem::misconfigured(
                format!("`gate.projects` names `{path}`, and GitLab shows no such project to the token in `TRAINYARD_GATE_TOKEN`"),
                format!("check the path, and make the gate's bot a Maintainer of `{path}`"),
            )
        })?;
        let ci = Ci {
            project: path.clone(),
            project_id: found.id,
            project_url: found.url,
            default_branch: found.default_branch,
            ..self.yard.clone()
        };
        Ok(cell.get_or_init(|| (ci, found.rules)))
    }

    fn member(&self, index: usize) -> Answer<Member<'a>> {
        let (ci, rules) = self.ci(index)?;
        let gitlab = GitLab::new(ci, self.clock, Trust::Gate)?;
        let own =
            Config::parse(rules.as_deref().unwrap_or_default()).map_err(|problem| Problem {
                what: format!("in `{}`: {}", ci.project, problem.what),
                ..problem
            })?;
        let config = self
            .config
            .for_member(&self.yard.project, &ci.project, own)?;
        let token = ci
            .gate_token
            .clone()
            .ok_or_else(|| Problem::bug("a gate job without its token got this far"))?;
        let destination = Destination {
            address: ci.git_address(),
            token,
            ca: ci.ca_file.clone(),
        };
        Ok(Member {
            tree: WorkTree::of_member(&ci.directory, ci.project_id, destination),
            ci,
            gitlab,
            config,
        })
    }
}

impl Members for Fleet<'_> {
    fn projects(&self) -> &[ProjectPath] {
        &self.projects
    }

    fn desk(&self, project: &ProjectPath) -> Answer<Desk<'_>> {
        let known = self.projects.iter().position(|path| path == project);
        let index = known.ok_or_else(|| stranger(project, self.yard, &self.projects))?;
        let cell = &self.members[index];
        let member = match cell.get() {
            Some(member) => member,
            None => {
                let member = self.member(index)?;
                cell.get_or_init(|| member)
            }
        };
        let (gitlab, tree) = (&member.gitlab, &member.tree);
        Ok(Desk {
            ci: member.ci,
            config: &member.config,
            may_look_up: gitlab.may_look_up(),
            clock: self.clock,
            merge_requests: gitlab,
            features: gitlab,
            records: gitlab,
            changes: gitlab,
            people: gitlab,
            workers: self.gitlab,
            boards: gitlab,
            announcements: gitlab,
            channels: self.channels,
            releases: gitlab,
            milestones: gitlab,
            pins: gitlab,
            files: gitlab,
            commits: tree,
            candidates: tree,
            picks: tree,
            journal: self.journal,
            logs: self.logs,
            traces: gitlab,
            proposals: gitlab,
            members: Some(self),
        })
    }
}

fn stranger(project: &ProjectPath, yard: &Ci, members: &[ProjectPath]) -> Problem {
    let names: Vec<String> = members.iter().map(|path| format!("`{path}`")).collect();
    Problem::refused(
        format!(
            "`{project}` is not served here: `gate.projects` of `{}` lists {}",
            yard.project,
            names.join(", ")
        ),
        format!("add it there, or take `gate.project` out of the `.trainyard.yml` of `{project}`"),
    )
}
