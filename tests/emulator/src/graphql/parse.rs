//! The query language: one operation with variables, nested selections, arguments and aliases.

use serde_json::{Map, Value, json};

/// One selected field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    /// The name in the answer.
    pub(super) alias: String,
    pub(super) name: String,
    pub(super) arguments: Map<String, Value>,
    pub(super) selection: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Variable(String),
    Literal(Value),
    Mark(char),
    Spread,
}

/// Reads a query; variables are put in place.
pub(super) fn query(text: &str, given: &Map<String, Value>) -> Result<Vec<Field>, String> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        variables: given.clone(),
    };
    parser.operation()
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        if char.is_whitespace() || char == ',' || char == '\u{feff}' {
            rest = &rest[char.len_utf8()..];
        } else if char == '#' {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(after) = rest.strip_prefix("...") {
            tokens.push(Token::Spread);
            rest = after;
        } else if char == '"' {
            let (value, after) = string(rest)?;
            tokens.push(Token::Literal(value));
            rest = after;
        } else if char == '$' {
            let (name, after) = word(&rest[1..]);
            tokens.push(Token::Variable(name.to_owned()));
            rest = after;
        } else if char.is_ascii_alphabetic() || char == '_' {
            let (name, after) = word(rest);
            tokens.push(Token::Name(name.to_owned()));
            rest = after;
        } else if char.is_ascii_digit() || char == '-' {
            let end = rest[1..]
                .find(|c: char| !c.is_ascii_digit() && !".eE+-".contains(c))
                .map_or(rest.len(), |end| end + 1);
            let number = serde_json::from_str(&rest[..end])
                .map_err(|_error| format!("Parse error on \"{}\"", &rest[..end]))?;
            tokens.push(Token::Literal(number));
            rest = &rest[end..];
        } else if "{}()[]:!=@".contains(char) {
            tokens.push(Token::Mark(char));
            rest = &rest[1..];
        } else {
            return Err(format!("Parse error on \"{char}\""));
        }
    }
    Ok(tokens)
}

fn word(text: &str) -> (&str, &str) {
    let end = text
        .find(|char: char| !char.is_ascii_alphanumeric() && char != '_')
        .unwrap_or(text.len());
    text.split_at(end)
}

