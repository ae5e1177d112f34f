//! Introspection, and that it does not lie: every field it tells of is asked for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::ci_world::CiWorld;
use crate::graphql::ask;

/// The types by name, as introspection tells them.
struct Told(BTreeMap<String, Value>);

impl Told {
    fn ask(ci: &CiWorld) -> Self {
        let query = "{ __schema { types { name kind possibleTypes { name } fields(includeDeprecated: true) {
            name args { name defaultValue type { kind } } type { ...T } } } } }
            fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
        let answer = ask(&ci.world.root, query, json!({}));
        let types = answer["data"]["__schema"]["types"].as_array().unwrap();
        let named = types
            .iter()
            .map(|of| (of["name"].as_str().unwrap().to_owned(), of.clone()));
        Self(named.collect())
    }

    fn fields(&self, of: &str) -> Vec<&Value> {
        let fields = self.0[of]["fields"].as_array();
        fields.into_iter().flatten().collect()
    }

    fn possible(&self, of: &str) -> Vec<String> {
        let names = self.0[of]["possibleTypes"].as_array();
        let names = names.into_iter().flatten();
        names
            .map(|of| of["name"].as_str().unwrap().to_owned())
            .collect()
    }

    fn is_leaf(&self, of: &str) -> bool {
        ["SCALAR", "ENUM"].contains(&self.0[of]["kind"].as_str().unwrap())
    }
}

/// The type at the heart of `[X!]!`.
fn heart(of: &Value) -> String {
    match of.get("ofType") {
        Some(inner) if !inner.is_null() => heart(inner),
        Some(_) | None => of["name"].as_str().unwrap().to_owned(),
    }
}

fn needs_arguments(field: &Value) -> bool {
    let arguments = field["args"].as_array().unwrap();
    arguments.iter().any(|argument| {
        argument["type"]["kind"] == "NON_NULL" && argument["defaultValue"].is_null()
    })
}

const ARGUMENTS: &[(&str, &str)] = &[
    ("Repository.commit", "(ref: \"main\")"),
    (
        "Repository.branchNames",
        "(searchPattern: \"*\", offset: 0, limit: 9)",
    ),
    ("Repository.blobs", "(paths: [\"f.txt\"], ref: \"feature\")"),
    ("Project.pipeline", "(iid: 1)"),
    ("Project.job", "(id: \"gid://gitlab/Ci::Build/1\")"),
    ("Project.label", "(title: \"bug\")"),
    ("Project.release", "(tagName: \"v1\")"),
    ("Project.mergeRequest", "(iid: \"1\")"),
    ("Project.workItem", "(iid: \"1\")"),
    ("Namespace.workItem", "(iid: \"1\")"),
    ("Group.workItem", "(iid: \"1\")"),
    ("Pipeline.job", "(name: \"build\")"),
    ("Environment.lastDeployment", "(status: SUCCESS)"),
];

struct Walk<'a> {
    told: &'a Told,
    ci: &'a CiWorld,
    seen: BTreeSet<String>,
    asked: usize,
    wrong: Vec<String>,
}

impl Walk<'_> {
    /// Asks for every field of a type, and goes on into the types of those that hold objects.
    fn visit(&mut self, path: &[String], of: &str) {
        if !self.seen.insert(of.to_owned()) || path.len() > 11 {
            return;
        }
        for possible in self.told.possible(of) {
            let inside = [path, &[format!("... on {possible}")]].concat();
            self.visit(&inside, &possible);
        }
        if !self.told.possible(of).is_empty() {
            return;
        }
        let mut inner = Vec::new();
        for field in self.told.fields(of) {
            let name = field["name"].as_str().unwrap();
            let known = ARGUMENTS
                .iter()
                .find(|(place, _)| *place == format!("{of}.{name}"));
            assert!(known.is_some() || !needs_arguments(field), "{of}.{name}");
            let asked = format!("{name}{}", known.map_or("", |(_, arguments)| arguments));
            let kind = heart(&field["type"]);
            let leaf = self.told.is_leaf(&kind);
            let body = if leaf {
                asked.clone()
            } else {
                format!("{asked} {{ __typename }}")
            };
            let query = format!(
                "{{ {} {{ {body} }}{}",
                path.join(" { "),
                " }".repeat(path.len())
            );
            let answer = ask(&self.ci.world.root, &query, json!({}));
            self.asked += 1;
            if answer.get("errors").is_some() {
                self.wrong.push(format!("{of}.{name}: {answer}"));
            }
            if !leaf {
                inner.push((asked, kind));
            }
        }
        for (asked, kind) in inner {
            let inside = [path, &[asked]].concat();
            self.visit(&inside, &kind);
        }
    }
}

