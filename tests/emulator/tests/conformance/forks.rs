//! Forks, and merge requests from them.

use serde_json::{Value, json};
use trainyard_emulator::Emulator;

use crate::client::{Client, World};
use crate::shop::{Shop, git, text, try_git};

const CI: &str =
    "job:\n  script: [echo hi]\n  rules: [{ if: $CI_PIPELINE_SOURCE == 'merge_request_event' }]\n";

/// A public project, and a person who forked it.
struct Family {
    shop: Shop,
    ana: Client,
    fork: u64,
}

impl Family {
    fn new() -> Self {
        let shop = Shop::new();
        shop.set(json!({ "visibility": "public" }));
        shop.commit("main", None, &[(".gitlab-ci.yml", CI)]);
        let (_, ana) = shop.world.person("ana");
        let made = ana.post(&shop.path("fork"), json!({}));
        assert_eq!(made.status, 201, "{}", made.text);
        shop.world.emulator.settle();
        let fork = made.json()["id"].as_u64().unwrap();
        Self { shop, ana, fork }
    }

    fn commit(&self, branch: &str, path: &str, content: &str) -> String {
        let known = head(&self.shop.world.emulator, self.fork, branch).is_some();
        let actions = json!([{ "action": "create", "file_path": path, "content": content }]);
        let mut body = json!({ "branch": branch, "commit_message": format!("add {path}"), "actions": actions });
        if !known {
            body["start_branch"] = json!("main");
        }
        let commits = format!("projects/{}/repository/commits", self.fork);
        let reply = self.ana.post(&commits, body);
        assert_eq!(reply.status, 201, "{}", reply.text);
        text(&reply.json(), "id")
    }

    fn open(&self, more: Value) -> Value {
        let mut body = json!({ "source_branch": "feature", "target_branch": "main", "title": "From afar", "target_project_id": self.shop.project });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let path = format!("projects/{}/merge_requests", self.fork);
        let reply = self.ana.post(&path, body);
        assert_eq!(reply.status, 201, "{}", reply.text);
        self.shop.world.emulator.settle();
        reply.json()
    }
}

fn head(emulator: &Emulator, project: u64, branch: &str) -> Option<String> {
    let repository = emulator.repository(project);
    repository.resolve(&format!("refs/heads/{branch}")).unwrap()
}

#[test]
fn a_fork_is_copied_in_the_background() {
    let shop = Shop::new();
    shop.set(json!({ "visibility": "public", "description": "all of it" }));
    shop.commit("other", Some("main"), &[("o", "1")]);
    let (_, ana) = shop.world.person("ana");
    shop.world.emulator.pause_background();
    let made = ana.post(&shop.path("fork"), json!({}));
    assert_eq!(made.status, 201, "{}", made.text);
    let fork = made.json();
    assert_eq!(
        (&fork["path_with_namespace"], &fork["import_status"]),
        (&json!("ana/shop"), &json!("scheduled"))
    );
    assert_eq!(fork["forked_from_project"]["id"], shop.project);
    assert_eq!(fork["owner"]["username"], "ana");
    shop.world.emulator.resume_background();
    shop.world.emulator.settle();
    let own = format!("projects/{}", fork["id"]);
    let shown = ana.get(&own).json();
    assert_eq!(
        (&shown["import_status"], &shown["default_branch"]),
        (&json!("finished"), &json!("main"))
    );
    assert_eq!(shown["description"], "all of it");
    let branches = ana.get(&format!("{own}/repository/branches")).json();
    assert_eq!(branches.as_array().unwrap().len(), 2);
    let parent = format!("projects/{}", shop.project);
    assert_eq!(shop.root().get(&parent).json()["forks_count"], 1);
    let forks = shop.root().get(&format!("{parent}/forks")).json();
    assert_eq!(forks[0]["id"], fork["id"]);
    let again = ana.post(&shop.path("fork"), json!({}));
    assert_eq!(
        again.error(),
        (
            409,
            json!({ "message": ["Project namespace name has already been taken", "Name has already been taken", "Path has already been taken"] })
        )
    );
    let one = ana.post(
        &shop.path("fork"),
        json!({ "path": "second", "name": "Second", "visibility": "private", "branches": "other" }),
    );
    shop.world.emulator.settle();
    let one = ana.get(&format!("projects/{}", one.json()["id"])).json();
    assert_eq!(
        (&one["visibility"], &one["default_branch"], &one["name"]),
        (&json!("private"), &json!("other"), &json!("Second"))
    );
}

