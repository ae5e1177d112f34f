//! Signs what a release leaves behind, so that anybody can check it with `ssh-keygen -Y verify` long after the pipeline is gone.

use std::fs;

use ssh_key::{HashAlg, LineEnding, PrivateKey};

use crate::config::ci::Secret;
use crate::outcome::Problem;
use crate::ports::Answer;

/// What a signature is for: one made for something else does not verify.
pub const NAMESPACE: &str = "trainyard-release";

/// The signature of a text, as `ssh-keygen -Y sign` writes it.
///
/// # Errors
/// When the key is no private key that can sign; never with a word of it.
pub fn sign(key: &Secret, text: &[u8]) -> Answer<String> {
    let key = PrivateKey::from_openssh(text_of(key)?).map_err(|error| {
        unusable("it is no private key in the format of OpenSSH").caused_by(error)
    })?;
    if key.is_encrypted() {
        return Err(unusable("it has a passphrase, which nobody could type"));
    }
    let signature = key
        .sign(NAMESPACE, HashAlg::Sha512, text)
        .map_err(|error| unusable("only keys of the kind ed25519 can").caused_by(error))?;
    signature
        .to_pem(LineEnding::LF)
        .map_err(|error| Problem::bug("a signature cannot be written").caused_by(error))
}

/// GitLab hands a variable of type File over as the path of a file.
fn text_of(key: &Secret) -> Answer<String> {
    let given = key.reveal();
    if given.trim_start().starts_with("-----BEGIN") {
        return Ok(given.to_owned());
    }
    // The path is not shown: it may be a key in another format.
    fs::read_to_string(given).map_err(|error| {
        unusable("it is neither a key nor the path of a file that can be read").caused_by(error)
    })
}

fn unusable(why: &str) -> Problem {
    Problem::misconfigured(
        format!("`TRAINYARD_SIGNING_KEY` cannot sign: {why}"),
        "make a key with `ssh-keygen -t ed25519 -N '' -f release-key` and store the file `release-key` in a protected CI variable of type File",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssh_key::private::{Ed25519Keypair, KeypairData};
    use ssh_key::{PublicKey, SshSig};

    fn key() -> PrivateKey {
        let pair = Ed25519Keypair::from_seed(&[7; 32]);
        PrivateKey::new(KeypairData::Ed25519(pair), "release").unwrap()
    }

    fn secret(key: &PrivateKey) -> Secret {
        Secret::new(key.to_openssh(LineEnding::LF).unwrap().to_string())
    }

    #[test]
    fn a_signature_holds_for_this_text_and_this_purpose_alone() {
        let signature = sign(&secret(&key()), b"content").unwrap();
        let signature: SshSig = signature.parse().unwrap();
        let public: PublicKey = key().public_key().clone();
        assert!(public.verify(NAMESPACE, b"content", &signature).is_ok());
        assert!(public.verify(NAMESPACE, b"content.", &signature).is_err());
        assert!(public.verify("file", b"content", &signature).is_err());
    }

    #[test]
    fn a_file_with_the_key_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, secret(&key()).reveal()).unwrap();
        let by_path = Secret::new(path.to_str().unwrap().to_owned());
        assert_eq!(
            sign(&by_path, b"x").unwrap(),
            sign(&secret(&key()), b"x").unwrap()
        );
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        for bad in [
            "hunter2-hunter2",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n",
        ] {
            let problem = sign(&Secret::new(bad.to_owned()), b"x").unwrap_err();
            let said = format!("{problem} {problem:?}");
            assert!(said.contains("TRAINYARD_SIGNING_KEY"), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
