//! Reading XML as far as test reports need it: elements, attributes, text, without namespaces.

use roxmltree::{Document, Error, Node, ParsingOptions};

/// An element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Element>,
    /// All text directly inside.
    pub(crate) text: String,
}

impl Element {
    /// The value of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The first child of a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// The root element; the error says where and what is wrong, in the form of the parser that GitLab uses.
pub(crate) fn parse(text: &str) -> Result<Element, String> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options)
        .map(|document| element(document.root_element()))
        .map_err(|error| format!("{}: FATAL: {}", error.pos(), words(&error)))
}

fn element(node: Node<'_, '_>) -> Element {
    let text = node.children().filter(Node::is_text);
    let attributes = node.attributes();
    Element {
        name: node.tag_name().name().to_owned(),
        attributes: attributes
            .map(|attribute| (attribute.name().to_owned(), attribute.value().to_owned()))
            .collect(),
        children: node
            .children()
            .filter(Node::is_element)
            .map(element)
            .collect(),
        text: text.filter_map(|text| text.text()).collect(),
    }
}

/// The usual mistakes as people who look for them know them.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's own enum: it has words for the rest"
)]
fn words(error: &Error) -> String {
    match error {
        Error::NoRootNode => "Document is empty".to_owned(),
        Error::UnexpectedCloseTag(..) => "Opening and ending tag mismatch".to_owned(),
        Error::UnclosedRootNode => "Premature end of data".to_owned(),
        Error::UnknownEntityReference(name, _) => format!("Entity '{name}' not defined"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_attributes_text_and_what_is_skipped() {
        let root = parse(
            "<?xml version='1.0'?><!DOCTYPE a>\n<a one=\"1 &lt; 2\" two='b'><!-- no -->t&#228;<b/><![CDATA[<raw>]]><b>x</b></a>",
        )
        .unwrap();
        assert_eq!(root.attribute("one"), Some("1 < 2"));
        assert_eq!(root.attribute("two"), Some("b"));
        assert_eq!(root.text, "tä<raw>");
        assert_eq!(root.children.len(), 2);
        assert_eq!(root.child("b").unwrap().text, "");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, what) in [
            ("", "Document is empty"),
            ("<a>\n<b></a>", "Opening and ending tag mismatch"),
            ("<a>&odd;</a>", "Entity 'odd' not defined"),
            ("<a>", "Premature end of data"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.ends_with(&format!(": FATAL: {what}")), "{error}");
        }
        assert!(parse("<a>\n<b></a>").unwrap_err().starts_with("2:"));
    }
}
