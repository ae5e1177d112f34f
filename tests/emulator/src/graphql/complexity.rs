//! What a query costs before it is executed, by GitLab's rules, and how deep it is.

use std::collections::{BTreeMap, BTreeSet};

use graphql_parser::query::{Selection as Item, TypeCondition};
use serde_json::{Map, Value};

use super::coerce;
use super::document::{Fragments, Operation, Selection};
use super::execute::{definition, is_wanted};
use super::pages::MAX_PAGE;
use super::schema::{FieldDef, Kind, SCHEMA, TypeDef, named};

/// The arguments every connection has.
const PAGING: &[&str] = &["first", "last", "after", "before"];

/// A measurement of one operation.
pub(super) struct Measure<'m> {
    pub(super) fragments: &'m Fragments<'m>,
    pub(super) variables: &'m Map<String, Value>,
}

impl Measure<'_> {
    /// The complexity of an operation.
    pub(super) fn complexity(&self, operation: &Operation<'_>) -> u64 {
        SCHEMA
            .get(operation.root())
            .map_or(0, |of| self.cost(of, operation.selection))
    }

    /// How deep fields are nested in an operation.
    pub(super) fn depth(&self, selection: &Selection) -> u64 {
        let inside = |item: &Item<'static, String>| match item {
            Item::Field(field) if !is_wanted(&field.directives, self.variables) => 0,
            Item::Field(field) => 1 + self.depth(&field.selection_set),
            Item::InlineFragment(fragment) => self.depth(&fragment.selection_set),
            Item::FragmentSpread(spread) => self
                .fragments
                .get(spread.fragment_name.as_str())
                .map_or(0, |fragment| self.depth(&fragment.selection_set)),
        };
        selection.items.iter().map(inside).max().unwrap_or(0)
    }

    /// The dearest of the object types that a selection may meet.
    fn cost(&self, of: &'static TypeDef, selection: &Selection) -> u64 {
        let types: Vec<&'static TypeDef> = if of.kind == Kind::Object {
            vec![of]
        } else {
            of.possible
                .iter()
                .filter_map(|name| SCHEMA.get(name))
                .collect()
        };
        types
            .into_iter()
            .map(|of| {
                let (mut seen, mut costs) = (BTreeSet::new(), BTreeMap::new());
                self.fields(of, selection, &mut seen, &mut costs);
                costs.values().sum()
            })
            .max()
            .unwrap_or(0)
    }

    fn fields<'s>(
        &'s self,
        of: &'static TypeDef,
        selection: &'s Selection,
        seen: &mut BTreeSet<&'s str>,
        costs: &mut BTreeMap<&'s str, u64>,
    ) {
        for item in &selection.items {
            match item {
                Item::Field(field) => {
                    if !is_wanted(&field.directives, self.variables) {
                        continue;
                    }
                    let key = field.alias.as_deref().unwrap_or(&field.name);
                    let cost = match definition(of, &field.name) {
                        Some(known) => {
                            let args =
                                coerce::arguments(&field.arguments, &known.inputs, self.variables);
                            let children = SCHEMA
                                .get(named(&known.of))
                                .map_or(0, |of| self.cost(of, &field.selection_set));
                            of_field(known, &args, children)
                        }
                        None => 1,
                    };
                    let most = costs.entry(key).or_default();
                    *most = cost.max(*most);
                }
                Item::InlineFragment(fragment) => {
                    let fits = fragment
                        .type_condition
                        .as_ref()
                        .is_none_or(|TypeCondition::On(on)| SCHEMA.covers(on, &of.name));
                    if fits && is_wanted(&fragment.directives, self.variables) {
                        self.fields(of, &fragment.selection_set, seen, costs);
                    }
                }
                Item::FragmentSpread(spread) => {
                    let Some(fragment) = self.fragments.get(spread.fragment_name.as_str()) else {
                        continue;
                    };
                    let TypeCondition::On(on) = &fragment.type_condition;
                    if SCHEMA.covers(on, &of.name)
                        && is_wanted(&spread.directives, self.variables)
                        && seen.insert(&spread.fragment_name)
                    {
                        self.fields(of, &fragment.selection_set, seen, costs);
                    }
                }
            }
        }
    }
}

/// GitLab charges one for a field, more for a sort, a search and the git server, and one percent of it all per item of a page
/// whose field has a resolver of its own.
fn of_field(field: &FieldDef, args: &Map<String, Value>, children: u64) -> u64 {
    let given = |name: &str| args.get(name).is_some_and(|value| !value.is_null());
    let mut cost = children + 1 + u64::from(field.gitaly);
    cost += u64::from(given("sort")) + if given("search") { 5 } else { 0 };
    let resolver = field
        .inputs
        .iter()
        .any(|input| !PAGING.contains(&input.name.as_str()));
    if !field.is_connection() || !resolver || given("iid") || given("iids") {
        return cost;
    }
    let size = |name: &str| args.get(name).and_then(Value::as_u64);
    let most = u64::try_from(MAX_PAGE).unwrap_or(100);
    let limit = [size("first"), size("last"), Some(most)];
    let limit = limit.into_iter().flatten().min().unwrap_or(most);
    cost + cost * limit / 100
}
