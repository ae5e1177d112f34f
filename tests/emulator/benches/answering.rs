//! How soon the server answers after its start, and how fast it answers: `cargo bench -p trainyard-emulator --bench answering`.
//!
//! The load is open: requests are due at fixed instants, and one that waits for its predecessor counts from when it was due.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed benchmark")]
#![expect(clippy::print_stdout, reason = "the figures are the result")]
#![expect(clippy::disallowed_methods, reason = "time is what is measured")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use trainyard_emulator::{Emulator, Options};

const REQUESTS: u32 = 5_000;
const INTERVAL: Duration = Duration::from_millis(1);
/// Other variables of the project, so that the one that is asked for has to be found.
const OTHERS: u32 = 1_000;

fn main() {
    let began = Instant::now();
    let emulator = Emulator::start(Options::default()).unwrap();
    let mut client = Client::new(&emulator);
    client.call("GET", "/api/v4/version", "");
    println!(
        "from the start to the first answer   {}",
        shown(began.elapsed())
    );

    client.call("POST", "/api/v4/projects", r#"{"name":"shop"}"#);
    let variables = "/api/v4/projects/1/variables";
    for number in 0..=OTHERS {
        let body = format!(r#"{{"key":"KEY_{number}","value":"v","environment_scope":"state"}}"#);
        client.call("POST", variables, &body);
    }
    let one = format!("{variables}/KEY_500?filter%5Benvironment_scope%5D=state");
    let mut taken: Vec<Duration> = Vec::new();
    let began = Instant::now();
    for number in 0..REQUESTS {
        let due = began + INTERVAL * number;
        while Instant::now() < due {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        client.call("GET", &one, "");
        taken.push(due.elapsed());
    }
    let rate = f64::from(REQUESTS) / began.elapsed().as_secs_f64();
    taken.sort();
    println!("GET of one of {} variables, {rate:.0} a second", OTHERS + 1);
    for (name, per_mille) in [("median", 500), ("95 of 100", 950), ("99 of 100", 990)] {
        let at = taken.len() * per_mille / 1000;
        println!("  {name:10} {}", shown(taken[at]));
    }
}

fn shown(time: Duration) -> String {
    format!("{:8.3} ms", time.as_secs_f64() * 1000.0)
}

/// One connection that is kept open.
struct Client {
    stream: BufReader<TcpStream>,
    token: String,
}

impl Client {
    fn new(emulator: &Emulator) -> Self {
        let address = emulator.url().trim_start_matches("http://");
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream: BufReader::new(stream),
            token: emulator.root_token().to_owned(),
        }
    }

    fn call(&mut self, method: &str, path: &str, body: &str) {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nprivate-token: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        assert!(line.contains(" 20"), "{method} {path}: {line}");
        let mut length = 0;
        while line != "\r\n" {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
    }
}
