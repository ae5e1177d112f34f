//! A receiver of messages on the loopback: keeps every byte that it gets, and answers as it is told.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// How one request is answered.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// A status, one more header line or none, and a body.
    Status(u16, &'static str, &'static str),
    /// The connection is closed without a word.
    Close,
    /// No word ever; the connection stays open.
    Never,
}

/// What a sender sent.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// The request line and the headers.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
}

impl Received {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A receiver; it ends with the process.
pub(crate) struct Receiver {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

impl Receiver {
    /// One that answers `200 ok`.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self {
            port: listener.local_addr().unwrap().port(),
            received: Arc::default(),
            answers: Arc::default(),
        };
        let (received, answers) = (receiver.received.clone(), receiver.answers.clone());
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let Some(request) = read(&mut stream) else {
                    continue;
                };
                received.lock().unwrap().push(request);
                let answer = answers.lock().unwrap().pop_front();
                match answer.unwrap_or(Answer::Status(200, "", "ok")) {
                    Answer::Close => {}
                    Answer::Never => open.push(stream),
                    Answer::Status(status, header, body) => {
                        let line = if header.is_empty() {
                            String::new()
                        } else {
                            format!("{header}\r\n")
                        };
                        let text = format!(
                            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n{line}\r\n{body}",
                            body.len()
                        );
                        let _ = stream.write_all(text.as_bytes());
                    }
                }
            }
        });
        receiver
    }

    /// Its address, with a path that is a secret.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// How the next requests are answered.
    pub(crate) fn answers(&self, answers: &[Answer]) {
        self.answers.lock().unwrap().extend(answers.iter().cloned());
    }

    /// Keeps only the first requests.
    pub(crate) fn forget_after(&self, first: usize) {
        self.received.lock().unwrap().truncate(first);
    }

    /// Everything received so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// What was received at a path.
    pub(crate) fn at(&self, path: &str) -> Vec<Received> {
        let line = format!("POST /{path} HTTP/1.1");
        let mut received = self.received();
        received.retain(|request| request.head.starts_with(&line));
        received
    }
}

fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut buffer = [0u8; 4096];
    loop {
        let count = stream.read(&mut buffer).ok()?;
        if count == 0 {
            return None;
        }
        bytes.extend_from_slice(&buffer[..count]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let mut received = Received {
            head: String::from_utf8(bytes[..end].to_vec()).ok()?,
            body: String::new(),
        };
        let length: usize = received.header("content-length")?.parse().ok()?;
        if bytes.len() >= end + 4 + length {
            received.body = String::from_utf8(bytes[end + 4..end + 4 + length].to_vec()).ok()?;
            return Some(received);
        }
    }
}
