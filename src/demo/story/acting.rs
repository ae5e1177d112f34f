//! What people do, and when jobs run.

use trainyard_emulator::JobInfo;

use super::Story;
use super::expecting::expect;
use crate::ports::Answer;

impl Story<'_, '_> {
    pub(super) fn open(
        &mut self,
        user: &str,
        branch: &str,
        title: &str,
        description: &str,
        files: &[(&str, &str)],
    ) -> Answer<u64> {
        let iid = self
            .world
            .merge_request(user, branch, title, description, files)?;
        self.tell.line(&format!(
            "  {user} opens !{iid} \"{title}\": \"{description}\""
        ));
        Ok(iid)
    }

    pub(super) fn push(
        &mut self,
        user: &str,
        branch: &str,
        message: &str,
        files: &[(&str, &str)],
    ) -> Answer<String> {
        let files: Vec<(String, String)> = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect();
        self.world.push(user, branch, message, &files, &[])
    }

    /// Runs what comes before `integrate`, then somebody presses it.
    pub(super) fn integrate(&mut self, user: &str, iid: u64) -> Answer<()> {
        self.run_except(&["nrt-tests", "deploy-production"]);
        self.play(user, iid, "integrate", 0)
    }

    pub(super) fn play(&mut self, user: &str, iid: u64, name: &str, exit: i32) -> Answer<()> {
        let finished = self.world.play(user, iid, name)?;
        self.tell_job(&finished);
        expect(&finished, exit)
    }

    pub(super) fn run_all(&mut self) {
        self.run_except(&[]);
    }

    pub(super) fn run_except(&mut self, names: &[&str]) {
        self.world
            .run(|info: &JobInfo| !names.contains(&info.name.as_str()));
    }
}
