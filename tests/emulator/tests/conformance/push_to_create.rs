//! Pushes to projects that are not there, and Git LFS, which is not there.

use serde_json::json;

use crate::ci_world::CiWorld;
use crate::client::send;

fn push(ci: &CiWorld, token: &str, path: &str) -> (bool, String) {
    let address = ci.world.root.url.trim_start_matches("http://");
    let url = format!("http://oauth2:{token}@{address}/{path}.git");
    let output = ci.git_output(&["push", &url, "main"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), text)
}

#[test]
fn a_push_makes_the_project_where_the_pusher_may() {
    let ci = CiWorld::empty();
    ci.commit("main", &[("a.txt", "a")]);
    let root = ci.world.emulator.root_token().to_owned();
    let (done, said) = push(&ci, &root, "root/fresh");
    assert!(done, "{said}");
    assert!(
        said.contains("The private project root/fresh was successfully created."),
        "{said}"
    );
    let made = ci.world.root.get("projects/root%2Ffresh").json();
    assert_eq!(
        (&made["visibility"], &made["default_branch"]),
        (&json!("private"), &json!("main"))
    );
    let (done, said) = push(&ci, &root, "root/fresh");
    assert!(done && !said.contains("successfully created"), "{said}");

    let (_, ana) = ci.world.person("ana");
    let token = ana.token.as_deref().unwrap();
    for elsewhere in ["root/other", "nobody/other"] {
        let (done, said) = push(&ci, token, elsewhere);
        assert!(!done && said.contains("not found"), "{said}");
    }
    assert_eq!(ci.world.root.get("projects/root%2Fother").status, 404);
    assert!(push(&ci, token, "ana/own").0);
    let user = ci.world.root.get("users?username=ana").json()[0]["id"]
        .as_u64()
        .unwrap();
    let reader = ci.world.token(user, &["read_repository"]);
    assert!(!push(&ci, &reader, "ana/second").0);
    assert_eq!(ci.world.root.get("projects/ana%2Fsecond").status, 404);
}

#[test]
fn git_lfs_is_refused_by_name() {
    let ci = CiWorld::empty();
    let reply = send(
        &ci.world.root.url,
        "POST",
        "/root/shop.git/info/lfs/objects/batch",
        &[("content-type", "application/vnd.git-lfs+json")],
        b"{}",
    )
    .unwrap();
    assert_eq!(
        reply.error(),
        (
            501,
            json!({ "message": "Git LFS is not enabled on this GitLab server, contact your admin." })
        )
    );
    assert_eq!(
        reply.header("content-type"),
        Some("application/vnd.git-lfs+json")
    );
    assert_eq!(ci.world.emulator.unknown_requests().len(), 1);
}
