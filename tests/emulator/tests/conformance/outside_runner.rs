//! A runner of its own, as small as it can be: asks for jobs over HTTP, fetches with git, runs the steps and tells the end.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::ci_world::git_in;
use crate::client::{Client, Reply, send};

/// What the real program says it can do.
const FEATURES: &[&str] = &[
    "upload_multiple_artifacts",
    "artifacts_exclude",
    "refspecs",
    "multi_build_steps",
    "return_exit_code",
    "cancel_gracefully",
];

/// A runner with its token.
pub(crate) struct OutsideRunner {
    pub(crate) url: String,
    pub(crate) token: String,
}

impl OutsideRunner {
    /// A runner that a person makes, with what the body says.
    pub(crate) fn made_by(client: &Client, body: Value) -> Self {
        let reply = client.post("user/runners", body);
        assert_eq!(reply.status, 201, "{}", reply.text);
        Self {
            url: client.url.clone(),
            token: reply.json()["token"].as_str().unwrap().to_owned(),
        }
    }

    /// Asks for a job.
    pub(crate) fn request(&self) -> Reply {
        let features: Value = FEATURES.iter().map(|name| (*name, true)).collect();
        self.request_with(features)
    }

    /// The same with other abilities.
    pub(crate) fn request_with(&self, features: Value) -> Reply {
        let body = json!({
            "token": self.token,
            "system_id": "s_test",
            "info": {
                "name": "gitlab-runner", "version": "18.5.0", "revision": "abc", "platform": "linux",
                "architecture": "amd64", "executor": "shell", "features": features,
            },
        });
        self.anonymous().post("jobs/request", body)
    }

    /// A job that must be there.
    pub(crate) fn take(&self) -> TakenJob {
        let reply = self.request();
        assert_eq!(reply.status, 201, "{}", reply.text);
        TakenJob {
            url: self.url.clone(),
            payload: reply.json(),
            sent: 0,
        }
    }

    /// A client without any token.
    pub(crate) fn anonymous(&self) -> Client {
        Client {
            url: self.url.clone(),
            token: None,
        }
    }
}

/// A job this runner has.
pub(crate) struct TakenJob {
    url: String,
    pub(crate) payload: Value,
    sent: usize,
}

impl TakenJob {
    pub(crate) fn id(&self) -> u64 {
        self.payload["id"].as_u64().unwrap()
    }

    fn token(&self) -> &str {
        self.payload["token"].as_str().unwrap()
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, key: &str) -> &Value {
        let all = self.payload["variables"].as_array().unwrap();
        let found = all.iter().find(|variable| variable["key"] == key);
        found.unwrap_or_else(|| panic!("no variable {key}"))
    }

    /// Clones, runs the steps until one fails, and appends what they print; the answer is the exit code.
    pub(crate) fn run(&mut self, dir: &Path) -> i32 {
        let info = self.payload["git_info"].clone();
        let text = |key: &str| info[key].as_str().unwrap().to_owned();
        let depth = info["depth"].as_i64().unwrap();
        let must = |args: &[&str]| {
            let output = git_in(dir, args);
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "git {args:?}: {error}");
        };
        must(&["init", "-q", "."]);
        let depth = format!("--depth={depth}");
        let (url, sha) = (text("repo_url"), text("sha"));
        let mut fetch = vec!["fetch", "-q", &depth, &url];
        let refspecs = info["refspecs"].as_array().unwrap();
        fetch.extend(refspecs.iter().filter_map(Value::as_str));
        must(&fetch);
        must(&["checkout", "-q", "--detach", &sha]);
        self.fetch_dependencies(dir);
        let mut result = 0;
        for step in self.payload["steps"].as_array().unwrap().clone() {
            if step["when"] != "always" && result != 0 {
                continue;
            }
            let lines = step["script"].as_array().unwrap();
            let script: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
            let mut shell = Command::new("sh");
            shell.arg("-ec").arg(script.join("\n")).current_dir(dir);
            for variable in self.payload["variables"].as_array().unwrap() {
                let (key, value) = (&variable["key"], &variable["value"]);
                shell.env(key.as_str().unwrap(), value.as_str().unwrap());
            }
            let output = shell.output().expect("sh runs");
            self.append(&output.stdout);
            if step["allow_failure"] != true && result == 0 {
                result = output.status.code().unwrap_or(1);
            }
        }
        result
    }

    fn fetch_dependencies(&self, dir: &Path) {
        for dependency in self.payload["dependencies"].as_array().unwrap() {
            if dependency["artifacts_file"].is_null() {
                continue;
            }
            let path = format!("/api/v4/jobs/{}/artifacts", dependency["id"]);
            let token = dependency["token"].as_str().unwrap();
            let reply = send(&self.url, "GET", &path, &[("job-token", token)], b"").unwrap();
            assert_eq!(reply.status, 200, "{}", reply.text);
            std::fs::write(dir.join("fetched"), reply.text).unwrap();
        }
    }

    /// Appends to the trace.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Reply {
        let reply = self.append_at(self.sent, bytes);
        if reply.status == 202 {
            self.sent += bytes.len();
        }
        reply
    }

    /// Appends at a place of its own choice.
    pub(crate) fn append_at(&self, start: usize, bytes: &[u8]) -> Reply {
        let range = format!("{start}-{}", start + bytes.len() - 1);
        let headers = [
            ("job-token", self.token()),
            ("content-range", &range),
            ("content-type", "text/plain"),
        ];
        let path = format!("/api/v4/jobs/{}/trace?debug_trace=false", self.id());
        send(&self.url, "PATCH", &path, &headers, bytes).unwrap()
    }

    /// Tells how it stands.
    pub(crate) fn tell(&self, body: Value) -> Reply {
        let mut body = body;
        body["token"] = json!(self.token());
        let client = Client {
            url: self.url.clone(),
            token: None,
        };
        client.put(&format!("jobs/{}", self.id()), body)
    }

    /// Uploads a file.
    pub(crate) fn upload(&self, query: &str, file_name: &str, content: &[u8]) -> Reply {
        let mut body = Vec::new();
        write!(
            body,
            "--cut\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{file_name}\"\r\n\
             content-type: application/octet-stream\r\n\r\n"
        )
        .unwrap();
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n--cut--\r\n");
        let headers = [
            ("job-token", self.token()),
            ("content-type", "multipart/form-data; boundary=cut"),
        ];
        let path = format!("/api/v4/jobs/{}/artifacts?{query}", self.id());
        send(&self.url, "POST", &path, &headers, &body).unwrap()
    }
}
