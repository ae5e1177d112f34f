//! What fields are answered from and with: the objects of the schema, the call of a field and what comes out of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::internal::Rest;
use super::pages::Page;
use super::schema::{FieldDef, InputDef, TypeRef};
use crate::auth::Caller;
use crate::message::Request;
use crate::shared::{Shared, StateGuard};

/// What GitLab says about whatever the caller may not see or do.
pub(super) const NO_ACCESS: &str = "The resource that you are attempting to access does not exist or you don't have permission to perform this action";

/// The surroundings of a query.
pub(super) struct World<'a> {
    pub(super) shared: &'a Shared,
    pub(super) request: &'a Request,
    pub(super) caller: &'a Caller,
    /// What the query costs and may cost.
    pub(super) complexity: (u64, u64),
    /// Answers of the REST handlers that were asked already, until something changes.
    pub(super) known: RefCell<BTreeMap<String, Rc<Value>>>,
}

/// An object of the schema.
#[derive(Debug, Clone)]
pub(super) enum Object {
    Root,
    /// A user, perhaps as one who takes part in a merge request.
    User(u64, Option<u64>),
    Project(u64),
    Group(u64),
    Namespace(u64),
    /// The namespace that a project is, by the id of the project.
    ProjectNamespace(u64),
    MergeRequest(u64),
    Issue(u64),
    WorkItem(u64),
    Note(u64),
    /// A thread, by its id and any of its notes.
    Discussion(String),
    Label(u64),
    Milestone(u64),
    Pipeline(u64),
    Job(u64),
    Stage {
        pipeline: u64,
        name: String,
    },
    Release(u64),
    Environment(u64),
    Schedule(u64),
    Repository(u64),
    Runner(u64),
    /// A commit of a project, as the REST API writes it.
    Commit(u64, Rc<Value>),
    /// Plain data, with the name of its type.
    Record(&'static str, Rc<BTreeMap<String, Found>>),
    Page(Rc<Page>),
    Edge(Rc<Self>, usize),
    /// Introspection.
    Type(&'static TypeRef),
    NamedType(&'static str),
    Field(&'static FieldDef),
    Input(&'static InputDef),
}

impl Object {
    /// The name of its type, where the schema leaves it open.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Root => "Query",
            Self::User(..) => "UserCore",
            Self::Project(_) => "Project",
            Self::Group(_) => "Group",
            Self::Namespace(_) | Self::ProjectNamespace(_) => "Namespace",
            Self::MergeRequest(_) => "MergeRequest",
            Self::Issue(_) => "Issue",
            Self::WorkItem(_) => "WorkItem",
            Self::Note(_) => "Note",
            Self::Discussion(_) => "Discussion",
            Self::Label(_) => "Label",
            Self::Milestone(_) => "Milestone",
            Self::Pipeline(_) => "Pipeline",
            Self::Job(_) => "CiJob",
            Self::Stage { .. } => "CiStage",
            Self::Release(_) => "Release",
            Self::Environment(_) => "Environment",
            Self::Schedule(_) => "PipelineSchedule",
            Self::Repository(_) => "Repository",
            Self::Runner(_) => "CiRunner",
            Self::Commit(..) => "Commit",
            Self::Record(name, _) => name,
            Self::Page(_) => "Connection",
            Self::Edge(..) => "Edge",
            Self::Type(_) | Self::NamedType(_) => "__Type",
            Self::Field(_) => "__Field",
            Self::Input(_) => "__InputValue",
        }
    }
}

/// What a field holds.
#[derive(Debug, Clone)]
pub(super) enum Found {
    Value(Value),
    One(Object),
    Many(Vec<Object>),
}

impl Found {
    /// The same with a text turned into something else.
    pub(super) fn on_text(self, change: impl FnOnce(&str) -> Self) -> Self {
        if let Self::Value(Value::String(text)) = &self {
            return change(text);
        }
        self
    }
}

/// Nothing there.
pub(super) const NOTHING: Found = Found::Value(Value::Null);

/// An error of one field.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) message: String,
    /// Set when the emulator lacks what was asked for.
    pub(super) unknown: Option<String>,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            unknown: None,
        }
    }

    /// The caller may not, or it is not there.
    pub(super) fn no_access() -> Self {
        Self::new(NO_ACCESS)
    }

    /// Something GitLab has and the emulator has not.
    pub(super) fn lacking(what: impl Into<String>) -> Self {
        let what = what.into();
        Self {
            message: format!("sandbox: {what} is not implemented"),
            unknown: Some(format!("GraphQL: {what}")),
        }
    }
}

/// What comes out of a field.
pub(super) type Outcome = Result<Found, Problem>;

/// The call of a field.
pub(super) struct Call<'a> {
    pub(super) world: &'a World<'a>,
    pub(super) object: &'a Object,
    pub(super) field: &'static str,
    pub(super) args: &'a Map<String, Value>,
}