/// A quoted string with JSON's escapes.
fn string(text: &str) -> Result<(Value, &str), String> {
    let mut escaped = false;
    for (at, char) in text.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                let (whole, rest) = text.split_at(at + 1);
                let value = serde_json::from_str(whole)
                    .map_err(|_error| "Parse error on a string".to_owned())?;
                return Ok((value, rest));
            }
            _ => {}
        }
    }
    Err("Parse error: a string has no end".to_owned())
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    variables: Map<String, Value>,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn take(&mut self, mark: char) -> bool {
        let found = self.peek() == Some(&Token::Mark(mark));
        if found {
            self.at += 1;
        }
        found
    }

    fn expect(&mut self, mark: char) -> Result<(), String> {
        if self.take(mark) {
            return Ok(());
        }
        Err(match self.peek() {
            Some(token) => format!("Parse error on {token:?}: expected `{mark}`"),
            None => format!("Parse error: expected `{mark}` at the end"),
        })
    }

    fn name(&mut self) -> Result<String, String> {
        match self.next() {
            Some(Token::Name(name)) => Ok(name),
            Some(Token::Spread) => Err("fragments are not implemented".to_owned()),
            Some(Token::Mark('@')) => Err("directives are not implemented".to_owned()),
            other => Err(format!("Parse error on {other:?}: expected a name")),
        }
    }

    fn operation(&mut self) -> Result<Vec<Field>, String> {
        if let Some(Token::Name(kind)) = self.peek().cloned() {
            if kind != "query" {
                return Err(format!("`{kind}` is not implemented, only queries are"));
            }
            self.at += 1;
            if matches!(self.peek(), Some(Token::Name(_))) {
                self.at += 1;
            }
            if self.take('(') {
                self.declarations()?;
            }
        }
        let selection = self.selection()?;
        match self.peek() {
            None => Ok(selection),
            Some(Token::Name(word)) if word == "fragment" => {
                Err("fragments are not implemented".to_owned())
            }
            Some(_) => Err("only one operation is implemented".to_owned()),
        }
    }

    /// `$name: Type! = default`; types are not checked.
    fn declarations(&mut self) -> Result<(), String> {
        while !self.take(')') {
            let Some(Token::Variable(name)) = self.next() else {
                return Err("Parse error: expected a variable".to_owned());
            };
            self.expect(':')?;
            let wanted = self.kind()?;
            let default = if self.take('=') {
                Some(self.value()?)
            } else {
                None
            };
            if !self.variables.contains_key(&name) {
                if wanted && default.is_none() {
                    return Err(format!(
                        "Variable ${name} of a required type was provided invalid value"
                    ));
                }
                self.variables.insert(name, default.unwrap_or(Value::Null));
            }
        }
        Ok(())
    }

    /// A type; true if it is required.
    fn kind(&mut self) -> Result<bool, String> {
        if self.take('[') {
            self.kind()?;
            self.expect(']')?;
        } else {
            self.name()?;
        }
        Ok(self.take('!'))
    }

    fn selection(&mut self) -> Result<Vec<Field>, String> {
        self.expect('{')?;
        let mut fields = Vec::new();
        while !self.take('}') {
            fields.push(self.field()?);
        }
        Ok(fields)
    }

    fn field(&mut self) -> Result<Field, String> {
        let alias = self.name()?;
        let name = if self.take(':') {
            self.name()?
        } else {
            alias.clone()
        };
        let mut arguments = Map::new();
        if self.take('(') {
            while !self.take(')') {
                let key = self.name()?;
                self.expect(':')?;
                arguments.insert(key, self.value()?);
            }
        }
        let selection = if self.peek() == Some(&Token::Mark('{')) {
            self.selection()?
        } else {
            Vec::new()
        };
        Ok(Field {
            alias,
            name,
            arguments,
            selection,
        })
    }

    fn value(&mut self) -> Result<Value, String> {
        match self.next() {
            Some(Token::Literal(value)) => Ok(value),
            Some(Token::Variable(name)) => self
                .variables
                .get(&name)
                .cloned()
                .ok_or_else(|| format!("Variable ${name} is used but not declared")),
            Some(Token::Name(word)) => Ok(match word.as_str() {
                "true" => json!(true),
                "false" => json!(false),
                "null" => Value::Null,
                _ => json!(word),
            }),
            Some(Token::Mark('[')) => {
                let mut items = Vec::new();
                while !self.take(']') {
                    items.push(self.value()?);
                }
                Ok(Value::from(items))
            }
            Some(Token::Mark('{')) => {
                let mut object = Map::new();
                while !self.take('}') {
                    let key = self.name()?;
                    self.expect(':')?;
                    object.insert(key, self.value()?);
                }
                Ok(Value::Object(object))
            }
            other => Err(format!("Parse error on {other:?}: expected a value")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_with_variables_aliases_and_lists_is_read() {
        let given = json!({ "path": "a/b" });
        let text = "query Q($path: ID!, $n: Int = 5) { # comment\n\
                    p: project(fullPath: $path, list: [A, \"b\", 3], more: {x: true}) { id jobs(first: $n) { nodes { id } } } }";
        let fields = query(text, given.as_object().unwrap()).unwrap();
        assert_eq!(
            (fields[0].alias.as_str(), fields[0].name.as_str()),
            ("p", "project")
        );
        assert_eq!(
            Value::Object(fields[0].arguments.clone()),
            json!({ "fullPath": "a/b", "list": ["A", "b", 3], "more": { "x": true } })
        );
        assert_eq!(fields[0].selection[1].arguments["first"], 5);
    }

    #[test]
    fn what_is_not_implemented_says_so() {
        let none = Map::new();
        assert!(
            query("{ a { ...F } }", &none)
                .unwrap_err()
                .contains("fragments")
        );
        assert!(
            query("mutation { a }", &none)
                .unwrap_err()
                .contains("mutation")
        );
        assert!(
            query("{ a @skip(if: true) }", &none)
                .unwrap_err()
                .contains("directives")
        );
        assert!(query("{ a ", &none).is_err());
        assert!(query("query($x: ID!) { a(x: $x) }", &none).is_err());
    }
}
