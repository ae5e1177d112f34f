//! Releases and their links.

use serde_json::{Value, json};
use trainyard_emulator::store::milestones::Milestone;
use trainyard_emulator::store::protected_tags::ProtectedTag;

use crate::client::{World, send};
use crate::schemas;

fn shop(world: &World) -> (u64, String) {
    let body = json!({ "name": "shop", "initialize_with_readme": true });
    let id = world.root.post("projects", body).json()["id"]
        .as_u64()
        .unwrap();
    (id, format!("projects/{id}/releases"))
}

fn milestone(world: &World, project: u64, title: &str) -> u64 {
    world.emulator.with_state(|state| {
        let iid = state.next_iid(project, "milestones");
        let at = "2026-01-05T10:00:00Z".parse().unwrap();
        state.milestones.insert(|id| Milestone {
            id,
            iid,
            holder: trainyard_emulator::store::holders::Holder::Project(project),
            title: title.to_owned(),
            description: None,
            active: true,
            start_date: None,
            due_date: None,
            created_at: at,
            updated_at: at,
        })
    })
}

#[test]
fn a_description_ends_at_a_million_characters() {
    let world = World::new();
    let (_, path) = shop(&world);
    let body = |length: usize| json!({ "tag_name": "v1.0.0", "ref": "main", "description": "x".repeat(length) });
    let long = world.root.post(&path, body(1_000_001));
    assert_eq!(long.status, 400);
    assert_eq!(
        long.json()["message"],
        "Validation failed: Description is too long (maximum is 1000000 characters)"
    );
    assert_eq!(world.root.post(&path, body(1_000_000)).status, 201);
}

#[test]
fn a_release_makes_its_tag_and_has_gitlabs_shape() {
    let world = World::new();
    let (project, path) = shop(&world);
    milestone(&world, project, "1.0");
    let body = json!({
        "tag_name": "v1.0.0", "ref": "main", "name": "One", "description": "First **one**", "milestones": ["1.0"],
        "assets": { "links": [{ "name": "binary", "url": "https://example.com/a", "direct_asset_path": "/bin/a", "link_type": "package" }] },
    });
    let made = world.root.post(&path, body);
    let release = made.json();
    assert_eq!(made.status, 201, "{}", made.text);
    schemas::check("public_api/v4/release.json", &release);
    schemas::check("public_api/v4/releases.json", &world.root.get(&path).json());
    assert_eq!(
        (
            &release["tag_name"],
            &release["name"],
            &release["upcoming_release"]
        ),
        (&json!("v1.0.0"), &json!("One"), &json!(false))
    );
    assert_eq!(release["assets"]["count"], 5);
    assert_eq!(
        release["milestones"][0]["issue_stats"],
        json!({ "total": 0, "closed": 0 })
    );
    assert_eq!(
        (&release["evidences"], &release["author"]["username"]),
        (&json!([]), &json!("root"))
    );
    let web = format!("{}/root/shop", world.emulator.url());
    assert_eq!(
        release["_links"]["self"],
        format!("{web}/-/releases/v1.0.0")
    );
    assert_eq!(
        release["_links"]["edit_url"],
        format!("{web}/-/releases/v1.0.0/edit")
    );
    let direct = &release["assets"]["links"][0]["direct_asset_url"];
    assert_eq!(
        direct,
        &json!(format!("{web}/-/releases/v1.0.0/downloads/bin/a"))
    );
    let tagged = world
        .emulator
        .repository(project)
        .resolve("refs/tags/v1.0.0")
        .unwrap();
    assert_eq!(json!(tagged), release["commit"]["id"]);
    assert_eq!(
        release["commit_path"],
        format!("/root/shop/-/commit/{}", tagged.unwrap())
    );
    let jump = world.root.get(&format!("{path}/v1.0.0/downloads/bin/a"));
    assert_eq!(
        (jump.status, jump.header("location")),
        (302, Some("https://example.com/a"))
    );
}

