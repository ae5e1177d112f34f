//! Git over HTTP with the real git program.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::client::{World, send};

fn git(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new("git");
    command.current_dir(dir).args([
        "-c",
        "user.name=ana",
        "-c",
        "user.email=ana@example.com",
        "-c",
        "init.defaultBranch=main",
    ]);
    command.args(args);
    for (name, value) in [
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("LC_ALL", "C"),
    ] {
        command.env(name, value);
    }
    command.output().expect("git runs")
}

fn must(dir: &Path, args: &[&str]) -> String {
    let output = git(dir, args);
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The words with which a git command failed.
fn refused(dir: &Path, args: &[&str]) -> String {
    let output = git(dir, args);
    assert!(!output.status.success(), "git {args:?} should fail");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

struct Place {
    world: World,
    project: u64,
    dir: tempfile::TempDir,
}

impl Place {
    /// A project and a local repository with one commit on `main`.
    fn new() -> Self {
        let world = World::new();
        let project = world.project("shop");
        let dir = tempfile::tempdir().unwrap();
        must(dir.path(), &["init", "-q", "."]);
        let place = Self {
            world,
            project,
            dir,
        };
        place.commit("a.txt", "one\n");
        place
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn commit(&self, file: &str, text: &str) -> String {
        std::fs::write(self.path().join(file), text).unwrap();
        must(self.path(), &["add", "."]);
        must(self.path(), &["commit", "-q", "-m", file]);
        must(self.path(), &["rev-parse", "HEAD"])
    }

    fn url(&self, token: &str) -> String {
        self.url_as("oauth2", token)
    }

    fn url_as(&self, name: &str, token: &str) -> String {
        format!(
            "http://{name}:{token}@{}/root/shop.git",
            self.world.root.url.trim_start_matches("http://")
        )
    }

    fn root_url(&self) -> String {
        self.url(self.world.emulator.root_token())
    }

    fn developer_url(&self) -> String {
        let (_, client) = self.world.member(self.project, "dev", 30);
        self.url(client.token.as_deref().unwrap())
    }
}

#[test]
fn the_first_push_sets_and_protects_the_default_branch() {
    let place = Place::new();
    let head = must(place.path(), &["rev-parse", "HEAD"]);
    must(place.path(), &["push", &place.root_url(), "main"]);
    let project = place
        .world
        .root
        .get(&format!("projects/{}", place.project))
        .json();
    assert_eq!(
        (&project["default_branch"], &project["empty_repo"]),
        (&json!("main"), &json!(false))
    );
    assert!(
        place
            .world
            .emulator
            .with_state(|state| state.is_protected_branch(place.project, "main"))
    );
    assert_eq!(
        place
            .world
            .emulator
            .repository(place.project)
            .resolve("main")
            .unwrap(),
        Some(head.clone())
    );
    must(place.path(), &["clone", "-q", &place.root_url(), "copy"]);
    assert_eq!(
        must(&place.path().join("copy"), &["rev-parse", "HEAD"]),
        head
    );
    let routes: Vec<_> = place
        .world
        .emulator
        .requests()
        .into_iter()
        .filter_map(|entry| entry.route)
        .collect();
    assert!(
        routes.contains(&"git receive-pack".to_owned())
            && routes.contains(&"git upload-pack".to_owned()),
        "{routes:?}"
    );
}

#[test]
fn developers_push_branches_but_not_protected_ones() {
    let place = Place::new();
    let developer = place.developer_url();
    let empty = refused(place.path(), &["push", &developer, "main"]);
    assert!(
        empty.contains("A default branch (e.g. main) does not yet exist"),
        "{empty}"
    );
    must(place.path(), &["push", &place.root_url(), "main"]);
    place.commit("b.txt", "b\n");
    let protected = refused(place.path(), &["push", &developer, "main"]);
    assert!(
        protected.contains(
            "GitLab: You are not allowed to push code to protected branches on this project."
        ),
        "{protected}"
    );
    assert!(
        protected.contains("pre-receive hook declined"),
        "{protected}"
    );
    must(place.path(), &["push", &developer, "main:feature"]);
    must(place.path(), &["push", &developer, "--delete", "feature"]);
    let gone = refused(
        place.path(),
        &["push", &place.root_url(), "--delete", "main"],
    );
    assert!(
        gone.contains("The default branch of a project cannot be deleted"),
        "{gone}"
    );
}

#[test]
fn force_pushes_stop_at_protected_branches() {
    let place = Place::new();
    let first = must(place.path(), &["rev-parse", "HEAD"]);
    must(
        place.path(),
        &["push", &place.root_url(), "main", "main:feature"],
    );
    place.commit("b.txt", "b\n");
    must(
        place.path(),
        &["push", &place.root_url(), "main", "main:feature"],
    );
    must(place.path(), &["reset", "-q", "--hard", &first]);
    place.commit("c.txt", "c\n");
    must(
        place.path(),
        &["push", "--force", &place.root_url(), "main:feature"],
    );
    let forced = refused(
        place.path(),
        &["push", "--force", &place.root_url(), "main"],
    );
    assert!(
        forced.contains(
            "You are not allowed to force push code to a protected branch on this project."
        ),
        "{forced}"
    );
}

#[test]
fn merge_request_refs_are_fetched_but_never_pushed() {
    let place = Place::new();
    must(place.path(), &["push", &place.root_url(), "main"]);
    let head = must(place.path(), &["rev-parse", "HEAD"]);
    place
        .world
        .emulator
        .repository(place.project)
        .set_ref("refs/merge-requests/1/head", &head)
        .unwrap();
    must(
        place.path(),
        &[
            "fetch",
            "-q",
            &place.root_url(),
            "refs/merge-requests/1/head:mr",
        ],
    );
    assert_eq!(must(place.path(), &["rev-parse", "mr"]), head);
    let pushed = refused(
        place.path(),
        &["push", &place.root_url(), "main:refs/merge-requests/2/head"],
    );
    assert!(pushed.contains("deny updating a hidden ref"), "{pushed}");
}

#[test]
fn who_may_not_read_is_asked_for_credentials_or_told_nothing() {
    let place = Place::new();
    must(place.path(), &["push", &place.root_url(), "main"]);
    let info = "/root/shop.git/info/refs?service=git-upload-pack";
    let anonymous = send(&place.world.root.url, "GET", info, &[], b"").unwrap();
    assert_eq!(
        (anonymous.status, anonymous.header("www-authenticate")),
        (401, Some("Basic realm=\"GitLab\""))
    );
    let weak = place.world.token(1, &["read_user"]);
    assert!(
        refused(place.path(), &["ls-remote", &place.url(&weak)]).contains("Authentication failed")
    );
    let (_, client) = place.world.person("sam");
    let stranger = refused(
        place.path(),
        &["ls-remote", &place.url(client.token.as_deref().unwrap())],
    );
    assert!(stranger.contains("not found"), "{stranger}");
    assert!(
        refused(place.path(), &["ls-remote", &place.url("glpat-wrong")])
            .contains("Authentication failed")
    );
    place.world.root.put(
        &format!("projects/{}", place.project),
        json!({ "visibility": "public" }),
    );
    assert!(
        must(
            place.path(),
            &[
                "ls-remote",
                &format!("{}/root/shop.git", place.world.root.url)
            ]
        )
        .contains("refs/heads/main")
    );
    let reader = refused(
        place.path(),
        &[
            "push",
            &place.url(client.token.as_deref().unwrap()),
            "main:x",
        ],
    );
    assert!(reader.contains("403"), "{reader}");
}

#[test]
fn job_tokens_clone_and_push_only_when_the_project_allows() {
    let place = Place::new();
    must(place.path(), &["push", &place.root_url(), "main"]);
    let token = place
        .world
        .emulator
        .with_state(|state| state.issue_job_token(5, "gate", 2, place.project, 1));
    let url = place.url_as("gitlab-ci-token", &token);
    assert!(must(place.path(), &["ls-remote", &url]).contains("refs/heads/main"));
    assert!(refused(place.path(), &["push", &url, "main:x"]).contains("403"));
    place.world.root.put(
        &format!("projects/{}", place.project),
        json!({ "ci_push_repository_for_job_token_allowed": true }),
    );
    must(place.path(), &["push", &url, "main:x"]);
    let last = place.world.emulator.requests().pop().unwrap();
    assert_eq!(
        (last.who.job_id(), last.route.as_deref()),
        (Some(5), Some("git receive-pack"))
    );
    place
        .world
        .emulator
        .with_state(|state| state.revoke_job_token(5));
    assert!(refused(place.path(), &["ls-remote", &url]).contains("Authentication failed"));
}

#[test]
fn a_personal_token_counts_under_the_name_of_job_tokens_too() {
    let place = Place::new();
    let url = place.url_as("gitlab-ci-token", place.world.emulator.root_token());
    must(place.path(), &["push", &url, "main"]);
    let wrong = place.url_as("gitlab-ci-token", "glpat-nothing");
    assert!(refused(place.path(), &["ls-remote", &wrong]).contains("Authentication failed"));
}

#[test]
fn compressed_and_large_bodies_arrive_whole() {
    let place = Place::new();
    // Poorly compressible content makes a pack so large that git sends it in chunks.
    let mut seed = 7_u64;
    let noise: String = (0..3_000_000)
        .map(|_| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            char::from(b' ' + u8::try_from((seed >> 33) % 90).unwrap())
        })
        .collect();
    place.commit("noise.txt", &noise);
    must(place.path(), &["push", &place.root_url(), "main"]);
    must(place.path(), &["clone", "-q", &place.root_url(), "copy"]);
    assert_eq!(
        std::fs::read_to_string(place.path().join("copy/noise.txt")).unwrap(),
        noise
    );

    let mut zipped = GzEncoder::new(Vec::new(), Compression::default());
    zipped.write_all(b"0014command=ls-refs\n0000").unwrap();
    let basic = STANDARD.encode(format!("oauth2:{}", place.world.emulator.root_token()));
    let headers = [
        ("authorization", &*format!("Basic {basic}")),
        ("content-encoding", "gzip"),
        ("git-protocol", "version=2"),
    ];
    let path = "/root/shop.git/git-upload-pack";
    let listed = send(
        &place.world.root.url,
        "POST",
        path,
        &headers,
        &zipped.finish().unwrap(),
    )
    .unwrap();
    assert!(listed.text.contains("refs/heads/main"), "{}", listed.text);
}
