//! The query language, as far as queries use it: one operation with variables, nested fields, arguments, aliases.

use serde_json::{Map, Value};

/// A field that a query asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    /// Its name in the schema.
    pub(super) name: String,
    /// Its name in the answer.
    pub(super) alias: String,
    pub(super) arguments: Map<String, Value>,
    pub(super) fields: Vec<Field>,
}

/// Reads a query document; variables are put in.
pub(super) fn parse(text: &str, variables: &Value) -> Result<Vec<Field>, String> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        variables,
    };
    if parser.word("query") {
        parser.name();
        if parser.sign("(") {
            while !parser.sign(")") {
                parser.skip()?;
            }
        }
    }
    let fields = parser.selection()?;
    match parser.tokens.get(parser.at) {
        None => Ok(fields),
        Some(rest) => Err(format!("Parse error on {rest:?}: one query is served")),
    }
}

struct Parser<'a> {
    tokens: Vec<String>,
    at: usize,
    variables: &'a Value,
}

impl Parser<'_> {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = self.peek() == sign;
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str) -> bool {
        self.sign(word)
    }

    fn skip(&mut self) -> Result<(), String> {
        if self.at >= self.tokens.len() {
            return Err("Unexpected end of document".to_owned());
        }
        self.at += 1;
        Ok(())
    }

    fn name(&mut self) -> Option<String> {
        let token = self.peek();
        let is_name = token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let name = is_name.then(|| token.to_owned());
        self.at += usize::from(is_name);
        name
    }

    fn selection(&mut self) -> Result<Vec<Field>, String> {
        if !self.sign("{") {
            return Err(format!("Parse error on {:?}: expected `{{`", self.peek()));
        }
        let mut fields = Vec::new();
        while !self.sign("}") {
            fields.push(self.field()?);
        }
        Ok(fields)
    }

    fn field(&mut self) -> Result<Field, String> {
        let Some(first) = self.name() else {
            return Err(format!(
                "Parse error on {:?}: expected a field",
                self.peek()
            ));
        };
        let name = if self.sign(":") {
            self.name().ok_or("Parse error: an alias without a field")?
        } else {
            first.clone()
        };
        let mut arguments = Map::new();
        if self.sign("(") {
            while !self.sign(")") {
                let key = self
                    .name()
                    .ok_or("Parse error: an argument without a name")?;
                if !self.sign(":") {
                    return Err(format!("Parse error: the argument {key} has no value"));
                }
                let value = self.value()?;
                arguments.insert(key, value);
            }
        }
        let fields = if self.peek() == "{" {
            self.selection()?
        } else {
            Vec::new()
        };
        Ok(Field {
            name,
            alias: first,
            arguments,
            fields,
        })
    }

    fn value(&mut self) -> Result<Value, String> {
        let token = self.peek().to_owned();
        self.skip()?;
        if let Some(variable) = token.strip_prefix('$') {
            return Ok(self.variables[variable].clone());
        }
        if token == "[" {
            let mut items = Vec::new();
            while !self.sign("]") {
                items.push(self.value()?);
            }
            return Ok(Value::Array(items));
        }
        // Enumeration values are words; everything else reads as JSON.
        Ok(serde_json::from_str(&token).unwrap_or(Value::String(token)))
    }
}

/// Words, numbers, texts, variables and signs; commas and comments are nothing.
fn tokens(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches('\u{feff}');
    while let Some(first) = rest.chars().next() {
        let length = match first {
            c if c.is_whitespace() || c == ',' => {
                rest = &rest[c.len_utf8()..];
                continue;
            }
            '#' => {
                rest = rest.split_once('\n').map_or("", |(_, after)| after);
                continue;
            }
            '"' => end_of_text(rest).ok_or("Parse error: a text does not end")?,
            c if c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '-') => rest[1..]
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.')))
                .map_or(rest.len(), |end| end + 1),
            c if "{}()[]:!=".contains(c) => 1,
            c => return Err(format!("Parse error on {c:?}: not served here")),
        };
        tokens.push(rest[..length].to_owned());
        rest = &rest[length..];
    }
    Ok(tokens)
}

fn end_of_text(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return Some(at + 1),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_query_is_read_with_its_variables_arguments_and_aliases() {
        let text = "query Q($p: ID!, $n: Int = 3) { # who\n me: currentUser { id } project(fullPath: $p) { jobs(first: 2, statuses: [FAILED], q: \"a\\\"b\") { nodes { id } } } }";
        let fields = parse(text, &json!({"p": "a/b"})).unwrap();
        assert_eq!(
            (fields[0].alias.as_str(), fields[0].name.as_str()),
            ("me", "currentUser")
        );
        assert_eq!(fields[1].arguments["fullPath"], "a/b");
        let jobs = &fields[1].fields[0];
        assert_eq!(
            Value::Object(jobs.arguments.clone()),
            json!({"first": 2, "statuses": ["FAILED"], "q": "a\"b"})
        );
    }

    #[test]
    fn what_is_no_query_is_an_error() {
        for text in [
            "",
            "{",
            "{ a(b: ) }",
            "mutation { a }",
            "{ a } { b }",
            "{ ...x }",
            "{ a(b: \"c) }",
        ] {
            assert!(parse(text, &Value::Null).is_err(), "{text}");
        }
    }
}