#[test]
fn a_tag_message_makes_an_annotated_tag() {
    let world = World::new();
    let (project, path) = shop(&world);
    let body = json!({ "tag_name": "v1", "ref": "main", "tag_message": "The first" });
    assert_eq!(world.root.post(&path, body).status, 201);
    let dir = world.emulator.repository(project).dir().to_owned();
    let shown = std::process::Command::new("git")
        .arg("--git-dir")
        .arg(dir)
        .args(["cat-file", "tag", "v1"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        text.contains("tagger Administrator <admin@example.com>"),
        "{text}"
    );
    assert!(text.ends_with("\n\nThe first\n"), "{text}");
}

#[test]
fn creation_fails_in_gitlabs_order() {
    let world = World::new();
    let (project, path) = shop(&world);
    let (_, developer) = world.member(project, "dev", 30);
    let (_, reporter) = world.member(project, "rita", 20);
    let own = milestone(&world, project, "1.0");
    world.emulator.with_state(|state| {
        state.protected_tags.insert(|id| ProtectedTag {
            id,
            project_id: project,
            name: "v*".to_owned(),
            create_access_levels: vec![40],
        })
    });
    let failure = |body: Value| {
        let reply = developer.post(&path, body);
        (
            reply.status,
            reply.json()["message"]
                .as_str()
                .map(str::to_owned)
                .unwrap_or(reply.text),
        )
    };
    let told = |status: u16, text: &str| (status, text.to_owned());
    assert_eq!(reporter.post(&path, json!({ "tag_name": "x" })).status, 403);
    let protected = "You are not allowed to create this tag as it is protected.";
    assert_eq!(
        failure(json!({ "tag_name": "v1", "milestones": ["none"] })),
        told(403, protected)
    );
    developer.post(&path, json!({ "tag_name": "a1", "ref": "main" }));
    let exists = json!({ "tag_name": "a1", "milestones": ["none"] });
    assert_eq!(failure(exists), told(409, "Release already exists"));
    let unknown = json!({ "tag_name": "a2", "milestones": ["1.0", "x", "y"] });
    assert_eq!(failure(unknown), told(400, "Milestone(s) not found: x, y"));
    let unknown = json!({ "tag_name": "a2", "milestone_ids": [own, 99] });
    assert_eq!(failure(unknown), told(400, "Milestone id(s) not found: 99"));
    let both = developer.post(
        &path,
        json!({ "tag_name": "a2", "milestones": ["1.0"], "milestone_ids": [own] }),
    );
    assert_eq!(both.status, 400);
    assert_eq!(
        failure(json!({ "tag_name": "a2" })),
        told(422, "Ref is not specified")
    );
    assert_eq!(
        failure(json!({ "tag_name": "a2", "ref": "gone" })),
        told(400, "Target gone is invalid")
    );
    assert_eq!(
        failure(json!({ "tag_name": "HEAD", "ref": "main" })),
        told(400, "Tag name invalid")
    );
    let odd_link = json!({ "tag_name": "a2", "ref": "main", "assets": { "links": [{ "name": "a", "url": "file:///x" }] } });
    assert_eq!(failure(odd_link).0, 400);
    assert_eq!(
        world
            .emulator
            .repository(project)
            .resolve("refs/tags/a2")
            .unwrap(),
        None
    );
}

#[test]
fn lists_follow_the_release_date_and_know_the_future() {
    let world = World::new();
    let (_, path) = shop(&world);
    for (tag, at) in [
        ("v1", "2020-01-01T00:00:00Z"),
        ("v3", "2999-01-01T00:00:00Z"),
        ("v2", "2021-01-01"),
    ] {
        let body = json!({ "tag_name": tag, "ref": "main", "released_at": at });
        assert_eq!(world.root.post(&path, body).status, 201);
    }
    let tags = |query: &str| -> Vec<Value> {
        let list = world.root.get(&format!("{path}?{query}")).json();
        list.as_array()
            .unwrap()
            .iter()
            .map(|row| row["tag_name"].clone())
            .collect()
    };
    assert_eq!(tags(""), ["v3", "v2", "v1"]);
    assert_eq!(tags("sort=asc"), ["v1", "v2", "v3"]);
    assert_eq!(tags("order_by=created_at"), ["v2", "v3", "v1"]);
    let future = world.root.get(&format!("{path}/v3")).json();
    assert_eq!(
        (&future["upcoming_release"], &future["released_at"]),
        (&json!(true), &json!("2999-01-01T00:00:00.000Z"))
    );
    let latest = world
        .root
        .get(&format!("{path}/permalink/latest/assets/links?per_page=5"));
    let target = format!("/api/v4/{path}/v3/assets/links?per_page=5");
    assert_eq!(
        (latest.status, latest.header("location")),
        (302, Some(target.as_str()))
    );
    let plain = world.root.get(&format!("{path}/permalink/latest"));
    assert_eq!(
        plain.header("location"),
        Some(format!("/api/v4/{path}/v3").as_str())
    );
}

#[test]
fn a_release_is_edited_and_deleted_while_its_tag_stays() {
    let world = World::new();
    let (project, path) = shop(&world);
    let id = milestone(&world, project, "1.0");
    world.root.post(
        &path,
        json!({ "tag_name": "a/1", "ref": "main", "milestone_ids": [id] }),
    );
    let own = format!("{path}/a%2F1");
    let (_, developer) = world.member(project, "dev", 30);
    let edited = developer.put(&own, json!({ "name": "First", "milestones": [] }));
    assert_eq!(
        (edited.status, &edited.json()["name"]),
        (200, &json!("First"))
    );
    assert!(edited.json().get("milestones").is_none());
    assert_eq!(
        developer.put(&own, json!({})).error(),
        (400, json!({ "message": "params is empty" }))
    );
    assert_eq!(
        developer
            .put(&format!("{path}/none"), json!({ "name": "x" }))
            .status,
        403
    );
    assert_eq!(
        world.root.get(&format!("{path}/none")).error(),
        (404, json!({ "message": "404 Not Found" }))
    );
    assert_eq!(developer.delete(&own).status, 403);
    let gone = world.root.delete(&own);
    assert_eq!(
        (gone.status, &gone.json()["tag_name"]),
        (200, &json!("a/1"))
    );
    assert_eq!(world.root.get(&own).status, 404);
    assert!(
        world
            .emulator
            .repository(project)
            .resolve("refs/tags/a/1")
            .unwrap()
            .is_some()
    );
    assert_eq!(
        world.root.post(&path, json!({ "tag_name": "a/1" })).status,
        201
    );
}

#[test]
fn a_tag_shows_its_release_and_takes_it_away_with_it() {
    let world = World::new();
    let (project, path) = shop(&world);
    let body = json!({ "tag_name": "v1", "ref": "main", "description": "First" });
    world.root.post(&path, body);
    let tag = format!("projects/{project}/repository/tags/v1");
    assert_eq!(
        world.root.get(&tag).json()["release"],
        json!({ "tag_name": "v1", "description": "First" })
    );
    assert_eq!(world.root.delete(&tag).status, 204);
    assert_eq!(world.root.get(&path).json(), json!([]));
}

#[test]
fn links_are_unique_within_a_release() {
    let world = World::new();
    let (_, path) = shop(&world);
    for tag in ["v1", "v2"] {
        world
            .root
            .post(&path, json!({ "tag_name": tag, "ref": "main" }));
    }
    let links = format!("{path}/v1/assets/links");
    let body = json!({ "name": "a", "url": "https://example.com/a", "direct_asset_path": "/a" });
    let made = world.root.post(&links, body.clone());
    assert_eq!(made.status, 201, "{}", made.text);
    schemas::check("release/link.json", &made.json());
    let taken = json!(["has already been taken"]);
    let errors = json!({ "url": taken, "name": taken, "filepath": taken });
    assert_eq!(
        world.root.post(&links, body.clone()).error(),
        (400, json!({ "message": errors }))
    );
    assert_eq!(
        world
            .root
            .post(&format!("{path}/v2/assets/links"), body)
            .status,
        201
    );
    let second = world.root.post(
        &links,
        json!({ "name": "b", "url": "https://example.com/b", "link_type": "image" }),
    );
    let own = format!("{links}/{}", second.json()["id"]);
    let clash = world.root.put(&own, json!({ "name": "a" }));
    assert_eq!(
        clash.error(),
        (400, json!({ "message": { "name": taken } }))
    );
    let edited = world
        .root
        .put(&own, json!({ "name": "c", "link_type": "runbook" }))
        .json();
    assert_eq!(
        (&edited["name"], &edited["link_type"]),
        (&json!("c"), &json!("runbook"))
    );
    let listed = world.root.get(&links).json();
    schemas::check("release/links.json", &listed);
    assert_eq!(
        (&listed[0]["name"], &listed[1]["name"]),
        (&json!("c"), &json!("a"))
    );
    assert_eq!(world.root.delete(&own).json()["name"], "c");
    assert_eq!(world.root.get(&own).status, 404);
    let odd = world.root.post(
        &links,
        json!({ "name": "d", "url": "https://d", "link_type": "song" }),
    );
    assert_eq!(
        odd.error(),
        (
            400,
            json!({ "error": "link_type does not have a valid value" })
        )
    );
}

#[test]
fn guests_see_releases_without_the_code() {
    let world = World::new();
    let (project, path) = shop(&world);
    world.root.post(
        &path,
        json!({ "tag_name": "v1", "ref": "main", "name": "Secret name" }),
    );
    let (_, guest) = world.member(project, "gus", 10);
    let seen = guest.get(&path).json();
    assert_eq!(seen[0]["name"], "Release-1");
    for hidden in ["tag_name", "commit", "evidences", "tag_path"] {
        assert!(seen[0].get(hidden).is_none(), "{hidden}");
    }
    assert_eq!(guest.get(&format!("{path}/v1")).status, 403);
}

#[test]
fn a_job_publishes_a_release_with_its_token() {
    let world = World::new();
    let (project, path) = shop(&world);
    let token = world
        .emulator
        .with_state(|state| state.issue_job_token(5, "release", 3, project, 1));
    let headers = [
        ("job-token", token.as_str()),
        ("content-type", "application/json"),
    ];
    let body = json!({ "tag_name": "v1", "ref": "main" }).to_string();
    let path = format!("/api/v4/{path}");
    let made = send(
        world.emulator.url(),
        "POST",
        &path,
        &headers,
        body.as_bytes(),
    )
    .unwrap();
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json()["author"]["username"], "root");
}
