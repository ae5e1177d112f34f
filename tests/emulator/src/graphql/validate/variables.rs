//! Variables: declared, used, and of types that fit where they are used.

use std::collections::{BTreeMap, BTreeSet};

use graphql_parser::schema::Type;
use serde_json::json;

use super::{Scope, Usage, Validation, nullable};
use crate::graphql::document::{Operation, Variable};
use crate::graphql::errors::QueryError;
use crate::graphql::schema::{Kind, SCHEMA, TypeRef, named};

/// The fragments that a scope reaches, or the name of one that reaches itself.
pub(super) fn reached<'d>(
    own: &Scope<'d>,
    scopes: &BTreeMap<&'d str, Scope<'d>>,
) -> Result<BTreeSet<&'d str>, &'d str> {
    fn walk<'d>(
        scope: &Scope<'d>,
        scopes: &BTreeMap<&'d str, Scope<'d>>,
        above: &mut Vec<&'d str>,
        found: &mut BTreeSet<&'d str>,
    ) -> Result<(), &'d str> {
        for name in &scope.spreads {
            if above.contains(name) {
                return Err(name);
            }
            found.insert(name);
            if let Some(inner) = scopes.get(name) {
                above.push(name);
                walk(inner, scopes, above, found)?;
                above.pop();
            }
        }
        Ok(())
    }
    let mut found = BTreeSet::new();
    walk(own, scopes, &mut Vec::new(), &mut found)?;
    Ok(found)
}

/// Checks the variables of one operation.
pub(super) fn check<'d>(
    validation: &mut Validation<'d>,
    operation: &Operation<'d>,
    own: &Scope<'d>,
    reached: &BTreeSet<&'d str>,
    scopes: &BTreeMap<&'d str, Scope<'d>>,
) {
    let title = match operation.name {
        Some(name) => name.to_owned(),
        None if operation.mutation => "anonymous mutation".to_owned(),
        None => "anonymous query".to_owned(),
    };
    let mut used = BTreeSet::new();
    let usages: Vec<&Usage<'d>> = own
        .usages
        .iter()
        .chain(
            reached
                .iter()
                .filter_map(|name| scopes.get(name))
                .flat_map(|scope| &scope.usages),
        )
        .collect();
    for variable in operation.variables {
        let name = named(&variable.var_type);
        let input = SCHEMA
            .get(name)
            .is_some_and(|of| matches!(of.kind, Kind::Scalar | Kind::Enum | Kind::Input));
        if !input {
            let text = format!("{name} isn't a defined input type (on ${})", variable.name);
            let extensions = json!({ "code": "variableRequiresValidType", "typeName": name, "variableName": variable.name });
            let error = QueryError::new(text).at(variable.position).unknown();
            validation.error(error, extensions);
        }
    }
    for usage in usages {
        used.insert(usage.variable);
        let declared = operation
            .variables
            .iter()
            .find(|variable| variable.name == usage.variable);
        match declared {
            Some(variable) => fits(validation, variable, usage),
            None => {
                let text = format!(
                    "Variable ${} is used by {title} but not declared",
                    usage.variable
                );
                let extensions =
                    json!({ "code": "variableNotDefined", "variableName": usage.variable });
                let error = QueryError::new(text).at(usage.at).path(&usage.path);
                validation.errors.push(error.extensions(extensions));
            }
        }
    }
    for variable in operation.variables {
        if !used.contains(variable.name.as_str()) {
            let text = format!(
                "Variable ${} is declared by {title} but not used",
                variable.name
            );
            let extensions = json!({ "code": "variableNotUsed", "variableName": variable.name });
            validation.error(QueryError::new(text).at(operation.at), extensions);
        }
    }
}

fn fits(validation: &mut Validation<'_>, variable: &Variable, usage: &Usage<'_>) {
    let (own, expected) = (&variable.var_type, usage.expected);
    let problem = if named(own) != named(expected) {
        "Type mismatch"
    } else if lists(own) != lists(expected) && lists(own) != 0 {
        "List dimension mismatch"
    } else if lists(own) == lists(expected)
        && !allows(
            own,
            expected,
            variable.default_value.is_some() || usage.has_default,
        )
    {
        "Nullability mismatch"
    } else {
        return;
    };
    let text = format!(
        "{problem} on variable ${} and argument {} ({own} / {expected})",
        variable.name, usage.argument
    );
    let extensions = json!({ "code": "variableMismatch", "variableName": variable.name, "typeName": own.to_string(), "argumentName": usage.argument, "errorMessage": problem });
    let error = QueryError::new(text).at(usage.at).path(&usage.path);
    validation.errors.push(error.extensions(extensions));
}

fn lists(of: &TypeRef) -> usize {
    match of {
        Type::NamedType(_) => 0,
        Type::ListType(inner) => 1 + lists(inner),
        Type::NonNullType(inner) => lists(inner),
    }
}

/// May a value of the first type stand where the second is expected?
fn allows(own: &TypeRef, expected: &TypeRef, has_default: bool) -> bool {
    let strict = matches!(expected, Type::NonNullType(_));
    if strict && !matches!(own, Type::NonNullType(_)) && !has_default {
        return false;
    }
    match (nullable(own), nullable(expected)) {
        (Type::ListType(own), Type::ListType(expected)) => allows(own, expected, false),
        _named => true,
    }
}
