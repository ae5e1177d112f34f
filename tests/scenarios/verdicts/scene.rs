//! A shop whose non-regression tests leave a JUnit report: one case for each price, named by what its file says.

use gitlab::api::endpoint_prelude::Method;
use serde_json::json;
use trainyard::demo::world::World;
use trainyard::domain::event::Fact;
use trainyard_emulator::FinishedJob;

use crate::deaths::Scenery;
use crate::stage::Stage;

/// A price is `number` and the name of its test case; one that is no number fails.
const TESTS: &str = r#"
set -eu
failed=0
echo '<testsuite name="prices">' > report.xml
for file in shop/*.price; do
  case_name=$(sed -n 2p "$file")
  price=$(sed -n 1p "$file")
  if echo "$price" | grep -qE '^[0-9]+$'; then
    echo "<testcase classname=\"prices\" name=\"$case_name\"/>" >> report.xml
  else
    failed=1
    echo "<testcase classname=\"prices\" name=\"$case_name\"><failure>not a price: $price</failure></testcase>" >> report.xml
  fi
done
echo '</testsuite>' >> report.xml
exit $failed
"#;

const PIPELINE: &str = "
deploy-nrt:
  extends: .trainyard-candidate
  stage: deploy
  script:
    - echo deployed
nrt-tests:
  extends: .trainyard-candidate
  stage: test
  script:
    - sh tests/nrt.sh
  artifacts:
    when: always
    reports:
      junit: report.xml
";

/// One merge request: the feature it contributes to, its price, and the name of the price's test case.
#[derive(Clone, Copy)]
pub(super) struct Change<'a> {
    pub(super) feature: u64,
    pub(super) price: &'a str,
    pub(super) case: &'a str,
}

impl<'a> Change<'a> {
    pub(super) fn good(feature: u64, case: &'a str) -> Self {
        Self {
            feature,
            price: "3",
            case,
        }
    }

    pub(super) fn bad(feature: u64, case: &'a str) -> Self {
        Self {
            price: "free",
            ..Self::good(feature, case)
        }
    }
}

/// Merge requests that all wait when the first worker comes; they are !1, !2... and there are as many features.
pub(super) struct Scene {
    pub(super) stage: Stage,
    pub(super) iids: Vec<u64>,
}

impl Scenery for Scene {
    fn world(&mut self) -> &mut World {
        &mut self.stage.world
    }
}

impl Scene {
    /// `nrt` is the section of the configuration, as YAML in one line.
    pub(super) fn new(nrt: &str, changes: &[Change<'_>]) -> Self {
        Self::with_pipeline(nrt, PIPELINE, changes)
    }

    pub(super) fn with_pipeline(nrt: &str, pipeline: &str, changes: &[Change<'_>]) -> Self {
        let section = format!("nrt: {nrt}\nversions:");
        let mut stage = Stage::with_files(
            &[("versions:", &section)],
            &[("ci/nrt.yml", pipeline), ("tests/nrt.sh", TESTS)],
        );
        // GitLab lets only those play jobs of a protected branch who may merge to it.
        let quentin = stage.world.read("root", "users?username=quentin").unwrap()[0]["id"].clone();
        let member = stage.world.at(&format!("members/{quentin}"));
        let access = json!({"access_level": 40});
        stage
            .world
            .ask("root", Method::PUT, &member, access)
            .unwrap();
        let mut iids = Vec::new();
        for (index, change) in changes.iter().enumerate() {
            stage.feature(&format!("Feature {}", index + 1));
            let file = format!("shop/item-{}.price", index + 1);
            let text = format!("{}\n{}\n", change.price, change.case);
            let description = format!("contributes to feature #{}", change.feature);
            iids.push((description, file, text));
        }
        let mut scene = Self {
            stage,
            iids: Vec::new(),
        };
        for (description, file, text) in iids {
            let files = [(file.as_str(), text.as_str())];
            let iid = scene.stage.merge_request_with("ana", &description, &files);
            scene.integrate(iid);
            scene.iids.push(iid);
        }
        scene
    }

    /// Asks for integration; no worker begins a trial.
    pub(super) fn integrate(&mut self, iid: u64) {
        let stage = &mut self.stage;
        stage.join_queue("ana", iid);
    }

    /// The pipeline of the last trial.
    pub(super) fn trial_pipeline(&self) -> u64 {
        self.stage.last("deploy-nrt").pipeline_id
    }

    /// Somebody presses a job of the trial's pipeline, and what follows runs; `None` when GitLab refuses.
    pub(super) fn press(&mut self, user: &str, job: &str) -> Option<FinishedJob> {
        let pressed = self.press_alone(user, job);
        self.stage.run();
        pressed
    }

    /// The same, and nothing else runs.
    pub(super) fn press_alone(&mut self, user: &str, job: &str) -> Option<FinishedJob> {
        let pipeline = self.trial_pipeline();
        self.stage.play_in(user, pipeline, job)
    }

    pub(super) fn trials(&self) -> Vec<Vec<u64>> {
        let mut trials = Vec::new();
        for fact in self.stage.facts() {
            if let Fact::TrialStarted { change_sets, .. } = fact {
                trials.push(change_sets.iter().map(|id| id.iid).collect());
            }
        }
        trials
    }

    pub(super) fn landed(&self) -> Vec<u64> {
        let mut landed = Vec::new();
        for fact in self.stage.facts() {
            if let Fact::ChangeSetAppended { appended, .. } = fact {
                landed.push(appended.change_set.merge_request.iid);
            }
        }
        landed
    }

    pub(super) fn rejected(&self) -> Vec<u64> {
        let mut rejected = Vec::new();
        for fact in self.stage.facts() {
            if let Fact::ChangeSetRejected { merge_request, .. } = fact {
                rejected.push(merge_request.iid);
            }
        }
        rejected
    }

    /// Notes that mention somebody, on a merge request.
    pub(super) fn mentions(&self, iid: u64, user: &str) -> Vec<String> {
        let mut notes = self.stage.notes(iid);
        notes.retain(|note| note.contains(&format!("@{user}")));
        notes
    }

    /// The note on a merge request that says where it stands.
    pub(super) fn state_note(&self, iid: u64) -> String {
        self.stage.notes(iid)[0].clone()
    }
}
