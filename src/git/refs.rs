//! Moves refs of the project to commits that it has already, with one request and no repository of our own: whatever a batch lands
//! was pushed with its candidate, so that there is nothing to fetch and nothing to send.
//!
//! This is what `git push` says to `git-receive-pack` (gitprotocol-http, gitprotocol-pack), with a pack of no objects.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::Destination;
use crate::domain::ids::CommitSha;
use crate::outcome::Problem;
use crate::ports::{Answer, Push};
use crate::transport;

/// A pack of version 2 without objects: signature, version, count, and the SHA-1 of these twelve bytes.
const EMPTY_PACK: [u8; 32] = [
    b'P', b'A', b'C', b'K', 0, 0, 0, 2, 0, 0, 0, 0, 0x02, 0x9d, 0x08, 0x82, 0x3b, 0xd8, 0xa8, 0xea,
    0xb5, 0x10, 0xad, 0x6a, 0xc7, 0x5c, 0x82, 0x3c, 0xfd, 0x3e, 0xd3, 0x1e,
];
/// What we ask of the server beside moving refs.
const CAPABILITIES: &str = concat!(
    "report-status side-band-64k push-options object-format=sha1 agent=trainyard/",
    env!("CARGO_PKG_VERSION")
);
/// GitLab ends requests after a minute; its hooks run inside of this one.
const PATIENCE: Duration = Duration::from_secs(65);

/// One ref, and what it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move {
    /// Its full name.
    pub(super) name: String,
    /// What it must be now.
    pub(super) from: CommitSha,
    /// What it becomes; none deletes it.
    pub(super) to: Option<CommitSha>,
}

/// What to do where a ref is not what it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Together {
    /// None of them moves.
    AllOrNone,
    /// The others move.
    EachForItself,
}

/// What git writes in the place of a commit where there is none.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Moved {
    /// All of them, none of them and why, or that a ref is not what it must be.
    Said(Push),
    /// The server has not got a commit: a push that brings it along is needed.
    Missing,
}

/// Moves refs.
///
/// # Errors
/// When the server does not answer, or not as git does.
pub(super) fn move_refs(
    destination: &Destination,
    moves: &[Move],
    together: Together,
    options: &[&str],
) -> Answer<Moved> {
    let url: Url = format!("{}/git-receive-pack", destination.address)
        .parse()
        .map_err(|error| Problem::bug("the project's address is none").caused_by(error))?;
    let ca = destination.ca.as_ref().map(std::fs::read).transpose();
    let ca = ca.map_err(|error| {
        Problem::misconfigured(
            "the file named by `CI_SERVER_TLS_CA_FILE` cannot be read",
            "see the runner's `tls-ca-file` setting",
        )
        .caused_by(error)
    })?;
    let poster = transport::Poster::new(
        transport::Peer::of(&url),
        ca.as_deref(),
        PATIENCE,
        Duration::from_secs(10),
    )?;
    let credentials = STANDARD.encode(format!("trainyard:{}", destination.token.reveal()));
    let headers = [
        ("authorization", format!("Basic {credentials}")),
        (
            "content-type",
            "application/x-git-receive-pack-request".to_owned(),
        ),
        ("accept", "application/x-git-receive-pack-result".to_owned()),
    ];
    let answer = poster.exchange(&url, &headers, request(moves, together, options));
    let (status, body) = answer.map_err(|_no_answer| {
        Problem::gitlab(
            "GitLab did not answer a push; whether it was done is not known",
            "retry the job: what was done is recognised",
        )
    })?;
    if !(200..300).contains(&status) {
        return Err(Problem::gitlab(
            format!("GitLab refuses a push with status {status}"),
            "check that the token in `TRAINYARD_GATE_TOKEN` may push (scope `write_repository` or `api`, role Maintainer), then retry the job",
        ));
    }
    understood(&body).ok_or_else(|| {
        Problem::gitlab(
            "GitLab answered a push in a way that git does not",
            "retry the job: what was done is recognised",
        )
    })
}

/// The commands, the options, and the empty pack, which git sends unless all it does is delete.
fn request(moves: &[Move], together: Together, options: &[&str]) -> Vec<u8> {
    let atomic = match together {
        Together::AllOrNone => " atomic",
        Together::EachForItself => "",
    };
    let mut body = Vec::new();
    for (index, one) in moves.iter().enumerate() {
        let more = if index == 0 {
            format!("\0 {CAPABILITIES}{atomic}")
        } else {
            String::new()
        };
        let to = one.to.as_ref().map_or(NO_COMMIT, CommitSha::as_str);
        line(&mut body, &format!("{} {to} {}{more}", one.from, one.name));
    }
    body.extend(b"0000");
    for option in options {
        line(&mut body, option);
    }
    body.extend(b"0000");
    if moves.iter().any(|one| one.to.is_some()) {
        body.extend(EMPTY_PACK);
    }
    body
}

