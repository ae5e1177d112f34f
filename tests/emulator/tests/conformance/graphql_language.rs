//! The language of GraphQL: fragments, variables, directives, several queries at once, limits and errors.

use serde_json::{Value, json};

use crate::client::send;
use crate::graphql::ask;
use crate::shop::Shop;

fn raw(shop: &Shop, method: &str, path: &str, kind: &str, body: &str) -> (u16, Value) {
    let root = shop.root();
    let token = root.token.clone().unwrap();
    let headers = [("content-type", kind), ("private-token", token.as_str())];
    let reply = send(&root.url, method, path, &headers, body.as_bytes()).unwrap();
    (reply.status, reply.json())
}

fn first_error(shop: &Shop, query: &str, variables: Value) -> Value {
    let answer = ask(shop.root(), query, variables);
    assert!(answer.get("data").is_none(), "{answer}");
    answer["errors"][0].clone()
}

#[test]
fn fragments_variables_defaults_directives_and_aliases_are_understood() {
    let shop = Shop::new();
    shop.merge_request();
    let query = "
query Q($path: ID!, $more: Boolean = false, $first: Int = 1) {
  project(fullPath: $path) {
    ...Names
    __typename
    requests: mergeRequests(first: $first) {
      nodes { author { __typename username ... on User { name } ... on MergeRequestAuthor { mergeRequestInteraction { canMerge } } } }
    }
    description @include(if: $more)
    visibility @skip(if: $more)
  }
}
fragment Names on Project { path ...Full }
fragment Full on Project { fullPath }";
    let answer = ask(shop.root(), query, json!({ "path": "root/shop" }));
    assert_eq!(
        answer,
        json!({ "data": { "project": {
            "__typename": "Project", "path": "shop", "fullPath": "root/shop", "visibility": "private",
            "requests": { "nodes": [{ "author": {
                "__typename": "MergeRequestAuthor", "username": "root", "name": "Administrator",
                "mergeRequestInteraction": { "canMerge": true },
            } }] },
        } } })
    );
    let more = ask(
        shop.root(),
        query,
        json!({ "path": "root/shop", "more": true }),
    );
    let project = more["data"]["project"].as_object().unwrap();
    assert!(project.contains_key("description") && !project.contains_key("visibility"));
}

#[test]
fn queries_come_as_lists_forms_and_addresses_too() {
    let shop = Shop::new();
    let json_type = "application/json";
    let list = json!([
        { "query": "{ echo(text: \"a\") }" },
        { "query": "query A { a: echo(text: \"x\") } query B($t: String!) { b: echo(text: $t) }", "operationName": "B", "variables": { "t": "b" } },
    ]);
    let (status, answers) = raw(&shop, "POST", "/api/graphql", json_type, &list.to_string());
    assert_eq!(status, 200);
    assert_eq!(
        answers,
        json!([{ "data": { "echo": "\"root\" says: a" } }, { "data": { "b": "\"root\" says: b" } }])
    );
    let form =
        "query=query(%24t%3AString!)%7Becho(text%3A%24t)%7D&variables=%7B%22t%22%3A%22f%22%7D";
    let urlencoded = "application/x-www-form-urlencoded";
    let (_, answer) = raw(&shop, "POST", "/api/graphql", urlencoded, form);
    assert_eq!(answer["data"]["echo"], "\"root\" says: f");
    let (_, answer) = raw(&shop, "GET", &format!("/api/graphql?{form}"), json_type, "");
    assert_eq!(answer["data"]["echo"], "\"root\" says: f");
    let mutation = "/api/graphql?query=mutation%7BechoCreate(input:%7B%7D)%7Berrors%7D%7D";
    let (status, answer) = raw(&shop, "GET", mutation, json_type, "");
    let text = "Mutations are forbidden in GET requests";
    assert_eq!(
        (status, &answer["errors"][0]["message"]),
        (422, &json!(text))
    );
    let long = json!({ "query": format!("#{}", "x".repeat(10_000)) });
    let (status, answer) = raw(&shop, "POST", "/api/graphql", json_type, &long.to_string());
    assert_eq!(
        (status, &answer["errors"][0]["message"]),
        (422, &json!("Query too large"))
    );
}

