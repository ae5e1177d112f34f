//! Conditions cut into tokens.

use std::sync::LazyLock;

use regex::Regex;

use super::InvalidSyntax;

/// GitLab's limit for one condition.
const MAX_TOKENS: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    Variable(String),
    Input(String),
    Text(String),
    Pattern(String),
    Null,
    Boolean(bool),
    Operator(Operator),
    Not,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equals,
    NotEquals,
    Matches,
    NotMatches,
    And,
    Or,
}

impl Operator {
    /// A smaller number binds tighter.
    pub(super) fn precedence(self) -> u8 {
        match self {
            Self::Equals | Self::NotEquals | Self::Matches | Self::NotMatches => 10,
            Self::And => 11,
            Self::Or => 12,
        }
    }
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, InvalidSyntax> {
    let mut rest = text.trim_start();
    let mut tokens = Vec::new();
    while !rest.is_empty() {
        let (token, length) = token(rest).ok_or(InvalidSyntax)?;
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    // One token of the hundred is used up by finding the end.
    if tokens.len() < MAX_TOKENS {
        Ok(tokens)
    } else {
        Err(InvalidSyntax)
    }
}

fn token(rest: &str) -> Option<(Token, usize)> {
    static WORD: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?x)^(?:
                \$\[\[\s*inputs\.(?<input>[\w-]+)\s*\]\]
              | \$(?<variable>\w+)
              | "(?<double>[^"\n]*)"
              | '(?<single>[^'\n]*)'
              | (?<pattern>/(?:[^/]|\\/)+[^\\]/[ismU]*)
              | (?<null>null)
              | (?<boolean>true\b|false\b)
            )"#,
        )
        .expect("the pattern is a literal that compiles")
    });
    let symbols = [
        ("(", Token::Open),
        (")", Token::Close),
        ("==", Token::Operator(Operator::Equals)),
        ("=~", Token::Operator(Operator::Matches)),
        ("!=", Token::Operator(Operator::NotEquals)),
        ("!~", Token::Operator(Operator::NotMatches)),
        ("&&", Token::Operator(Operator::And)),
        ("||", Token::Operator(Operator::Or)),
        ("!", Token::Not),
    ];
    for (symbol, token) in symbols {
        if rest.starts_with(symbol) {
            return Some((token, symbol.len()));
        }
    }
    let parts = WORD.captures(rest)?;
    let text = |name| parts.name(name).map(|part| part.as_str().to_owned());
    let token = if let Some(name) = text("input") {
        Token::Input(name)
    } else if let Some(name) = text("variable") {
        Token::Variable(name)
    } else if let Some(value) = text("double").or_else(|| text("single")) {
        Token::Text(value)
    } else if let Some(pattern) = text("pattern") {
        Token::Pattern(pattern)
    } else if let Some(value) = text("boolean") {
        Token::Boolean(value == "true")
    } else {
        Token::Null
    };
    Some((token, parts[0].len()))
}
