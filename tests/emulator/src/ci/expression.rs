//! The conditions of `rules:if`: what they mean. Reading them is in `expression/`.

mod lexer;
mod parser;

use serde_json::Value;

use super::pattern::Pattern;

/// A condition that can be evaluated any number of times.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    root: Node,
}

/// The text is not a condition; GitLab says no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidSyntax;

/// What a condition may look up.
pub trait Names {
    /// The value of a variable as it stands, its own references not expanded.
    fn variable(&self, name: &str) -> Option<String>;
    /// The value of an input, for the rules of inputs.
    fn input(&self, name: &str) -> Option<Value>;
}

#[derive(Debug, Clone)]
enum Node {
    Variable(String),
    Input(String),
    Text(String),
    Null,
    Boolean(bool),
    Pattern(Pattern),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Equals(Box<Node>, Box<Node>),
    NotEquals(Box<Node>, Box<Node>),
    Matches(Box<Node>, Box<Node>),
    NotMatches(Box<Node>, Box<Node>),
}

#[derive(Debug, Clone)]
enum Answer {
    Null,
    Boolean(bool),
    Text(String),
    Pattern(Pattern),
    /// Numbers and lists, which only inputs can hold.
    Other(Value),
}

impl Expression {
    /// Reads a condition.
    pub fn parse(text: &str) -> Result<Self, InvalidSyntax> {
        let root = parser::parse(lexer::tokens(text)?)?;
        Ok(Self {
            text: text.to_owned(),
            root,
        })
    }

    /// The condition as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the condition holds: its value is neither null, nor false, nor empty.
    pub fn holds(&self, names: &dyn Names) -> bool {
        self.root.evaluate(names).is_present()
    }

    /// The inputs the condition reads.
    pub fn inputs(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.root.collect_inputs(&mut found);
        found
    }
}

impl Node {
    fn evaluate(&self, names: &dyn Names) -> Answer {
        match self {
            Self::Variable(name) => names.variable(name).map_or(Answer::Null, Answer::Text),
            Self::Input(name) => names.input(name).map_or(Answer::Null, Answer::from),
            Self::Text(text) => Answer::Text(text.clone()),
            Self::Null => Answer::Null,
            Self::Boolean(value) => Answer::Boolean(*value),
            Self::Pattern(pattern) => Answer::Pattern(pattern.clone()),
            // An empty text counts as true inside `&&` and `||`, and as false at the end: GitLab is written in Ruby.
            Self::And(left, right) => {
                let left = left.evaluate(names);
                if left.is_truthy() {
                    right.evaluate(names)
                } else {
                    left
                }
            }
            Self::Or(left, right) => {
                let left = left.evaluate(names);
                if left.is_truthy() {
                    left
                } else {
                    right.evaluate(names)
                }
            }
            Self::Not(operand) => Answer::Boolean(!operand.evaluate(names).is_present()),
            Self::Equals(left, right) => {
                Answer::Boolean(left.evaluate(names).equals(&right.evaluate(names)))
            }
            Self::NotEquals(left, right) => {
                Answer::Boolean(!left.evaluate(names).equals(&right.evaluate(names)))
            }
            Self::Matches(left, right) => Answer::Boolean(
                left.evaluate(names)
                    .matches(&right.evaluate(names))
                    .unwrap_or(false),
            ),
            Self::NotMatches(left, right) => Answer::Boolean(
                !left
                    .evaluate(names)
                    .matches(&right.evaluate(names))
                    .unwrap_or(false),
            ),
        }
    }

    fn collect_inputs<'a>(&'a self, found: &mut Vec<&'a str>) {
        match self {
            Self::Input(name) => {
                if !found.contains(&name.as_str()) {
                    found.push(name);
                }
            }
            Self::Variable(_)
            | Self::Text(_)
            | Self::Null
            | Self::Boolean(_)
            | Self::Pattern(_) => {}
            Self::Not(operand) => operand.collect_inputs(found),
            Self::And(left, right)
            | Self::Or(left, right)
            | Self::Equals(left, right)
            | Self::NotEquals(left, right)
            | Self::Matches(left, right)
            | Self::NotMatches(left, right) => {
                left.collect_inputs(found);
                right.collect_inputs(found);
            }
        }
    }
}

impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Boolean(value),
            Value::String(text) => Self::Text(text),
            Value::Number(_) | Value::Array(_) | Value::Object(_) => Self::Other(value),
        }
    }
}

impl Answer {
    fn is_truthy(&self) -> bool {
        match self {
            Self::Null | Self::Boolean(false) => false,
            Self::Boolean(true) | Self::Text(_) | Self::Pattern(_) | Self::Other(_) => true,
        }
    }

    fn is_present(&self) -> bool {
        match self {
            Self::Null | Self::Boolean(false) => false,
            Self::Text(text) => !text.trim().is_empty(),
            Self::Other(value) => !super::tree::is_blank(value),
            Self::Boolean(true) | Self::Pattern(_) => true,
        }
    }

    fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Boolean(a), Self::Boolean(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Boolean(value), Self::Text(text)) | (Self::Text(text), Self::Boolean(value)) => {
                value.to_string() == *text
            }
            (Self::Pattern(a), Self::Pattern(b)) => a.source() == b.source(),
            (Self::Other(a), Self::Other(b)) => a == b,
            (
                Self::Null | Self::Boolean(_) | Self::Text(_) | Self::Pattern(_) | Self::Other(_),
                _,
            ) => false,
        }
    }

    /// `None`: there is nothing to match against.
    fn matches(&self, pattern: &Self) -> Option<bool> {
        let text = match self {
            Self::Text(text) => text.clone(),
            Self::Boolean(value) => value.to_string(),
            Self::Other(value) => value.to_string(),
            Self::Null | Self::Pattern(_) => String::new(),
        };
        match pattern {
            Self::Pattern(pattern) => Some(pattern.is_match(&text)),
            // A variable may hold the pattern; one without slashes is searched for the text, not the other way round.
            Self::Text(held) => Some(match Pattern::parse(&held.replace("\\/", "/")) {
                Some(pattern) => pattern.is_match(&text),
                None => held.contains(&text),
            }),
            Self::Null | Self::Boolean(_) | Self::Other(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Given(&'static [(&'static str, &'static str)]);

    impl Names for Given {
        fn variable(&self, name: &str) -> Option<String> {
            self.0
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        }

        fn input(&self, name: &str) -> Option<Value> {
            (name == "count").then(|| 3.into())
        }
    }

    const GIVEN: Given = Given(&[
        ("BRANCH", "main"),
        ("TITLE", "Draft: feature/one"),
        ("EMPTY", ""),
        ("PATTERN", "/^ma.n$/"),
        ("INSENSITIVE", "/^MAIN$/i"),
        ("PLAIN", "the main thing"),
        ("YES", "true"),
        ("SLASHED", "/feature\\/one/"),
    ]);

    #[test]
    fn conditions_mean_what_they_mean_in_gitlab() {
        let cases = [
            ("$BRANCH", true),
            ("$MISSING", false),
            ("$EMPTY", false),
            ("!$EMPTY", true),
            ("$EMPTY == null", false),
            ("$EMPTY == \"\"", true),
            ("$MISSING == null", true),
            ("$MISSING == \"\"", false),
            ("$BRANCH == 'main'", true),
            ("$BRANCH != \"main\"", false),
            ("$BRANCH == $BRANCH", true),
            ("\"main\" == $BRANCH", true),
            ("$TITLE =~ /^draft/i", true),
            ("$TITLE =~ /^draft/", false),
            ("$TITLE !~ /^draft/", true),
            ("$TITLE =~ /feature\\/one/", true),
            ("$TITLE =~ $SLASHED", true),
            ("$BRANCH =~ $PATTERN", true),
            ("$BRANCH =~ $INSENSITIVE", true),
            ("$BRANCH =~ $PLAIN", true),
            ("$BRANCH =~ $MISSING", false),
            ("$BRANCH !~ $MISSING", true),
            ("$MISSING =~ /xy/", false),
            ("$MISSING !~ /xy/", true),
            ("$BRANCH && $MISSING", false),
            ("$BRANCH || $MISSING", true),
            ("$EMPTY && $BRANCH", true),
            ("$EMPTY || $BRANCH", false),
            ("$MISSING && $MISSING || $BRANCH", true),
            ("$BRANCH || $MISSING && $MISSING", true),
            ("($BRANCH || $MISSING) && $MISSING", false),
            (
                "$BRANCH == \"main\" && ($MISSING || $TITLE =~ /Draft/)",
                true,
            ),
            ("!($BRANCH == 'main')", false),
            ("$YES == true", true),
            ("$YES == false", false),
            ("$[[ inputs.count ]]", true),
            ("$[[ inputs.other ]]", false),
            ("null", false),
            ("true", true),
        ];
        for (text, expected) in cases {
            let expression = Expression::parse(text).unwrap_or_else(|_| panic!("{text} is valid"));
            assert_eq!(expression.holds(&GIVEN), expected, "{text}");
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "",
            "   ",
            "$A ==",
            "== $A",
            "$A $B",
            "$A = 'x'",
            "($A",
            "$A)",
            "$A =~ /(/ ",
            // GitLab wants two characters between the slashes.
            "$A =~ /x/",
            "$A =~ /(?=x)yz/",
            "name == 'x'",
            "$A & $B",
            "!",
        ] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_condition_has_at_most_a_hundred_tokens() {
        let long = |terms: usize| vec!["$A"; terms].join(" || ");
        assert!(Expression::parse(&long(50)).is_ok());
        assert!(Expression::parse(&long(51)).is_err());
    }

    #[test]
    fn the_inputs_of_a_condition_are_known() {
        let expression =
            Expression::parse("$[[ inputs.a ]] == 'x' && !$[[inputs.b-c]] || $[[ inputs.a ]]")
                .expect("valid");
        assert_eq!(expression.inputs(), ["a", "b-c"]);
    }
}
