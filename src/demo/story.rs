//! The story: three features, seven merge requests, one environment, one release.
//!
//! Every step is checked as it happens; a step that goes another way ends the story with the reason.

mod acting;
mod expecting;
mod showing;

use std::io::Write;
use std::path::Path;

use gitlab::api::endpoint_prelude::Method;
use jiff::SignedDuration;
use serde_json::json;

use super::narrator::Narrator;
use super::summary::{self, Summary};
use super::world::{Beginning, World};
use crate::outcome::Problem;
use crate::ports::Answer;

use expecting::{check, expect};

/// How the story ended.
pub(super) struct Ended {
    /// For programs.
    pub(super) summary: Summary,
    /// For people: where to look next.
    pub(super) epilogue: String,
}

/// Plays the story in `keep`, or in a folder that is removed afterwards.
pub(super) fn play(programs: &Path, keep: Option<&Path>, out: &mut dyn Write) -> Answer<Ended> {
    let started = super::world::now();
    let folder = super::folder::Folder::new(keep)?;
    let mut tell = Narrator::new(out);
    tell.line("Trainyard takes features from their issue to production. This is the whole way, on an embedded GitLab: real HTTP, real git,");
    tell.line("and this very program started job by job by a runner, with the environment that GitLab gives its jobs.");
    let mut world = World::start(&Beginning::new(folder.path(), programs))?;
    tell.cast(world.emulator.url());
    tell_it(&mut world, &mut tell)?;
    let seconds = super::world::now().duration_since(started).as_secs_f64();
    let summary = summary::of(&world, seconds)?;
    tell.invariants(&summary.invariants);
    let epilogue = summary::epilogue(&world, &summary, folder.kept())?;
    drop(world);
    folder.finish()?;
    Ok(Ended { summary, epilogue })
}

/// A world in which the whole story has happened, untold.
pub(super) fn seeded(beginning: &Beginning<'_>) -> Answer<World> {
    let mut world = World::start(beginning)?;
    tell_it(&mut world, &mut Narrator::new(&mut std::io::sink()))?;
    Ok(world)
}

fn tell_it(world: &mut World, tell: &mut Narrator<'_>) -> Answer<()> {
    // As GitLab sets up every project.
    let usual = json!({"merge_method": "merge"});
    world.ask(
        "root",
        Method::PUT,
        &format!("projects/{}", world.project),
        usual,
    )?;
    let mut story = Story { world, tell };
    story.features()?;
    story.queue_while_nrt_is_taken()?;
    story.a_change_set_is_rejected_and_mended()?;
    story.a_feature_is_claimed_once()?;
    story.a_feature_is_rejected_and_validated()?;
    story.the_second_feature_is_closed()?;
    story.a_version_is_released()?;
    story.five_land_at_once()?;
    story.the_schedule_looks_after_the_rest()?;
    story.a_retried_job_changes_nothing()?;
    Ok(())
}

struct Story<'a, 'w> {
    world: &'a mut World,
    tell: &'a mut Narrator<'w>,
}

impl Story<'_, '_> {
    fn features(&mut self) -> Answer<()> {
        self.tell
            .chapter("Olga, the product owner, writes three features");
        for (title, benefit, criterion) in [
            ("Pay by card", "I need no cash", "the card is charged once"),
            (
                "Gift wrapping",
                "my parcel is a present",
                "the paper can be chosen",
            ),
            (
                "Wish list",
                "others know what I want",
                "a list can be shared",
            ),
        ] {
            let text = format!(
                "As a customer I want this, so that {benefit}.\n\n## Acceptance criteria\n\n- [x] {criterion}\n"
            );
            let iid = self.world.feature("olga", title, &text)?;
            self.tell.line(&format!("  #{iid} {title}"));
        }
        Ok(())
    }

