//! Components: which commit a version stands for, and what a component knows of itself.

use serde_json::{Value, json};

use crate::ci_world::CiWorld;

const COMPONENT: &str = "spec: { component: [name, version, reference], inputs: { text: { default: x } } }
---
'$[[ inputs.text ]]': { script: ['echo NUMBER $[[ component.name ]] $[[ component.version ]] $[[ component.reference ]]'] }
";

fn script(ci: &CiWorld, version: &str) -> Result<String, String> {
    let url = ci.world.emulator.url();
    let host = url.trim_start_matches("http://");
    let address = format!("{host}/root/shop/hello@{version}");
    let lint = ci
        .world
        .root
        .post(
            &ci.path("ci/lint"),
            json!({ "content": format!("include: {{ component: '{address}' }}"), "include_jobs": true }),
        )
        .json();
    match lint["jobs"][0]["script"][0].as_str() {
        Some(line) => Ok(line.to_owned()),
        None => Err(lint["errors"][0]
            .as_str()
            .unwrap_or_default()
            .replace(&format!("Component '{address}' - "), "")),
    }
}

fn publish(ci: &CiWorld, number: &str) {
    let text = COMPONENT.replace("NUMBER", number);
    ci.push("main", &[("templates/hello.yml", &text)]);
    let made = ci.world.root.post(
        &ci.path("releases"),
        json!({ "tag_name": number, "ref": "main", "description": "d" }),
    );
    assert_eq!(made.status, 201, "{}", made.json());
}

#[test]
fn versions_are_found_among_the_releases() {
    let ci = CiWorld::empty();
    for number in ["1.0.0", "1.2.0", "1.10.1", "2.0.0", "2.1.0-rc1"] {
        publish(&ci, number);
    }
    let text = COMPONENT.replace("NUMBER", "later");
    let sha = ci.push("main", &[("templates/hello.yml", &text)]);
    let said = |version: &str| script(&ci, version);
    assert_eq!(said("~latest"), Ok("echo 2.0.0 hello 2.0.0 ~latest".into()));
    assert_eq!(said("1"), Ok("echo 1.10.1 hello 1.10.1 1".into()));
    assert_eq!(said("1.2"), Ok("echo 1.2.0 hello 1.2.0 1.2".into()));
    assert_eq!(said("1.0.0"), Ok("echo 1.0.0 hello 1.0.0 1.0.0".into()));
    assert_eq!(
        said("2.1.0-rc1"),
        Ok("echo 2.1.0-rc1 hello 2.1.0-rc1 2.1.0-rc1".into())
    );
    assert_eq!(said("main"), Ok("echo later hello  main".into()));
    assert_eq!(said(&sha), Ok(format!("echo later hello  {sha}")));
    assert_eq!(said("3"), Err("content not found".into()));
    assert_eq!(said("gone"), Err("content not found".into()));
}

#[test]
fn without_releases_only_tags_branches_and_commits_count() {
    let ci = CiWorld::empty();
    let text = COMPONENT.replace("NUMBER", "only");
    ci.push("main", &[("templates/hello.yml", &text)]);
    assert_eq!(script(&ci, "main"), Ok("echo only hello  main".into()));
    let refused = |what: &str| {
        Err(format!(
            "The {what} is not supported for non-catalog resources. Use a tag, branch, or commit SHA instead."
        ))
    };
    assert_eq!(script(&ci, "~latest"), refused("~latest version reference"));
    assert_eq!(
        script(&ci, "1"),
        refused("partial semantic version reference")
    );
    let elsewhere = ci.world.root.post(
        &ci.path("ci/lint"),
        json!({ "content": "include: { component: 'example.org/a/b@1' }" }),
    );
    assert_eq!(
        elsewhere.json()["errors"][0],
        Value::from("Component 'example.org/a/b@1' - the component path is not supported")
    );
}
