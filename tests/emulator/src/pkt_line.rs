//! The packet lines in front of the pack of a push: which refs are to change, and the push options.

use crate::git::ZERO;
use crate::push::RefUpdate;

/// What a push asks for.
pub(crate) struct Commands {
    pub(crate) updates: Vec<RefUpdate>,
    /// Such as `ci.skip`.
    pub(crate) options: Vec<String>,
    /// Whether the client reads messages beside the report.
    pub(crate) side_band: bool,
}

/// Reads the commands in front of the pack: lines up to a flush, then push options up to the next one.
pub(crate) fn parse_commands(body: &[u8]) -> Commands {
    let (mut updates, mut with_options, mut rest) = (Vec::new(), false, body);
    let mut side_band = false;
    while let Some((line, after)) = packet(rest) {
        rest = after;
        let Some(line) = line else { break };
        let (command, capabilities) = line.split_once('\0').unwrap_or((line.as_str(), ""));
        let mut capabilities = capabilities.split_whitespace();
        with_options |= capabilities
            .clone()
            .any(|capability| capability == "push-options");
        side_band |= capabilities.any(|capability| capability == "side-band-64k");
        updates.extend(parse_update(command.trim_end()));
    }
    let mut options = Vec::new();
    while let Some((Some(line), after)) = packet(rest).filter(|_| with_options) {
        rest = after;
        options.push(line.trim_end().to_owned());
    }
    Commands {
        updates,
        options,
        side_band,
    }
}

/// The answer to a push with a message that the client prints line by line behind `remote:`.
pub(crate) fn with_message(answer: &[u8], text: &str) -> Vec<u8> {
    const FLUSH: &[u8] = b"0000";
    let Some(front) = answer.strip_suffix(FLUSH) else {
        return answer.to_vec();
    };
    // The second band is for messages.
    let length = text.len() + 5;
    [front, format!("{length:04x}\x02{text}").as_bytes(), FLUSH].concat()
}

/// One packet line and what follows it; `None` inside for a flush.
fn packet(bytes: &[u8]) -> Option<(Option<String>, &[u8])> {
    let length = usize::from_str_radix(std::str::from_utf8(bytes.get(..4)?).ok()?, 16).ok()?;
    if length < 4 {
        return Some((None, &bytes[4..]));
    }
    let line = bytes.get(4..length)?;
    Some((
        Some(String::from_utf8_lossy(line).into_owned()),
        &bytes[length..],
    ))
}

/// `<old> <new> <ref>`.
pub(crate) fn parse_update(line: &str) -> Option<RefUpdate> {
    let mut parts = line.split(' ');
    let (old, new, name) = (parts.next()?, parts.next()?, parts.next()?);
    let present = |id: &str| (id != ZERO).then(|| id.to_owned());
    Some(RefUpdate {
        name: name.to_owned(),
        old: present(old),
        new: present(new),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_push_options_are_read_from_the_packet_lines() {
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        let line = |text: &str| format!("{:04x}{text}", text.len() + 4);
        let first = line(&format!(
            "{ZERO} {one} refs/heads/new\0report-status push-options\n"
        ));
        let second = line(&format!("{two} {ZERO} refs/heads/old"));
        let body = format!("{first}{second}0000{}0000PACK", line("ci.skip"));
        let commands = parse_commands(body.as_bytes());
        assert_eq!(
            commands.updates,
            [
                RefUpdate {
                    name: "refs/heads/new".to_owned(),
                    old: None,
                    new: Some(one)
                },
                RefUpdate {
                    name: "refs/heads/old".to_owned(),
                    old: Some(two),
                    new: None
                },
            ]
        );
        assert_eq!(commands.options, ["ci.skip"]);
    }
}