    fn queue_while_nrt_is_taken(&mut self) -> Answer<()> {
        self.tell.chapter("Three developers contribute, and press `integrate` while the test environment is taken");
        self.open(
            "ana",
            "card-form",
            "Add the card form",
            "contributes to feature #1",
            &[("shop/card.price", "3\n")],
        )?;
        self.open(
            "dan",
            "card-receipt",
            "Mail a receipt",
            "Contributes to features: #1 and #2",
            &[("shop/receipt.price", "0\n")],
        )?;
        self.open(
            "eve",
            "gift-paper",
            "Sell gift paper",
            "contributes to feature #2",
            &[("shop/paper.price", "two\n")],
        )?;
        self.integrate("ana", 1)?;
        self.tell.line("Ana's change set is deployed to the NRT environment. Before its tests are over, Dan and Eve press `integrate` too:");
        self.run_except(&["nrt-tests"]);
        self.integrate("dan", 2)?;
        self.integrate("eve", 3)?;
        self.run_except(&["nrt-tests"]);
        self.show_queue()?;
        self.tell.line("On each merge request stands one note, edited in place; and one on each feature, for the product owner:");
        self.show_notes("eve", 3)?;
        self.show_feature(1)?;
        self.tell.line("Nobody waits in a job: the resource group and the queue hold them. Now the tests of !1 run, and the others follow in turn.");
        Ok(())
    }

    fn a_change_set_is_rejected_and_mended(&mut self) -> Answer<()> {
        self.run_all();
        self.tell
            .chapter("!1 landed; !2 was rebased onto it and landed; !3 did not pass");
        self.tell_jobs(&["nrt-acquire", "append-to-version", "nrt-release"]);
        self.expect_merged(1)?;
        self.expect_merged(2)?;
        self.expect_open(3)?;
        self.show_notes("eve", 3)?;
        self.tell
            .line("Eve pushes a fix and presses `integrate` again.");
        self.push(
            "eve",
            "gift-paper",
            "The paper costs 2",
            &[("shop/paper.price", "2\n")],
        )?;
        self.run_all();
        self.integrate("eve", 3)?;
        self.run_all();
        self.tell_jobs(&["nrt-admit", "append-to-version"]);
        self.expect_merged(3)
    }

    fn a_feature_is_claimed_once(&mut self) -> Answer<()> {
        self.tell
            .chapter("Ana closes feature #1; Dan claims it too");
        self.open(
            "ana",
            "card-charge",
            "Charge the card",
            "closes feature #1",
            &[("shop/charge.price", "1\n")],
        )?;
        self.open(
            "dan",
            "card-charge-too",
            "Charge the card as well",
            "Closes feature #1",
            &[("shop/charge.price", "9\n")],
        )?;
        self.run_all();
        self.tell_jobs(&["link-check"]);
        self.expect_exit("link-check", 1)?;
        self.show_notes("dan", 5)?;
        let broken = self.world.broken_rules("dan", 5)?;
        self.tell.screen("the test summary of !5", &broken);
        self.tell.line("Dan closes his merge request.");
        self.world
            .ask(
                "dan",
                Method::PUT,
                &self.world.at("merge_requests/5"),
                json!({"state_event": "close"}),
            )
            .map(drop)
    }

    fn a_feature_is_rejected_and_validated(&mut self) -> Answer<()> {
        self.tell
            .chapter("People validate feature #1, by manual jobs of the merge request's pipeline");
        self.tell.line("Mallory holds no role, and tries:");
        self.play("mallory", 4, "validate:po", 1)?;
        self.tell.line("Quentin, QA, finds a fault:");
        self.play("quentin", 4, "reject:qa", 0)?;
        self.show_notes("ana", 4)?;
        self.show_feature(1)?;
        self.tell.line("Ana pushes what was asked for. The verdict lapses, for the content is another one; both roles are asked again.");
        self.push(
            "ana",
            "card-charge",
            "Charge it once",
            &[("shop/charge.price", "2\n")],
        )?;
        self.run_all();
        // People need longer than this program. GitLab tells whole seconds: a rejection in the very second of a validation is looked into.
        let clock = self.world.emulator.clock();
        clock.advance(SignedDuration::from_secs(1));
        self.play("olga", 4, "validate:po", 0)?;
        self.play("quentin", 4, "validate:qa", 0)?;
        self.run_all();
        self.tell_jobs(&["await-validation"]);
        self.integrate("ana", 4)?;
        self.run_all();
        self.tell_jobs(&["nrt-admit", "append-to-version"]);
        self.show_feature(1)?;
        self.expect_merged(4)
    }

    fn the_second_feature_is_closed(&mut self) -> Answer<()> {
        self.tell.chapter("Eve closes feature #2");
        self.open(
            "eve",
            "gift-done",
            "Wrap gifts",
            "This closes feature #2.",
            &[("shop/wrap.price", "4\n")],
        )?;
        self.run_all();
        self.play("olga", 6, "validate:po", 0)?;
        self.play("quentin", 6, "validate:qa", 0)?;
        self.run_all();
        self.integrate("eve", 6)?;
        self.run_all();
        self.expect_merged(6)?;
        self.show_version()
    }

