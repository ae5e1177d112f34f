//! `trainyard sandbox` as a process: what it says, what it serves, and that nothing is left behind.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A sandbox that was started with these flags, and the line it announced itself with.
struct Sandbox {
    child: Child,
    said: Value,
}

impl Sandbox {
    fn start(temporary: &Path, flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_trainyard"))
            .arg("sandbox")
            .args(flags)
            .env("TMPDIR", temporary)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let said = serde_json::from_str(&line).unwrap();
        Self { child, said }
    }

    fn get(&self, path: &str) -> String {
        let address = self.said["url"].as_str().unwrap().replace("http://", "");
        let token = self.said["users"][0]["token"].as_str().unwrap();
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nprivate-token: {token}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Ends it as Ctrl-C or a service manager does.
    fn end(mut self, signal: &str) -> Option<i32> {
        let sent = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code()
    }
}

#[test]
fn an_empty_sandbox_holds_root_alone_and_leaves_nothing_behind() {
    for signal in ["-INT", "-TERM"] {
        let temporary = tempfile::tempdir().unwrap();
        let file = temporary.path().join("token");
        std::fs::write(&file, "glpat-of-this-test\n").unwrap();
        let sandbox = Sandbox::start(temporary.path(), &["--token-file", file.to_str().unwrap()]);
        assert_eq!(sandbox.said["users"][0]["token"], "glpat-of-this-test");
        assert_eq!(sandbox.said["users"].as_array().unwrap().len(), 1);
        assert!(sandbox.get("/api/v4/projects").ends_with("[]"));
        assert!(sandbox.get("/-/sandbox/state").contains("\"projects\":[]"));
        assert_eq!(sandbox.end(signal), Some(0));
        std::fs::remove_file(&file).unwrap();
        let left = std::fs::read_dir(temporary.path()).unwrap().count();
        assert_eq!(left, 0);
    }
}

#[test]
fn a_sandbox_with_the_shop_has_its_people_and_its_first_files() {
    let temporary = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(temporary.path(), &["--seed", "shop"]);
    assert_eq!(sandbox.said["project"]["path"], "shop/web");
    assert_eq!(sandbox.said["users"].as_array().unwrap().len(), 9);
    let file = sandbox.get("/api/v4/projects/shop%2Fweb/repository/files/README.md/raw?ref=main");
    assert!(file.ends_with("Sells things.\n"), "{file}");
    assert_eq!(sandbox.end("-TERM"), Some(0));
}