#[test]
fn forks_go_only_where_their_maker_may_create_projects() {
    let world = World::new();
    let project = world.project("shop");
    let fork = format!("projects/{project}/fork");
    let (_, ana) = world.person("ana");
    assert_eq!(
        ana.post(&fork, json!({})).error(),
        (404, json!({ "message": "404 Project Not Found" }))
    );
    let (_, bob) = world.member(project, "bob", 20);
    let group = json!({ "name": "Team", "path": "team", "visibility": "public" });
    world.root.post("groups", group);
    assert_eq!(
        bob.post(&fork, json!({ "namespace_path": "team" })).error(),
        (404, json!({ "message": "404 Target Namespace Not Found" }))
    );
    assert_eq!(
        bob.post(&fork, json!({ "namespace": "nowhere" })).error(),
        (404, json!({ "message": "404 Namespace Not Found" }))
    );
    let into = world.root.post(&fork, json!({ "namespace": "team" }));
    assert_eq!(into.status, 201, "{}", into.text);
    assert_eq!(into.json()["path_with_namespace"], "team/shop");
    assert_eq!(world.anonymous().post(&fork, json!({})).status, 401);
}

#[test]
fn the_tie_to_the_parent_is_made_and_cut() {
    let world = World::new();
    let (parent, fork) = (world.project("parent"), world.project("fork"));
    let path = format!("projects/{fork}/fork/{parent}");
    let linked = world.root.post(&path, json!({}));
    assert_eq!(
        (linked.status, &linked.json()["forked_from_project"]["id"]),
        (201, &json!(parent))
    );
    assert_eq!(
        world.root.post(&path, json!({})).error(),
        (409, json!({ "message": "Project already forked" }))
    );
    let cut = format!("projects/{fork}/fork");
    assert_eq!(world.root.delete(&cut).status, 204);
    assert_eq!(world.root.delete(&cut).status, 304);
    let shown = world.root.get(&format!("projects/{fork}")).json();
    assert!(shown.get("forked_from_project").is_none());
}

#[test]
fn a_merge_request_from_a_fork_is_followed_rebased_and_merged() {
    let family = Family::new();
    let shop = &family.shop;
    let first = family.commit("feature", "a.txt", "a\n");
    let made = family.open(json!({ "remove_source_branch": true }));
    let iid = made["iid"].as_u64().unwrap();
    assert_eq!(
        (&made["source_project_id"], &made["target_project_id"]),
        (&json!(family.fork), &json!(shop.project))
    );
    assert_eq!(made["allow_collaboration"], false);
    assert_eq!(shop.show(iid)["detailed_merge_status"], "mergeable");
    let repository = shop.world.emulator.repository(shop.project);
    let kept = repository
        .resolve(&format!("refs/merge-requests/{iid}/head"))
        .unwrap();
    assert_eq!(kept, Some(first));
    let second = family.commit("feature", "b.txt", "b\n");
    shop.world.emulator.settle();
    assert_eq!(shop.show(iid)["sha"], json!(second));
    let again = json!({ "source_branch": "feature", "target_branch": "main", "title": "x", "target_project_id": shop.project });
    let path = format!("projects/{}/merge_requests", family.fork);
    assert_eq!(
        family.ana.post(&path, again).error(),
        (
            409,
            json!({ "message": ["Another open merge request already exists for this source branch: !1"] })
        )
    );
    shop.commit("main", None, &[("m.txt", "m\n")]);
    let one = shop.path(&format!("merge_requests/{iid}"));
    let refused = shop.root().put(&format!("{one}/rebase"), json!({}));
    // The administrator may push anywhere; a member of the parent may not push to the fork.
    assert_eq!(refused.status, 202);
    shop.world.emulator.settle();
    let rebased = shop.show(iid);
    assert_eq!(
        (&rebased["diverged_commits_count"], &rebased["merge_error"]),
        (&json!(0), &json!(null))
    );
    assert_eq!(
        head(&shop.world.emulator, family.fork, "feature"),
        Some(text(&rebased, "sha"))
    );
    let (_, dev) = shop.world.member(shop.project, "dev", 30);
    assert_eq!(
        dev.put(&format!("{one}/rebase"), json!({})).error(),
        (
            403,
            json!({ "message": "403 Forbidden - Cannot push to source branch" })
        )
    );
    assert_eq!(
        family.ana.put(&format!("{one}/merge"), json!({})).status,
        401
    );
    let merged = shop.root().put(&format!("{one}/merge"), json!({}));
    assert_eq!(
        (merged.status, &merged.json()["state"]),
        (200, &json!("merged"))
    );
    assert_eq!(head(&shop.world.emulator, family.fork, "feature"), None);
    let repository = shop.world.emulator.repository(shop.project);
    assert!(repository.file("main", "b.txt").unwrap().is_some());
}

