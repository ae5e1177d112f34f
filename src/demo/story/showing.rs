//! What is shown on the way: jobs, screens, and the pages that people read.

use trainyard_emulator::FinishedJob;

use super::Story;
use super::expecting::check;
use crate::ports::Answer;

impl Story<'_, '_> {
    /// Tells the jobs of these names that ran since the last time.
    pub(super) fn tell_jobs(&mut self, names: &[&str]) {
        let untold = self
            .world
            .ran
            .iter()
            .skip(self.tell.told())
            .map(|ran| &ran.finished);
        let chosen: Vec<FinishedJob> = untold
            .filter(|job| names.contains(&job.name.as_str()))
            .cloned()
            .collect();
        for job in &chosen {
            self.tell_job(job);
        }
        self.tell.all_told(self.world.ran.len());
    }

    pub(super) fn tell_job(&mut self, job: &FinishedJob) {
        self.tell.job(job, &self.world.facts_of(job.id));
    }

    pub(super) fn show_queue(&mut self) -> Answer<()> {
        let text = self.world.as_gate(&["queue"])?;
        self.tell.screen("trainyard queue", &text);
        let rows = text.lines().filter(|line| line.contains(". !")).count();
        check(rows == 2, || {
            format!("two change sets should wait while NRT is taken:\n{text}")
        })
    }

    pub(super) fn show_version(&mut self) -> Answer<()> {
        let text = self.world.as_gate(&["version"])?;
        self.tell.screen("trainyard version", &text);
        Ok(())
    }

    /// What people read on GitLab's page of a release.
    pub(super) fn show_release(&mut self, tag: &str) -> Answer<()> {
        let path = self.world.at(&format!("releases/{tag}"));
        let release = self.world.read("olga", &path)?;
        let notes = release["description"].as_str().unwrap_or_default();
        self.tell
            .screen(&format!("the notes of the release {tag}"), notes);
        check(notes.contains("what for: I need no cash."), || {
            format!("the notes should tell what the version is good for:\n{notes}")
        })
    }

    pub(super) fn show_notes(&mut self, user: &str, iid: u64) -> Answer<()> {
        self.show_all(
            user,
            &format!("merge_requests/{iid}"),
            &format!("a note on !{iid}"),
        )
    }

    /// What the product owner reads on a feature.
    pub(super) fn show_feature(&mut self, iid: u64) -> Answer<()> {
        self.show_all(
            "olga",
            &format!("issues/{iid}"),
            &format!("the note on feature #{iid}"),
        )
    }

    pub(super) fn show_all(&mut self, user: &str, place: &str, title: &str) -> Answer<()> {
        let path = self
            .world
            .at(&format!("{place}/notes?sort=asc&order_by=created_at"));
        let notes = self.world.read(user, &path)?;
        for note in notes
            .as_array()
            .into_iter()
            .flatten()
            .filter(|note| note["system"] == false)
        {
            self.tell
                .note(title, note["body"].as_str().unwrap_or_default());
        }
        Ok(())
    }
}
