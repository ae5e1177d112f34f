//! What must hold on the way; else the story went another way.

use trainyard_emulator::FinishedJob;

use super::Story;
use crate::outcome::Problem;
use crate::ports::Answer;

impl Story<'_, '_> {
    pub(super) fn newest_of_main(&self) -> Answer<u64> {
        let pipelines = self
            .world
            .read("rita", &self.world.at("pipelines?ref=main&source=push"))?;
        pipelines[0]["id"]
            .as_u64()
            .ok_or_else(|| Problem::bug("the default branch has no pipeline"))
    }

    pub(super) fn expect_merged(&self, iid: u64) -> Answer<()> {
        self.expect_state(iid, "merged")
    }

    pub(super) fn expect_open(&self, iid: u64) -> Answer<()> {
        self.expect_state(iid, "opened")
    }

    pub(super) fn expect_state(&self, iid: u64, state: &str) -> Answer<()> {
        let found = self
            .world
            .read("olga", &self.world.at(&format!("merge_requests/{iid}")))?;
        check(found["state"] == state, || {
            let jobs: Vec<String> = self
                .world
                .ran
                .iter()
                .rev()
                .map(|ran| &ran.finished)
                .take(8)
                .map(|job| format!("--- {} (exit {:?})\n{}", job.name, job.exit_code, job.trace))
                .collect();
            format!(
                "!{iid} should be {state}, and is {}\n{}",
                found["state"],
                jobs.join("\n")
            )
        })
    }

    pub(super) fn expect_exit(&self, name: &str, exit: i32) -> Answer<()> {
        match self
            .world
            .ran
            .iter()
            .rev()
            .map(|ran| &ran.finished)
            .find(|job| job.name == name)
        {
            Some(job) => expect(job, exit),
            None => Err(Problem::bug(format!("`{name}` did not run"))),
        }
    }
}

pub(super) fn expect(job: &FinishedJob, exit: i32) -> Answer<()> {
    check(job.exit_code == Some(exit), || {
        format!(
            "`{}` should end with exit code {exit}, and ended with {:?}:\n{}",
            job.name, job.exit_code, job.trace
        )
    })
}

pub(super) fn check(holds: bool, otherwise: impl FnOnce() -> String) -> Answer<()> {
    if holds {
        Ok(())
    } else {
        Err(Problem::bug(format!(
            "the story went another way: {}",
            otherwise()
        )))
    }
}
