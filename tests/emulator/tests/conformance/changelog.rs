//! The changelog that commits' trailers make.

use serde_json::json;

use crate::client::World;

fn commit(world: &World, project: u64, name: &str, message: &str) -> String {
    let action = json!({ "action": "create", "file_path": name, "content": message });
    let body = json!({ "branch": "main", "commit_message": message, "actions": [action] });
    let made = world
        .root
        .post(&format!("projects/{project}/repository/commits"), body);
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_changelog_lists_commits_by_trailer_since_the_last_release() {
    let world = World::new();
    let body = json!({ "name": "shop", "initialize_with_readme": true });
    let project = world.root.post("projects", body).json()["id"]
        .as_u64()
        .unwrap();
    let path = format!("projects/{project}/repository");
    commit(&world, project, "a", "Old\n\nChangelog: added");
    let changelog = |query: &str| world.root.get(&format!("{path}/changelog?{query}"));
    let lost = changelog("version=1.1.0");
    let reason = "Failed to generate the changelog: The commit start range is unspecified, and no previous tag could be found to use instead";
    assert_eq!(lost.error(), (422, json!({ "message": reason })));
    for tag in ["v1.0.0", "v1.1.0-rc1", "v2.0.0"] {
        world.root.post(
            &format!("{path}/tags"),
            json!({ "tag_name": tag, "ref": "main" }),
        );
    }
    commit(&world, project, "b", "Without a trailer");
    let one = commit(&world, project, "c", "One\n\nChangelog: added");
    let two = commit(&world, project, "d", "Two\n\nChangelog: fixed");
    let three = commit(&world, project, "e", "Three\n\nChangelog: added");
    let undone = commit(&world, project, "f", "Undone\n\nChangelog: added");
    let revert = format!("Revert\n\nThis reverts commit {undone}");
    commit(&world, project, "g", &revert);
    let notes = changelog("version=v1.1.0&date=2026-01-05T10:00:00Z").json();
    let expected = format!(
        "## 1.1.0 (2026-01-05)\n\n### added (2 changes)\n\n- [Three](root/shop@{three})\n- [One](root/shop@{one})\n\n### fixed (1 change)\n\n- [Two](root/shop@{two})\n"
    );
    assert_eq!(notes["notes"], expected);
    let none = changelog("version=1.1.0&trailer=News&date=2026-01-05").json();
    assert_eq!(none["notes"], "## 1.1.0 (2026-01-05)\n\nNo changes.\n");
    assert_eq!(
        changelog("version=one").error(),
        (400, json!({ "error": "version is invalid" }))
    );
}
