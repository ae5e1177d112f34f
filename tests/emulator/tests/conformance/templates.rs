//! Templates of the instance and of projects, and Markdown.

use serde_json::json;

use crate::client::World;

#[test]
fn templates_are_listed_and_read_by_everybody() {
    let world = World::new();
    let anonymous = world.anonymous();
    for (kind, name) in [
        ("dockerfiles", "Node"),
        ("gitignores", "Node"),
        ("gitlab_ci_ymls", "Nodejs"),
    ] {
        let listed = anonymous
            .get(&format!("templates/{kind}?per_page=100"))
            .json();
        let entry = json!({ "key": name, "name": name });
        assert!(listed.as_array().unwrap().contains(&entry), "{kind}");
        let one = anonymous.get(&format!("templates/{kind}/{name}")).json();
        assert!(!one["content"].as_str().unwrap().is_empty());
        assert_eq!(anonymous.get(&format!("templates/{kind}/Odd")).status, 404);
    }
    let path = "templates/licenses/mit?fullname=Ana&project=Shop";
    let license = anonymous.get(path).json();
    assert!(license["content"].as_str().unwrap().contains("Ana"));
    let popular = anonymous.get("templates/licenses?popular=true").json();
    assert_eq!(popular.as_array().map(Vec::len), Some(3));
}

#[test]
fn every_pipeline_template_compiles() {
    let world = World::new();
    let body = json!({ "name": "shop", "initialize_with_readme": true });
    let project = world.root.post("projects", body).json()["id"]
        .as_u64()
        .unwrap();
    let listed = world
        .root
        .get("templates/gitlab_ci_ymls?per_page=100")
        .json();
    for template in listed.as_array().unwrap() {
        let name = template["key"].as_str().unwrap().replace('+', "%2B");
        let one = world
            .root
            .get(&format!("templates/gitlab_ci_ymls/{name}"))
            .json();
        let body = json!({ "content": one["content"] });
        let lint = world
            .root
            .post(&format!("projects/{project}/ci/lint"), body);
        assert_eq!(lint.json()["valid"], true, "{name}: {}", lint.text);
    }
}

#[test]
fn a_project_has_templates_of_its_own() {
    let world = World::new();
    let project = world.project("shop");
    let file = "repository/files/.gitlab%2Fissue_templates%2FBug.md";
    let body = json!({ "branch": "main", "content": "## Steps", "commit_message": "t" });
    world.root.post(&format!("projects/{project}/{file}"), body);
    let path = format!("projects/{project}/templates/issues");
    assert_eq!(
        world.root.get(&path).json(),
        json!([{ "key": "Bug", "name": "Bug" }])
    );
    let one = world.root.get(&format!("{path}/Bug")).json();
    assert_eq!(one, json!({ "name": "Bug", "content": "## Steps" }));
    assert_eq!(world.root.get(&format!("{path}/Odd")).status, 404);
    let odd = format!("projects/{project}/templates/odd");
    assert_eq!(world.root.get(&odd).status, 400);
}

#[test]
fn markdown_becomes_html() {
    let world = World::new();
    let body = json!({ "text": "**hi** <b>", "project": "nobody/nothing" });
    assert_eq!(world.root.post("markdown", body).status, 404);
    let html = world
        .anonymous()
        .post("markdown", json!({ "text": "**hi** <b>" }));
    let expected = "<p dir=\"auto\"><strong>hi</strong> &lt;b&gt;</p>";
    assert_eq!(html.error(), (201, json!({ "html": expected })));
}
