//! Where the parts of a query stand, as far as the parser does not tell.

use graphql_parser::Pos;

/// Where an argument stands behind its field.
pub(super) fn argument_place(text: &str, field: Pos, argument: &str) -> Pos {
    let lines = text.lines().enumerate().skip(field.line - 1);
    for (at, line) in lines {
        let skip = if at + 1 == field.line {
            field.column - 1
        } else {
            0
        };
        let Some(rest) = line.get(skip..) else {
            continue;
        };
        for (found, _) in rest.match_indices(argument) {
            let before = rest[..found].chars().next_back();
            let after = rest[found + argument.len()..].trim_start();
            if after.starts_with(':') && !before.is_some_and(char::is_alphanumeric) {
                return Pos {
                    line: at + 1,
                    column: skip + found + 1,
                };
            }
        }
    }
    field
}