impl<'a> Call<'a> {
    /// Locks the state.
    pub(super) fn state(&self) -> StateGuard<'a> {
        self.world.shared.state()
    }

    /// The address of the emulator.
    pub(super) fn url(&self) -> &'a str {
        &self.world.shared.url
    }

    /// The acting user.
    pub(super) fn user(&self) -> Option<u64> {
        self.world.caller.user()
    }

    /// Asks the handlers of the REST API.
    pub(super) fn rest(&self) -> Rest<'a> {
        Rest::new(self.world)
    }

    /// An argument; null counts as absent.
    pub(super) fn arg(&self, name: &str) -> Option<&'a Value> {
        self.args.get(name).filter(|value| !value.is_null())
    }

    /// A text argument.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.arg(name)?.as_str()
    }

    /// A boolean argument.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.arg(name)?.as_bool()
    }

    /// A list of texts.
    pub(super) fn texts(&self, name: &str) -> Option<Vec<&'a str>> {
        let items = self.arg(name)?.as_array()?;
        Some(items.iter().filter_map(Value::as_str).collect())
    }

    /// The number in a global id of one of these classes.
    pub(super) fn gid(&self, name: &str, classes: &[&str]) -> Result<Option<u64>, Problem> {
        self.text(name)
            .map(|text| number_of(text, classes))
            .transpose()
    }
}

/// The number in a global id of one of these classes; a plain number is taken too, as GitLab does for older clients.
pub(super) fn number_of(text: &str, classes: &[&str]) -> Result<u64, Problem> {
    let rest = text.strip_prefix("gid://gitlab/");
    let found = rest.and_then(|rest| rest.rsplit_once('/'));
    let Some((class, id)) = found else {
        return Err(Problem::new(format!("{text} is not a valid GitLab ID.")));
    };
    match id.parse() {
        Ok(id) if classes.contains(&class) => Ok(id),
        Ok(_) | Err(_) => Err(Problem::new(format!(
            "\"{text}\" does not represent an instance of {}",
            classes.join(", ")
        ))),
    }
}

/// Answers the fields of types that hold plain data.
pub(super) fn recorded(call: &Call<'_>) -> Outcome {
    if let Object::Page(page) = call.object {
        return page.field(call.field);
    }
    if let Object::Edge(node, place) = call.object {
        return Ok(match call.field {
            "node" => Found::One((**node).clone()),
            _cursor => value(super::pages::cursor(*place)),
        });
    }
    let Object::Record(_, fields) = call.object else {
        return Err(Problem::lacking(format!(
            "{}.{}",
            call.object.type_name(),
            call.field
        )));
    };
    let found = fields.get(call.field).cloned();
    found.ok_or_else(|| Problem::lacking(format!("{}.{}", call.object.type_name(), call.field)))
}

/// Plain data of a type.
pub(super) fn record(name: &'static str, data: Value) -> Record {
    let fields = match data {
        Value::Object(data) => data
            .into_iter()
            .map(|(name, value)| (name, Found::Value(value)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            BTreeMap::new()
        }
    };
    Record { name, fields }
}

/// Plain data in the making.
pub(super) struct Record {
    name: &'static str,
    fields: BTreeMap<String, Found>,
}

impl Record {
    /// One more field.
    pub(super) fn with(mut self, name: &str, found: Found) -> Self {
        self.fields.insert(name.to_owned(), found);
        self
    }

    /// The finished object.
    pub(super) fn object(self) -> Object {
        Object::Record(self.name, Rc::new(self.fields))
    }

    /// The finished object as what a field holds.
    pub(super) fn found(self) -> Found {
        Found::One(self.object())
    }
}

/// A plain value.
pub(super) fn value(value: impl Into<Value>) -> Found {
    Found::Value(value.into())
}

/// An object, if there.
pub(super) fn one(object: Option<Object>) -> Found {
    object.map_or(NOTHING, Found::One)
}

/// A user.
pub(super) fn user(id: u64) -> Object {
    Object::User(id, None)
}

/// `gid://gitlab/Class/1`.
pub(super) fn gid(class: &str, id: u64) -> Found {
    value(format!("gid://gitlab/{class}/{id}"))
}

/// An instant as GraphQL writes it.
pub(super) fn time(at: impl Into<Option<Timestamp>>) -> Found {
    let at: Option<Timestamp> = at.into();
    Found::Value(json!(
        at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    ))
}

/// The instant of a REST answer as GraphQL writes it.
pub(super) fn time_of(text: &Value) -> Found {
    time(
        text.as_str()
            .and_then(|text| text.parse::<Timestamp>().ok()),
    )
}

/// A word of the REST API as an enum writes it.
pub(super) fn upper(word: &str) -> String {
    word.to_uppercase().replace('-', "_")
}
