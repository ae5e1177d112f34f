//! What goes with a project: a new family that belongs to projects adds its rows here.

use super::State;
use super::holders::Holder;
use super::members::Source;
use super::places::Place;
use super::tokens::TokenKind;
use super::variables::Owner;

impl State {
    /// Removes a project and all rows that belong to it.
    pub fn remove_project(&mut self, project: u64) {
        self.projects.remove(project);
        self.remove_belongings(Place::Project(project));
        self.integrations.retain(|row| row.project_id != project);
        self.pages.remove(&project);
        self.pages_domains.retain(|row| row.project_id != project);
        self.remote_mirrors.retain(|row| row.project_id != project);
        for fork in self.projects.iter_mut() {
            fork.forked_from = fork.forked_from.filter(|from| *from != project);
        }
        self.members
            .retain(|member| member.source != Source::Project(project));
        self.variables.remove_of(Owner::Project(project));
        self.protected_branches
            .retain(|rule| rule.project_id != project);
        self.protected_tags
            .retain(|rule| rule.project_id != project);
        self.merge_requests
            .retain(|merge_request| merge_request.project_id != project);
        let gone: Vec<u64> = self.issues_of(project).map(|issue| issue.id).collect();
        self.issue_links
            .retain(|link| !gone.contains(&link.source) && !gone.contains(&link.target));
        self.issues.retain(|issue| issue.project_id != project);
        self.notes.retain(|note| note.project_id != project);
        self.awards.retain(|award| award.project_id != project);
        self.comments
            .retain(|comment| comment.project_id != project);
        self.snippets
            .retain(|snippet| snippet.project_id != Some(project));
        let holder = Holder::Project(project);
        self.labels.retain(|label| label.holder != holder);
        self.draft_notes.retain(|note| note.project_id != project);
        self.suggestions.retain(|row| row.project_id != project);
        self.time_logs.retain(|log| log.project_id != project);
        self.todos.retain(|todo| todo.project_id != project);
        self.subscriptions.retain(|row| row.project_id != project);
        self.events.retain(|event| event.project_id != project);
        self.milestones
            .retain(|milestone| milestone.holder != holder);
        self.boards.retain(|board| board.holder != holder);
        self.package_rules.retain(|rule| rule.project_id != project);
        self.wiki_pages.retain(|page| page.project_id != project);
        self.wiki_attachments
            .retain(|file| file.project_id != project);
        self.resource_events
            .retain(|event| event.project_id != project);
        self.tokens
            .retain(|token| token.kind != TokenKind::Project(project));
        self.job_tokens.retain(|token| token.project_id != project);
        self.pipelines.retain(|row| row.project_id != project);
        self.jobs.retain(|row| row.project_id != project);
        self.forget_runners_of_project(project);
        self.resource_groups.retain(|row| row.project_id != project);
        self.triggers.retain(|row| row.project_id != project);
        self.schedules.retain(|row| row.project_id != project);
        self.environments.retain(|row| row.project_id != project);
        self.deployments.retain(|row| row.project_id != project);
        self.feature_flags.retain(|row| row.project_id != project);
        self.user_lists.retain(|row| row.project_id != project);
        self.freeze_periods.retain(|row| row.project_id != project);
        self.uploads.retain(|row| row.project_id != project);
        self.unannounced_projects.remove(&project);
        let releases: Vec<u64> = self.releases_of(project).map(|row| row.id).collect();
        for release in releases {
            self.remove_release(release);
        }
        let packages: Vec<u64> = self.packages_of(project).map(|row| row.id).collect();
        for package in packages {
            self.remove_package(package);
        }
    }
}