/// One pkt-line: its length in four hexadecimal digits, themselves included.
fn line(body: &mut Vec<u8>, text: &str) {
    body.extend(format!("{:04x}{text}", text.len() + 4).bytes());
}

/// The payloads of pkt-lines; none when they are not well formed.
fn lines(mut body: &[u8]) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    while !body.is_empty() {
        let digits = std::str::from_utf8(body.get(..4)?).ok()?;
        let length = usize::from_str_radix(digits, 16).ok()?;
        if length == 0 {
            body = &body[4..];
            continue;
        }
        found.push(body.get(4..length)?);
        body = &body[length..];
    }
    Some(found)
}

/// What the server says: its report in band 1, words for people in the others.
fn understood(body: &[u8]) -> Option<Moved> {
    let (mut report, mut words) = (Vec::new(), Vec::new());
    for packet in lines(body)? {
        match packet.split_first()? {
            (1, data) => report.extend_from_slice(data),
            (_, data) => words.extend_from_slice(data),
        }
    }
    let report: Vec<String> = lines(&report)?
        .into_iter()
        .map(|line| String::from_utf8_lossy(line).trim_end().to_owned())
        .collect();
    let (unpacked, refs) = report.split_first()?;
    let refused: Vec<&String> = refs.iter().filter(|line| line.starts_with("ng ")).collect();
    if unpacked == "unpack ok" && refused.is_empty() {
        return Some(Moved::Said(Push::Done));
    }
    let said = report.join("\n");
    if said.contains("missing necessary objects") || said.contains("bad pack") {
        return Some(Moved::Missing);
    }
    let words: String = format!("{said}\n{}", String::from_utf8_lossy(&words))
        .chars()
        .take(600)
        .collect();
    // git's own words for a ref that is not what it was: of an atomic push they stand among the words for people.
    let moved = [
        "cannot lock ref",
        "failed to update ref",
        "fetch first",
        "non-fast-forward",
    ];
    let stale = moved.iter().any(|sign| words.contains(sign)) && !words.contains("declined");
    Some(Moved::Said(if stale {
        Push::TargetMoved
    } else {
        Push::Refused { words }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(report: &[&str], words: &str) -> Vec<u8> {
        let mut inner = Vec::new();
        for text in report {
            line(&mut inner, text);
        }
        inner.extend(b"0000");
        let mut body = Vec::new();
        for (band, data) in [(2, words.as_bytes()), (1, &inner)] {
            body.extend(format!("{:04x}", data.len() + 5).bytes());
            body.push(band);
            body.extend(data);
        }
        body.extend(b"0000");
        body
    }

    #[test]
    fn a_request_is_what_git_would_send() {
        let sha = |digit: &str| digit.repeat(40).parse().unwrap();
        let moves = [Move {
            name: "refs/heads/main".to_owned(),
            from: sha("a"),
            to: Some(sha("b")),
        }];
        let body = request(&moves, Together::AllOrNone, &["ci.skip"]);
        let text = String::from_utf8_lossy(&body);
        let first = format!(
            "{} {} refs/heads/main\0 report-status",
            "a".repeat(40),
            "b".repeat(40)
        );
        assert!(text[4..].starts_with(&first), "{text}");
        assert!(text.contains("0000000bci.skip0000PACK"), "{text}");
        let gone = [Move {
            to: None,
            ..moves[0].clone()
        }];
        let body = request(&gone, Together::EachForItself, &[]);
        let text = String::from_utf8_lossy(&body);
        assert!(
            text.contains(&format!("{} {NO_COMMIT} ", "a".repeat(40))),
            "{text}"
        );
        assert!(
            text.ends_with("00000000") && !text.contains(" atomic"),
            "{text}"
        );
    }

    #[test]
    fn what_the_server_says_is_understood() {
        let done = answer(&["unpack ok\n", "ok refs/heads/main\n"], "");
        assert_eq!(understood(&done), Some(Moved::Said(Push::Done)));
        let stale = answer(
            &["unpack ok\n", "ng refs/heads/main failed to update ref\n"],
            "",
        );
        assert_eq!(understood(&stale), Some(Moved::Said(Push::TargetMoved)));
        let atomic = answer(
            &["unpack ok\n", "ng refs/heads/main atomic push failure\n"],
            "error: cannot lock ref 'refs/heads/main': is at b but expected a",
        );
        assert_eq!(understood(&atomic), Some(Moved::Said(Push::TargetMoved)));
        let hook = answer(
            &[
                "unpack ok\n",
                "ng refs/heads/main pre-receive hook declined\n",
            ],
            "GitLab: You are not allowed to push code to protected branches.",
        );
        let Some(Moved::Said(Push::Refused { words })) = understood(&hook) else {
            panic!("{:?}", understood(&hook));
        };
        assert!(words.contains("not allowed to push"), "{words}");
        assert_eq!(understood(b"<html>"), None);
    }
}
