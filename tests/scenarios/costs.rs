//! What the way of a change set costs GitLab: requests of the API and operations of git.

use crate::stage::Stage;

const WAY: [&str; 6] = [
    "integrate",
    "nrt-admit",
    "nrt-acquire",
    "append-to-version",
    "nrt-release",
    "nrt-release-fallback",
];

fn list(stage: &Stage) {
    for entry in stage.world.emulator.requests() {
        if let Some(job) = &entry.job
            && WAY.contains(&job.name.as_str())
        {
            println!(
                "{:4} {:20} {:5} {} [{}] {}",
                job.id,
                job.name,
                entry.method,
                entry.path,
                entry.route.clone().unwrap_or_default(),
                entry.status
            );
        }
    }
}

#[test]
fn one() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let iid = stage.merge_request("ana", "contributes to feature #1");
    stage.run();
    stage.world.emulator.clear_requests();
    stage.integrate("ana", iid);
    stage.run();
    list(&stage);
}

#[test]
fn five() {
    let mut stage = Stage::new();
    stage.feature("Wanted");
    let mut iids = Vec::new();
    for number in 1..=5 {
        let file = format!("shop/item-{number}.price");
        let iid = stage.merge_request_with("ana", "contributes to feature #1", &[(&file, "3\n")]);
        stage.run_but("nrt-acquire");
        stage.play("ana", iid, "integrate");
        stage.run_but("nrt-acquire");
        iids.push(iid);
    }
    stage.run();
    list(&stage);
}