#[test]
fn only_a_family_of_forks_merges_between_projects() {
    let family = Family::new();
    family.commit("feature", "a.txt", "a\n");
    let other = family.shop.world.project("other");
    let stranger = json!({ "source_branch": "feature", "target_branch": "main", "title": "x", "target_project_id": other });
    let path = format!("projects/{}/merge_requests", family.fork);
    assert_eq!(family.ana.post(&path, stranger.clone()).status, 404);
    family.shop.root().put(
        &format!("projects/{other}"),
        json!({ "visibility": "public" }),
    );
    assert_eq!(
        family.ana.post(&path, stranger).error(),
        (
            422,
            json!({ "message": ["Source project is not a fork of the target project"] })
        )
    );
}

#[test]
fn pipelines_run_in_the_fork_unless_a_member_of_the_parent_asks() {
    let family = Family::new();
    let shop = &family.shop;
    family.commit("feature", "a.txt", "a\n");
    let iid = family.open(json!({}))["iid"].as_u64().unwrap();
    let path = shop.path(&format!("merge_requests/{iid}/pipelines"));
    let list = shop.root().get(&path).json();
    assert_eq!(
        (&list[0]["project_id"], &list[0]["ref"]),
        (&json!(family.fork), &json!("feature"))
    );
    let asked = shop.root().post(&path, json!({}));
    assert_eq!(asked.status, 200, "{}", asked.text);
    assert_eq!(
        (&asked.json()["project_id"], &asked.json()["ref"]),
        (
            &json!(shop.project),
            &json!(format!("refs/merge-requests/{iid}/head"))
        )
    );
    shop.set(json!({ "ci_allow_fork_pipelines_to_run_in_parent_project": false }));
    let asked = shop.root().post(&path, json!({}));
    assert_eq!(asked.json()["project_id"], family.fork);
    let mine = family.ana.post(&path, json!({}));
    assert_eq!(mine.json()["project_id"], family.fork);
    let (_, stranger) = shop.world.person("stranger");
    assert_eq!(stranger.post(&path, json!({})).status, 403);
}

#[test]
fn those_who_may_merge_push_to_the_fork_where_they_are_welcome() {
    let family = Family::new();
    let shop = &family.shop;
    family.commit("feature", "a.txt", "a\n");
    let open = family.open(json!({}));
    let iid = open["iid"].as_u64().unwrap();
    let (_, dev) = shop.world.member(shop.project, "dev", 40);
    let dir = tempfile::tempdir().unwrap();
    let host = shop.root().url.trim_start_matches("http://").to_owned();
    let token = dev.token.clone().unwrap();
    let url = format!("http://oauth2:{token}@{host}/ana/shop.git");
    git(dir.path(), &["clone", "-q", "-b", "feature", &url, "."]);
    git(dir.path(), &["commit", "-q", "--allow-empty", "-m", "more"]);
    let pushed = || try_git(dir.path(), &["push", "-q", "origin", "feature"]);
    assert!(!pushed().status.success());
    let one = shop.path(&format!("merge_requests/{iid}"));
    let welcome = family.ana.put(&one, json!({ "allow_collaboration": true }));
    assert_eq!(welcome.json()["allow_maintainer_to_push"], true);
    let output = pushed();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let elsewhere = try_git(dir.path(), &["push", "-q", "origin", "feature:other"]);
    assert!(!elsewhere.status.success());
}

#[test]
fn a_deleted_fork_closes_what_came_from_it() {
    let family = Family::new();
    let shop = &family.shop;
    family.commit("feature", "a.txt", "a\n");
    let iid = family.open(json!({}))["iid"].as_u64().unwrap();
    let gone = family.ana.delete(&format!("projects/{}", family.fork));
    assert_eq!(gone.status, 202, "{}", gone.text);
    let row = shop.show(iid);
    assert_eq!(
        (&row["state"], &row["source_project_id"]),
        (&json!("closed"), &json!(null))
    );
    let changes = shop
        .root()
        .get(&shop.path(&format!("merge_requests/{iid}/diffs")));
    assert_eq!(changes.json()[0]["new_path"], "a.txt");
}
