//! Files uploaded for texts, and the addresses of the web interface that programs follow.

use serde_json::json;

use crate::ci_world::CiWorld;
use crate::client::{Reply, World, send};

fn upload(world: &World, project: u64, name: &str) -> Reply {
    let token = world.emulator.root_token();
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n"
    );
    send(
        &world.root.url,
        "POST",
        &format!("/api/v4/projects/{project}/uploads"),
        &[
            ("private-token", token),
            ("content-type", "multipart/form-data; boundary=b"),
        ],
        body.as_bytes(),
    )
    .unwrap()
}

#[test]
fn an_upload_is_linked_read_listed_and_removed() {
    let world = World::new();
    let project = world.project("shop");
    let reply = upload(&world, project, "my file.txt");
    let made = reply.json();
    assert_eq!((reply.status, &made["alt"]), (201, &json!("my_file.txt")));
    let url = made["url"].as_str().unwrap();
    assert_eq!(made["markdown"], json!(format!("[my_file.txt]({url})")));
    assert_eq!(
        made["full_path"],
        json!(format!("/-/project/{project}{url}"))
    );
    let image = upload(&world, project, "a.png").json();
    assert!(
        image["markdown"]
            .as_str()
            .unwrap()
            .starts_with("![a](/uploads/")
    );

    let own = format!("projects/{project}{url}");
    assert_eq!(world.root.get(&own).text, "hello");
    let page = |path: &str| send(&world.root.url, "GET", path, &[], b"").unwrap();
    assert_eq!(
        page(made["full_path"].as_str().unwrap()).status,
        404,
        "private"
    );
    world.root.put(
        &format!("projects/{project}"),
        json!({ "visibility": "public" }),
    );
    assert_eq!(page(made["full_path"].as_str().unwrap()).text, "hello");
    assert_eq!(page(&format!("/root/shop{url}")).text, "hello");

    let listed = world
        .root
        .get(&format!("projects/{project}/uploads"))
        .json();
    assert_eq!(
        (
            &listed[1]["filename"],
            &listed[1]["size"],
            &listed[1]["uploaded_by"]["username"]
        ),
        (&json!("my_file.txt"), &json!(5), &json!("root"))
    );
    let (_, dev) = world.member(project, "dev", 30);
    assert_eq!(dev.get(&format!("projects/{project}/uploads")).status, 403);
    assert_eq!(dev.delete(&own).status, 403);
    assert_eq!(dev.get(&own).text, "hello");
    assert_eq!(world.root.delete(&own).status, 204);
    assert_eq!(world.root.get(&own).status, 404);
    let other = format!("projects/{project}/uploads/{}", image["id"]);
    assert_eq!(world.root.delete(&other).status, 204);
    assert_eq!(
        world
            .root
            .post(&format!("projects/{project}/uploads"), json!({}))
            .error(),
        (400, json!({ "error": "file is missing" }))
    );
}

#[test]
fn archives_files_artifacts_and_releases_are_read_at_their_web_addresses() {
    let ci = CiWorld::new(
        "job: { script: [echo hello > a.txt, 'echo A=1 > a.env'], artifacts: { paths: [a.txt], reports: { dotenv: a.env } } }",
    );
    let job = ci.job_id(ci.latest(), "job");
    ci.must("job");
    ci.push("feat/x", &[("dir/b.txt", "bee")]);
    let token = ci.world.emulator.root_token();
    let page = |path: &str| {
        let header = [("private-token", token)];
        send(&ci.world.root.url, "GET", path, &header, b"").unwrap()
    };
    let archive = page("/root/shop/-/archive/feat/x/shop-feat-x.tar.gz");
    assert_eq!(archive.status, 200, "{}", archive.text);
    assert_eq!(
        archive.header("content-disposition"),
        Some("attachment; filename=\"shop-feat-x.tar.gz\"")
    );
    assert_eq!(page("/root/shop/-/raw/feat/x/dir/b.txt").text, "bee");
    assert_eq!(page("/root/shop/-/raw/feat/x/gone.txt").status, 404);
    assert_eq!(
        page(&format!("/root/shop/-/jobs/{job}/artifacts/raw/a.txt")).text,
        "hello\n"
    );
    let download = |query: &str| {
        page(&format!(
            "/root/shop/-/jobs/{job}/artifacts/download{query}"
        ))
    };
    let names = ["", "?file_type=archive", "?file_type=dotenv"].map(|query| {
        let reply = download(query);
        assert_eq!(reply.status, 200, "{query}");
        reply
            .header("content-disposition")
            .unwrap_or_default()
            .to_owned()
    });
    assert_eq!(
        names,
        [
            "attachment; filename=\"artifacts.zip\"",
            "attachment; filename=\"artifacts.zip\"",
            "attachment; filename=\".env.gz\""
        ]
    );
    assert_eq!(download("?file_type=junit").status, 404);
    assert!(
        page(&format!("/root/shop/-/jobs/{job}/raw"))
            .text
            .contains("echo hello")
    );
    ci.world.root.post(
        &ci.path("releases"),
        json!({ "tag_name": "v1", "ref": "main", "assets": { "links": [
            { "name": "bin", "url": "https://example.com/bin", "direct_asset_path": "/bin/one" }
        ] } }),
    );
    let direct = page("/root/shop/-/releases/v1/downloads/bin/one");
    assert_eq!(
        (direct.status, direct.header("location")),
        (302, Some("https://example.com/bin"))
    );
    let latest = page("/root/shop/-/releases/permalink/latest/downloads/bin/one");
    let expected = format!(
        "{}/root/shop/-/releases/v1/downloads/bin/one",
        ci.world.root.url
    );
    assert_eq!(latest.header("location"), Some(expected.as_str()));
    let stranger = send(
        &ci.world.root.url,
        "GET",
        "/root/shop/-/raw/main/.gitlab-ci.yml",
        &[],
        b"",
    );
    assert_eq!(stranger.unwrap().status, 404);
}
