//! `artifacts:reports:dotenv`: the variables a job hands on, with GitLab's rules and limits.

/// The packed file must be smaller.
pub(super) const MAX_SIZE: usize = 5 * 1024;
/// More variables are refused: the default of a self-managed server.
const MAX_VARIABLES: usize = 20;

/// Reads a dotenv file; the error is GitLab's text.
pub(super) fn parse(content: &[u8]) -> Result<Vec<(String, String)>, String> {
    let text = std::str::from_utf8(content)
        .map_err(|_invalid| "Invalid Format".to_owned())?
        .trim_start_matches('\u{feff}');
    let mut variables: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let (key, value) = line
            .split_once('=')
            .ok_or_else(|| "Invalid Format".to_owned())?;
        let key = key.trim();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if key.is_empty() || !key.bytes().all(plain) {
            return Err(
                "Validation failed: Key can contain only letters, digits and '_'.".to_owned(),
            );
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
        let many: String = (0..21).map(|number| format!("K{number}=v\n")).collect();
        assert!(parse(many.as_bytes()).unwrap_err().contains("more than 20"));
    }
}
