//! Unguessable text for tokens, from the randomness the standard library takes from the operating system.

use std::hash::{BuildHasher, RandomState};

use sha2::{Digest, Sha256};

/// `prefix` followed by 20 letters and digits that never repeat.
pub(crate) fn fresh(prefix: &str) -> String {
    const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut hasher = Sha256::new();
    for round in 0..4_u8 {
        hasher.update(RandomState::new().hash_one(round).to_le_bytes());
    }
    let text: String = hasher
        .finalize()
        .iter()
        .take(20)
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
        .collect();
    format!("{prefix}{text}")
}

/// 40 digits that never repeat, as the ids of threads.
pub(crate) fn discussion_id() -> String {
    digits(20)
}

/// 32 digits that never repeat, as in the addresses of uploads.
pub(crate) fn upload() -> String {
    digits(16)
}

fn digits(bytes: usize) -> String {
    let digest = Sha256::digest(fresh(""));
    digest
        .iter()
        .take(bytes)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_secrets_differ() {
        assert_ne!(super::fresh("glpat-"), super::fresh("glpat-"));
        assert_eq!(super::fresh("glpat-").len(), 26);
    }
}