#[test]
fn every_field_that_introspection_tells_of_answers() {
    let ci = CiWorld::new(
        "
stages: [build, test]
build: { stage: build, script: [echo] }
gate: { stage: test, script: [echo], when: manual, needs: [build] }
child: { stage: test, trigger: { include: child.yml } }
",
    );
    ci.push("main", &[("child.yml", "x: { script: [echo] }")]);
    ci.push("feature", &[("f.txt", "1")]);
    let root = &ci.world.root;
    let post = |path: &str, body: Value| assert_eq!(root.post(path, body).status, 201, "{path}");
    post(
        &ci.path("labels"),
        json!({ "name": "bug", "color": "#ff0000" }),
    );
    post(&ci.path("milestones"), json!({ "title": "1.0" }));
    post(
        &ci.path("issues"),
        json!({ "title": "I", "labels": "bug", "milestone_id": 1, "assignee_ids": [1] }),
    );
    post(
        &ci.path("merge_requests"),
        json!({ "title": "M", "source_branch": "feature", "target_branch": "main", "labels": "bug", "milestone_id": 1, "assignee_ids": [1], "reviewer_ids": [1] }),
    );
    post(
        &ci.path("merge_requests/1/discussions"),
        json!({ "body": "thread" }),
    );
    post(
        &ci.path("merge_requests/1/award_emoji"),
        json!({ "name": "rocket" }),
    );
    post(&ci.path("variables"), json!({ "key": "K", "value": "V" }));
    post(
        &ci.path("pipeline_schedules"),
        json!({ "description": "d", "ref": "main", "cron": "0 1 * * *" }),
    );
    post(
        &ci.path("releases"),
        json!({ "tag_name": "v1", "ref": "main" }),
    );
    post(&ci.path("environments"), json!({ "name": "prod" }));
    post("groups", json!({ "name": "team", "path": "team" }));
    ci.world.emulator.settle();

    let told = Told::ask(&ci);
    let mut walk = Walk {
        told: &told,
        ci: &ci,
        seen: BTreeSet::new(),
        asked: 0,
        wrong: Vec::new(),
    };
    for (start, of) in [
        ("project(fullPath: \"root/shop\")", "Project"),
        ("namespace(fullPath: \"root/shop\")", "Namespace"),
        ("group(fullPath: \"team\")", "Group"),
        ("currentUser", "CurrentUser"),
        ("users", "UserCoreConnection"),
        ("metadata", "Metadata"),
        ("queryComplexity", "QueryComplexity"),
    ] {
        walk.visit(&[start.to_owned()], of);
    }
    assert!(walk.wrong.is_empty(), "{}", walk.wrong.join("\n"));
    assert!(walk.asked > 900, "{} fields", walk.asked);
    assert_eq!(ci.world.emulator.unknown_requests(), []);
}

#[test]
fn introspection_tells_types_arguments_and_defaults() {
    let ci = CiWorld::empty();
    let query = "query IntrospectionQuery { __schema { queryType { name } mutationType { name } subscriptionType { name } directives { name args { name type { kind } } } }
        __type(name: \"MergeRequestSetLabelsInput\") { kind inputFields { name defaultValue type { kind name ofType { kind name } } } }
        enum: __type(name: \"MutationOperationMode\") { enumValues { name } }
        none: __type(name: \"Nope\") { name } }";
    let answer = ask(&ci.world.anonymous(), query, json!({}));
    let data = &answer["data"];
    assert_eq!(data["__schema"]["queryType"]["name"], "Query");
    assert_eq!(data["__schema"]["mutationType"]["name"], "Mutation");
    assert_eq!(data["__schema"]["subscriptionType"], Value::Null);
    let names: Vec<&str> = data["__schema"]["directives"]
        .as_array()
        .unwrap()
        .iter()
        .map(|directive| directive["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["include", "skip"]);
    let fields = data["__type"]["inputFields"].as_array().unwrap();
    let mode = fields
        .iter()
        .find(|field| field["name"] == "operationMode")
        .unwrap();
    assert_eq!(mode["defaultValue"], "REPLACE");
    assert_eq!(mode["type"]["name"], "MutationOperationMode");
    let path = fields
        .iter()
        .find(|field| field["name"] == "projectPath")
        .unwrap();
    assert_eq!(
        path["type"],
        json!({ "kind": "NON_NULL", "name": null, "ofType": { "kind": "SCALAR", "name": "ID" } })
    );
    assert_eq!(
        data["enum"]["enumValues"],
        json!([{ "name": "APPEND" }, { "name": "REMOVE" }, { "name": "REPLACE" }])
    );
    assert_eq!(data["none"], Value::Null);
}
