//! A blocking HTTP/1.1 client over one connection per request, and the world most tests start from.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use trainyard_emulator::{Emulator, Options};

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|_| panic!("not JSON ({}): {}", self.status, self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The status and JSON in one, for comparing errors.
    pub(crate) fn error(&self) -> (u16, Value) {
        (self.status, self.json())
    }
}

/// Sends one request to `http://host:port` and reads until the server closes.
pub(crate) fn send(
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Reply> {
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host)?;
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(body)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .ok_or(io::ErrorKind::InvalidData)?;
    let pair = |line: &str| {
        line.split_once(": ")
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
    };
    Ok(Reply {
        status,
        headers: lines.filter_map(pair).collect(),
        text: body.to_owned(),
    })
}

/// The API in the name of somebody.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) url: String,
    pub(crate) token: Option<String>,
}

impl Client {
    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let mut headers = Vec::new();
        if let Some(token) = &self.token {
            headers.push(("private-token", token.as_str()));
        }
        let text = body.map(Value::to_string).unwrap_or_default();
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        send(
            &self.url,
            method,
            &format!("/api/v4/{path}"),
            &headers,
            text.as_bytes(),
        )
        .expect("the emulator answers")
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.call("GET", path, None)
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Reply {
        self.call("POST", path, Some(&body))
    }

    pub(crate) fn put(&self, path: &str, body: Value) -> Reply {
        self.call("PUT", path, Some(&body))
    }

    /// Sends a form with one file and any texts.
    pub(crate) fn upload(
        &self,
        method: &str,
        path: &str,
        (name, file_name, content): (&str, &str, &[u8]),
        texts: &[(&str, &str)],
    ) -> Reply {
        let head =
            |name: &str| format!("--limit\r\ncontent-disposition: form-data; name=\"{name}\"");
        let mut body: Vec<u8> = Vec::new();
        for (name, text) in texts {
            body.extend(format!("{}\r\n\r\n{text}\r\n", head(name)).as_bytes());
        }
        let file = format!("{}; filename=\"{file_name}\"\r\n\r\n", head(name));
        body.extend(file.as_bytes());
        body.extend(content);
        body.extend(b"\r\n--limit--\r\n");
        let kind = ("content-type", "multipart/form-data; boundary=limit");
        let token = self.token.as_deref().unwrap_or_default();
        send(
            &self.url,
            method,
            &format!("/api/v4/{path}"),
            &[kind, ("private-token", token)],
            &body,
        )
        .expect("the emulator answers")
    }

    pub(crate) fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path, None)
    }
}

/// A sink that a test can read.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A running emulator with its administrator.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) root: Client,
    pub(crate) report: Lines,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::start(Options::default())
    }

    pub(crate) fn start(options: Options) -> Self {
        let report = Lines::default();
        let options = Options {
            report: Box::new(report.clone()),
            ..options
        };
        let emulator = Emulator::start(options).expect("the emulator starts");
        let root = Client {
            url: emulator.url().to_owned(),
            token: Some(emulator.root_token().to_owned()),
        };
        Self {
            emulator,
            root,
            report,
        }
    }

    pub(crate) fn with_token(&self, token: &str) -> Client {
        Client {
            url: self.root.url.clone(),
            token: Some(token.to_owned()),
        }
    }

    pub(crate) fn anonymous(&self) -> Client {
        Client {
            url: self.root.url.clone(),
            token: None,
        }
    }

    /// A new person with a token of scope `api`.
    pub(crate) fn person(&self, name: &str) -> (u64, Client) {
        let body = json!({ "username": name, "name": name, "email": format!("{name}@example.com"), "force_random_password": true });
        let id = self.root.post("users", body).json()["id"]
            .as_u64()
            .expect("an id");
        (id, self.with_token(&self.token(id, &["api"])))
    }

    pub(crate) fn token(&self, user: u64, scopes: &[&str]) -> String {
        let reply = self.root.post(
            &format!("users/{user}/personal_access_tokens"),
            json!({ "name": "t", "scopes": scopes }),
        );
        reply.json()["token"].as_str().expect("a token").to_owned()
    }

    pub(crate) fn project(&self, name: &str) -> u64 {
        let reply = self.root.post("projects", json!({ "name": name }));
        reply.json()["id"]
            .as_u64()
            .unwrap_or_else(|| panic!("{}", reply.text))
    }

    /// A person with a role in a project.
    pub(crate) fn member(&self, project: u64, name: &str, level: u64) -> (u64, Client) {
        let (id, client) = self.person(name);
        let added = self.root.post(
            &format!("projects/{project}/members"),
            json!({ "user_id": id, "access_level": level }),
        );
        assert_eq!(added.status, 201, "{}", added.text);
        (id, client)
    }
}