#[test]
fn wrong_queries_are_refused_with_codes_and_places() {
    let shop = Shop::new();
    let code = |query: &str| {
        let error = first_error(&shop, query, json!({}));
        (
            error["message"].as_str().unwrap().to_owned(),
            error["extensions"]["code"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let pairs = [
        (
            "{ project { id } }",
            "Field 'project' is missing required arguments: fullPath",
            "missingRequiredArguments",
        ),
        (
            "{ currentUser }",
            "Field must have selections (field 'currentUser' returns CurrentUser but has no selections. Did you mean 'currentUser { ... }'?)",
            "selectionMismatch",
        ),
        (
            "{ currentUser { username { x } } }",
            "Selections can't be made on scalars (field 'username' returns String but has selections [\"x\"])",
            "selectionMismatch",
        ),
        (
            "{ ...F }",
            "Fragment F was used, but not defined",
            "useAndDefineFragment",
        ),
        (
            "{ __typename } fragment F on User { id }",
            "Fragment F was defined, but not used",
            "useAndDefineFragment",
        ),
        (
            "{ ...F } fragment F on Query { ...F }",
            "Fragment F contains an infinite loop",
            "infiniteLoop",
        ),
        (
            "{ ... on Nope { id } }",
            "No such type Nope, so it can't be a fragment condition",
            "undefinedType",
        ),
        (
            "{ currentUser { ... on Project { id } } }",
            "Fragment on Project can't be spread inside CurrentUser",
            "cannotSpreadFragment",
        ),
        (
            "query Q($a: Int) { __typename }",
            "Variable $a is declared by Q but not used",
            "variableNotUsed",
        ),
        (
            "{ echo(text: $a) }",
            "Variable $a is used by anonymous query but not declared",
            "variableNotDefined",
        ),
        (
            "query($a: ID) { project(fullPath: $a) { id } }",
            "Nullability mismatch on variable $a and argument fullPath (ID / ID!)",
            "variableMismatch",
        ),
        (
            "query($a: Int!) { echo(text: $a) }",
            "Type mismatch on variable $a and argument text (Int! / String!)",
            "variableMismatch",
        ),
        (
            "{ echo(text: 1) }",
            "Argument 'text' on Field 'echo' has an invalid value (1). Expected type 'String!'.",
            "argumentLiteralsIncompatible",
        ),
        (
            "{ echo(text: \"a\") @foo }",
            "Directive @foo is not defined",
            "undefinedDirective",
        ),
        (
            "{ a: echo(text: \"a\") a: currentUser { id } }",
            "Field 'a' has a field conflict: echo or currentUser?",
            "fieldConflict",
        ),
        ("{ currentUser {", "Unexpected end of document", ""),
        ("", "No query string was present", ""),
        (
            "query A { __typename } query B { __typename }",
            "An operation name is required",
            "",
        ),
    ];
    for (query, message, wanted) in pairs {
        assert_eq!(
            code(query),
            (message.to_owned(), wanted.to_owned()),
            "{query}"
        );
    }
    let error = first_error(
        &shop,
        "query($p: ID!) { project(fullPath: $p) { id } }",
        json!({}),
    );
    assert_eq!(
        error,
        json!({
            "message": "Variable $p of type ID! was provided invalid value",
            "locations": [{ "line": 1, "column": 7 }],
            "extensions": { "value": null, "problems": [{ "path": [], "explanation": "Expected value to not be null" }] },
        })
    );
    assert!(shop.world.emulator.unknown_requests().len() < 4);
}

#[test]
fn pages_have_cursors_and_at_most_a_hundred_items() {
    let shop = Shop::new();
    for number in 0..3 {
        shop.issue(&format!("issue {number}"));
    }
    let query = "query($after: String, $before: String, $first: Int, $last: Int) { project(fullPath: \"root/shop\") {
        issues(sort: CREATED_ASC, after: $after, before: $before, first: $first, last: $last) {
            count nodes { iid } edges { cursor node { iid } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";
    let page = |variables: Value| {
        let answer = ask(shop.root(), query, variables);
        answer["data"]["project"]["issues"].clone()
    };
    let numbers = |page: &Value| -> Vec<String> {
        let nodes = page["nodes"].as_array().unwrap().iter();
        nodes
            .map(|node| node["iid"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = page(json!({ "first": 2 }));
    assert_eq!(numbers(&first), ["1", "2"]);
    assert_eq!(first["count"], 3);
    let end = &first["pageInfo"]["endCursor"];
    assert_eq!(end, &first["edges"][1]["cursor"]);
    assert_eq!(
        (
            &first["pageInfo"]["hasNextPage"],
            &first["pageInfo"]["hasPreviousPage"]
        ),
        (&json!(true), &json!(false))
    );
    let second = page(json!({ "first": 2, "after": end }));
    assert_eq!(numbers(&second), ["3"]);
    assert_eq!(second["pageInfo"]["hasNextPage"], false);
    assert_eq!(numbers(&page(json!({ "last": 1 }))), ["3"]);
    assert_eq!(numbers(&page(json!({ "last": 1, "before": end }))), ["1"]);
    let odd = ask(shop.root(), query, json!({ "after": "?" }));
    assert_eq!(odd["errors"][0]["message"], "Please provide a valid cursor");
    assert_eq!(odd["data"]["project"]["issues"], Value::Null);
    let both = ask(shop.root(), query, json!({ "first": 1, "last": 1 }));
    let text = "Can only provide either `first` or `last`, not both";
    assert_eq!(both["errors"][0]["message"], text);
}

#[test]
fn what_costs_too_much_or_is_too_deep_is_refused() {
    let shop = Shop::new();
    let member = shop.world.member(shop.project, "dev", 30).1;
    let cost = ask(
        &member,
        "{ queryComplexity { score limit } currentUser { id } }",
        json!({}),
    );
    assert_eq!(
        cost["data"]["queryComplexity"],
        json!({ "score": 5, "limit": 250 })
    );
    let fields: Vec<String> = (0..130)
        .map(|number| format!("f{number}: currentUser {{ id }}"))
        .collect();
    let error = ask(&member, &format!("{{ {} }}", fields.join(" ")), json!({}));
    assert_eq!(
        error,
        json!({ "errors": [{ "message": "Query has complexity of 260, which exceeds max complexity of 250" }] })
    );
    let nested = "parent { ".repeat(20);
    let deep = format!(
        "{{ group(fullPath: \"x\") {{ {nested} id {} }} }}",
        "}".repeat(20)
    );
    let error = ask(&member, &deep, json!({}));
    assert_eq!(
        error["errors"][0]["message"],
        "Query has depth of 22, which exceeds max depth of 20"
    );
    let stranger = ask(
        &shop.world.anonymous(),
        "{ queryComplexity { limit } }",
        json!({}),
    );
    assert_eq!(stranger["data"]["queryComplexity"]["limit"], 200);
}
