//! The text of a query: its operations and fragments, and errors of its grammar.

use std::collections::BTreeMap;

use graphql_parser::Pos;
use graphql_parser::query::{
    self, Definition, FragmentDefinition, OperationDefinition, SelectionSet, VariableDefinition,
    parse_query,
};

use super::errors::QueryError;

/// A parsed text.
pub(super) type Document = query::Document<'static, String>;
/// The fields somebody asks for.
pub(super) type Selection = SelectionSet<'static, String>;
/// One field somebody asks for.
pub(super) type Asked = query::Field<'static, String>;
/// A variable of an operation.
pub(super) type Variable = VariableDefinition<'static, String>;
/// Fragments by name.
pub(super) type Fragments<'d> = BTreeMap<&'d str, &'d FragmentDefinition<'static, String>>;

/// A query or mutation of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation<'d> {
    pub(super) mutation: bool,
    pub(super) name: Option<&'d str>,
    pub(super) variables: &'d [Variable],
    pub(super) selection: &'d Selection,
    pub(super) at: Pos,
}

impl Operation<'_> {
    /// The type it starts from.
    pub(super) fn root(&self) -> &'static str {
        if self.mutation { "Mutation" } else { "Query" }
    }

    /// The first element of the path of errors.
    pub(super) fn title(&self) -> String {
        let kind = if self.mutation { "mutation" } else { "query" };
        match self.name {
            Some(name) => format!("{kind} {name}"),
            None => kind.to_owned(),
        }
    }
}

/// Reads a text.
pub(super) fn parse(text: &str) -> Result<Document, QueryError> {
    if text.trim().is_empty() {
        return Err(QueryError::new("No query string was present"));
    }
    match parse_query::<String>(text) {
        Ok(document) => Ok(document.into_static()),
        Err(error) => Err(grammar_error(&error.to_string())),
    }
}

/// The operations of a text.
pub(super) fn operations(document: &Document) -> Result<Vec<Operation<'_>>, QueryError> {
    let mut all = Vec::new();
    for definition in &document.definitions {
        let Definition::Operation(operation) = definition else {
            continue;
        };
        all.push(match operation {
            OperationDefinition::SelectionSet(selection) => Operation {
                mutation: false,
                name: None,
                variables: &[],
                selection,
                at: selection.span.0,
            },
            OperationDefinition::Query(query) => Operation {
                mutation: false,
                name: query.name.as_deref(),
                variables: &query.variable_definitions,
                selection: &query.selection_set,
                at: query.position,
            },
            OperationDefinition::Mutation(mutation) => Operation {
                mutation: true,
                name: mutation.name.as_deref(),
                variables: &mutation.variable_definitions,
                selection: &mutation.selection_set,
                at: mutation.position,
            },
            OperationDefinition::Subscription(subscription) => {
                let text = "Schema is not configured for subscriptions";
                return Err(QueryError::new(text).at(subscription.position).unknown());
            }
        });
    }
    Ok(all)
}

/// The fragments of a text.
pub(super) fn fragments(document: &Document) -> Fragments<'_> {
    let fragment = |definition: &'_ Definition<'static, String>| match definition {
        Definition::Fragment(_) => true,
        Definition::Operation(_) => false,
    };
    document
        .definitions
        .iter()
        .filter(|definition| fragment(definition))
        .filter_map(|definition| match definition {
            Definition::Fragment(fragment) => Some((fragment.name.as_str(), fragment)),
            Definition::Operation(_) => None,
        })
        .collect()
}

/// The operation that is to be executed.
pub(super) fn chosen<'d>(
    operations: &[Operation<'d>],
    name: Option<&str>,
) -> Result<Operation<'d>, QueryError> {
    match (operations, name) {
        ([], _) => Err(QueryError::new("No operation was found to execute")),
        ([only], None) => Ok(*only),
        (_, None) => Err(QueryError::new("An operation name is required")),
        (all, Some(name)) => all
            .iter()
            .find(|operation| operation.name == Some(name))
            .copied()
            .ok_or_else(|| QueryError::new(format!("No operation named \"{name}\""))),
    }
}

/// The parser's words in the form of graphql-ruby's.
fn grammar_error(text: &str) -> QueryError {
    let line = |start: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(start))
            .map(str::trim)
    };
    let place = text.split_once(" at ").map_or("", |(_, rest)| rest);
    let place = place.lines().next().unwrap_or_default();
    let (row, column) = place.split_once(':').unwrap_or(("1", "1"));
    let at = Pos {
        line: row.trim().parse().unwrap_or(1),
        column: column.trim().parse().unwrap_or(1),
    };
    let unexpected = line("Unexpected").unwrap_or_default();
    if unexpected.contains("end of input") {
        return QueryError::new("Unexpected end of document").at(at);
    }
    let actual = unexpected
        .split_once('[')
        .map_or(unexpected, |(_, token)| token.trim_end_matches(']'));
    let actual = actual.trim_matches('`');
    let expected = line("Expected").unwrap_or("a definition");
    QueryError::new(format!(
        "Expected {expected}, actual: {actual} at [{}, {}]",
        at.line, at.column
    ))
    .at(at)
}
