//! `artifacts:reports:dotenv`: the variables a job hands on, with GitLab's rules and limits.

/// The packed file must be smaller.
pub(super) const MAX_SIZE: usize = 5 * 1024;
/// More variables are refused: the default of a self-managed server.
const MAX_VARIABLES: usize = 20;

/// Reads a dotenv file; the error is GitLab's text.
pub(super) fn parse(content: &[u8]) -> Result<Vec<(String, String)>, String> {
    // What is no UTF-8 is replaced and kept.
    let text = String::from_utf8_lossy(content);
    let text = text.trim_start_matches('\u{feff}');
    let mut variables: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let (key, value) = line
            .split_once('=')
            .ok_or_else(|| "Invalid Format".to_owned())?;
        let key = key.trim();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let mut wrong = Vec::new();
        if key.is_empty() {
            wrong.push("Key can't be blank");
        }
        if key.len() > 255 {
            wrong.push("Key is too long (maximum is 255 characters)");
        }
        if key.is_empty() || !key.bytes().all(plain) {
            wrong.push("Key can contain only letters, digits and '_'.");
        }
        if !wrong.is_empty() {
            return Err(format!("Validation failed: {}", wrong.join(", ")));
        }
        variables.retain(|(known, _)| known != key);
        variables.push((key.to_owned(), value.trim().to_owned()));
    }
    if variables.len() > MAX_VARIABLES {
        return Err(format!(
            "Dotenv files cannot have more than {MAX_VARIABLES} variables"
        ));
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_variables_and_the_last_of_a_name_wins() {
        let parsed = parse(b"A=1\nB=x=y\nA=2\n").unwrap();
        assert_eq!(
            parsed,
            [("B".into(), "x=y".into()), ("A".into(), "2".into())]
        );
    }

    #[test]
    fn what_gitlab_refuses_is_refused() {
        assert_eq!(parse(b"A=1\n\nB=2\n").unwrap_err(), "Invalid Format");
        assert!(
            parse(b"A-B=1\n")
                .unwrap_err()
                .starts_with("Validation failed")
        );
        assert_eq!(
            parse(b"=1\n").unwrap_err(),
            "Validation failed: Key can't be blank, Key can contain only letters, digits and '_'."
        );
        let long = format!("{}=1\n", "K".repeat(256));
        assert!(parse(long.as_bytes()).unwrap_err().contains("too long"));
        assert_eq!(parse(b"A=\xff\n").unwrap()[0].1, "\u{fffd}");
        let many: String = (0..21).map(|number| format!("K{number}=v\n")).collect();
        assert!(parse(many.as_bytes()).unwrap_err().contains("more than 20"));
    }
}
