//! Keeping secrets out of the trace, also when one arrives in pieces.

const MASK: &[u8] = b"[MASKED]";

/// Replaces secrets in a stream of bytes.
#[derive(Debug)]
pub(super) struct Masker {
    /// Longest first, so that a secret inside another does not hide it.
    secrets: Vec<Vec<u8>>,
    held: Vec<u8>,
    /// The beginning of a character whose rest has not come yet.
    half: Vec<u8>,
}

impl Masker {
    /// A masker for these secrets.
    pub(super) fn new(secrets: &[String]) -> Self {
        let mut secrets: Vec<Vec<u8>> = secrets
            .iter()
            .filter(|secret| !secret.is_empty())
            .map(|secret| secret.clone().into_bytes())
            .collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self {
            secrets,
            held: Vec::new(),
            half: Vec::new(),
        }
    }

    /// Takes more bytes and gives back what can be shown already.
    pub(super) fn push(&mut self, bytes: &[u8]) -> String {
        self.held.extend_from_slice(bytes);
        let mut shown = std::mem::take(&mut self.half);
        shown.extend(self.shown(false));
        if let Err(error) = std::str::from_utf8(&shown)
            && error.error_len().is_none()
        {
            self.half = shown.split_off(error.valid_up_to());
        }
        String::from_utf8_lossy(&shown).into_owned()
    }

    /// Gives back the rest.
    pub(super) fn finish(&mut self) -> String {
        let mut shown = std::mem::take(&mut self.half);
        shown.extend(self.shown(true));
        String::from_utf8_lossy(&shown).into_owned()
    }

    fn shown(&mut self, all: bool) -> Vec<u8> {
        let mut shown = Vec::new();
        let mut at = 0;
        while at < self.held.len() {
            let rest = &self.held[at..];
            if let Some(secret) = self.secrets.iter().find(|secret| rest.starts_with(secret)) {
                shown.extend_from_slice(MASK);
                at += secret.len();
            } else if !all && self.secrets.iter().any(|secret| secret.starts_with(rest)) {
                break;
            } else {
                shown.push(rest[0]);
                at += 1;
            }
        }
        self.held.drain(..at);
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_even_across_pieces() {
        let mut masker = Masker::new(&["secret-1".to_owned(), "secret-12".to_owned()]);
        let mut shown = masker.push(b"a secr");
        shown += &masker.push(b"et-12 b secret-1");
        shown += &masker.push(b"x sec");
        shown += &masker.finish();
        assert_eq!(shown, "a [MASKED] b [MASKED]x sec");
    }

    #[test]
    fn a_character_that_arrives_in_pieces_stays_whole() {
        let mut masker = Masker::new(&[]);
        let mut shown = masker.push(b"a\xc3");
        shown += &masker.push(b"\xa9\xff b\xe2\x82");
        shown += &masker.finish();
        assert_eq!(shown, "aé\u{fffd} b\u{fffd}");
    }
}