    fn a_version_is_released(&mut self) -> Answer<()> {
        self.tell
            .chapter("Rita releases the version; merging goes on");
        let pipeline = self.newest_of_main()?;
        let prepared = self.world.play_in("rita", pipeline, "release-prepare")?;
        self.tell_job(&prepared);
        expect(&prepared, 0)?;
        self.tell.line("Before the deployment is over, Dan's next change set goes through the queue. It belongs to the next version.");
        self.open(
            "dan",
            "wish-list",
            "Keep a wish list",
            "contributes to feature #3",
            &[("shop/wish.price", "0\n")],
        )?;
        self.run_except(&["deploy-production"]);
        self.integrate("dan", 7)?;
        self.run_except(&["deploy-production"]);
        self.expect_merged(7)?;
        self.run_all();
        self.tell_jobs(&["deploy-production", "release-publish"]);
        self.show_release("v0.1.0")?;
        self.show_feature(1)?;
        self.show_notes("ana", 1)?;
        for iid in [1, 2] {
            let issue = self
                .world
                .read("olga", &self.world.at(&format!("issues/{iid}")))?;
            check(issue["state"] == "closed", || {
                format!("feature #{iid} is not closed")
            })?;
        }
        self.show_version()
    }

    fn five_land_at_once(&mut self) -> Answer<()> {
        self.tell
            .chapter("Five small changes are asked for while the workers are busy; one trial tests them, and one push lands them");
        let mut iids = Vec::new();
        for (user, what) in [
            ("ana", "list-icon"),
            ("dan", "list-share"),
            ("eve", "list-sort"),
            ("ana", "list-print"),
            ("dan", "list-note"),
        ] {
            let file = format!("shop/{what}.price");
            let (title, text) = (format!("Wish list: {what}"), "contributes to feature #3");
            iids.push((
                user,
                self.open(user, what, &title, text, &[(&file, "1\n")])?,
            ));
        }
        for (user, iid) in &iids {
            self.run_except(&["nrt-acquire"]);
            self.play(user, *iid, "integrate", 0)?;
            self.run_except(&["nrt-acquire"]);
        }
        self.run_all();
        self.tell_jobs(&["append-to-version"]);
        iids.iter()
            .try_for_each(|(_, iid)| self.expect_merged(*iid))
    }

    fn the_schedule_looks_after_the_rest(&mut self) -> Answer<()> {
        self.tell
            .chapter("The schedule finds nothing to do but to delete the branches of what landed");
        let plan = json!({"description": "tick", "ref": "main", "cron": "*/15 * * * *", "cron_timezone": "UTC"});
        let at = self.world.at("pipeline_schedules");
        let made = self.world.ask("rita", Method::POST, &at, plan)?;
        let play = self
            .world
            .at(&format!("pipeline_schedules/{}/play", made["id"]));
        self.world.ask("rita", Method::POST, &play, json!({}))?;
        self.run_all();
        self.tell_jobs(&["tick"]);
        let branches = self.world.at("repository/branches?per_page=100");
        let left = self.world.read("olga", &branches)?.to_string();
        check(!left.contains("\"list-"), || {
            format!("branches of what landed are left: {left}")
        })
    }

    fn a_retried_job_changes_nothing(&mut self) -> Answer<()> {
        self.tell
            .chapter("A finished job is run again, and changes nothing");
        let last = self
            .world
            .ran
            .iter()
            .rev()
            .map(|ran| &ran.finished)
            .find(|job| job.name == "release-publish")
            .cloned();
        let last = last.ok_or_else(|| Problem::bug("no release was published"))?;
        let retried = self.world.ask(
            "rita",
            Method::POST,
            &self.world.at(&format!("jobs/{}/retry", last.id)),
            json!({}),
        )?;
        let again = self
            .world
            .run_one(|info| Some(info.id) == retried["id"].as_u64())
            .map(|ran| ran.finished.clone());
        let again = again.ok_or_else(|| Problem::bug("the retried job did not run"))?;
        self.tell_job(&again);
        expect(&again, 0)?;
        check(again.trace.contains("nothing changed"), || {
            "the retried job does not say that nothing changed".to_owned()
        })
    }
}
