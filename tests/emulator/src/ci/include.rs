//! `include`: other files brought in, each with its inputs, and merged under the file that includes them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::entry::{self, Decision};
use super::expand::{Scope, Unknown, expand};
use super::glob::Glob;
use super::interpolate::{self, Facts};
use super::lint::Included;
use super::report::Report;
use super::rules::{Asked, first_match};
use super::source::{Files, OutOfReach, Source};
use super::tree::{Map, deep_merge, get, mapping, text_of, wrap};

/// GitLab's default for the number of files of one pipeline.
const MAX_INCLUDES: usize = 150;
/// The kinds of includes, in the order in which GitLab lists them.
const KINDS: [&str; 6] = [
    "local",
    "project",
    "remote",
    "template",
    "artifact",
    "component",
];

/// Collects the files of one configuration.
pub(super) struct Includer<'a> {
    source: &'a Source<'a>,
    scope: Scope,
    /// For `include` only the values as they stand count.
    variables: BTreeMap<String, String>,
    included: Vec<Included>,
    /// Local files so far, with the project and commit they are from.
    locals: Vec<(usize, String)>,
    contexts: usize,
}

/// What a file belongs to: decides where its local includes are looked for.
#[derive(Clone, Copy)]
struct Context<'f> {
    files: &'f dyn Files,
    number: usize,
    component: Option<&'f Facts>,
}

impl<'a> Includer<'a> {
    pub(super) fn new(source: &'a Source<'a>) -> Self {
        let scope = Scope::new(source, &[], &[]);
        let variables = scope.plain();
        Self {
            source,
            scope,
            variables,
            included: Vec::new(),
            locals: Vec::new(),
            contexts: 0,
        }
    }

    pub(super) fn into_included(self) -> Vec<Included> {
        self.included
    }

    /// The whole configuration, starting from its main file.
    pub(super) fn main(&mut self, source: &Source<'_>, files: &dyn Files) -> Result<Map, String> {
        let inputs = Value::Object(source.inputs.clone());
        let content = interpolate::load(source.text, Some(&inputs), self.source, None)?;
        self.expand(
            content,
            Context {
                files,
                number: 0,
                component: None,
            },
        )
    }

    fn expand(&mut self, mut content: Map, context: Context<'_>) -> Result<Map, String> {
        // Jobs stay in written order, which a plain `remove` would not keep.
        let include = content.shift_remove("include").unwrap_or(Value::Null);
        let mut merged = Map::new();
        let mut locations = Vec::new();
        for item in wrap(&include) {
            self.locations(item, context, &mut locations)?;
        }
        for location in locations {
            let file = self.file(&location, context)?;
            deep_merge(&mut merged, &file);
        }
        deep_merge(&mut merged, &content);
        Ok(merged)
    }

    /// One entry of `include` as single files.
    fn locations(
        &self,
        item: &Value,
        context: Context<'_>,
        into: &mut Vec<Map>,
    ) -> Result<(), String> {
        let mut location = Map::new();
        if let Some(text) = item.as_str() {
            let text = self.put(text);
            let remote = text.starts_with("http://") || text.starts_with("https://");
            location.insert(
                if remote { "remote" } else { "local" }.to_owned(),
                text.into(),
            );
        } else if let Some(map) = mapping(item) {
            location = map.clone();
        } else {
            return Err("Each include must be a hash or a string".to_owned());
        }
        if !self.wanted(&location, context)? {
            return Ok(());
        }
        if get(&location, "project").is_some() {
            for file in wrap(location.get("file").unwrap_or(&Value::Null)) {
                let mut one = location.clone();
                one.insert("file".to_owned(), file.clone());
                into.push(self.put_all(one));
            }
            return Ok(());
        }
        if let Some(pattern) = get(&location, "local")
            .and_then(Value::as_str)
            .filter(|path| path.contains('*'))
        {
            let glob = Glob::of_include(pattern.trim_start_matches('/'));
            for path in context
                .files
                .local_paths()
                .into_iter()
                .filter(|path| glob.is_match(path))
            {
                if !self.locals.contains(&(context.number, path.clone())) {
                    let mut one = location.clone();
                    one.insert("local".to_owned(), path.into());
                    into.push(self.put_all(one));
                }
            }
            return Ok(());
        }
        into.push(self.put_all(location));
        Ok(())
    }

    fn wanted(&self, location: &Map, context: Context<'_>) -> Result<bool, String> {
        let Some(rules) = get(location, "rules") else {
            return Ok(true);
        };
        let mut report = Report::default();
        let rules = entry::include_rules(&mut report, rules);
        if let Some(error) = report.errors.into_iter().next() {
            return Err(error);
        }
        let asked = Asked {
            source: self.source,
            files: context.files,
            scope: &self.scope,
        };
        let rule = first_match(&rules, &asked).map_err(|error| format!("include:{error}"))?;
        Ok(rule.is_some_and(|rule| rule.when != Some(Decision::Never)))
    }

    fn put(&self, text: &str) -> String {
        expand(text, &self.variables, Unknown::Blank)
    }

    fn put_all(&self, location: Map) -> Map {
        let put = |value: Value| {
            value
                .as_str()
                .map(|text| Value::String(self.put(text)))
                .unwrap_or(value)
        };
        location
            .into_iter()
            .map(|(key, value)| (key, put(value)))
            .collect()
    }

    fn file(&mut self, location: &Map, context: Context<'_>) -> Result<Map, String> {
        let kinds: Vec<&str> = KINDS
            .into_iter()
            .filter(|kind| get(location, kind).is_some())
            .collect();
        let names = KINDS.join("`, `");
        let kind = match kinds.as_slice() {
            [kind] => *kind,
            [] => {
                let shown = Value::Object(location.clone());
                return Err(format!(
                    "`{shown}` does not have a valid subkey for include. Valid subkeys are: `{names}`"
                ));
            }
            [..] => return Err(format!("Each include must use only one of: `{names}`")),
        };
        if self.included.len() >= MAX_INCLUDES {
            return Err(format!(
                "Maximum of {MAX_INCLUDES} nested includes are allowed!"
            ));
        }
        let inputs = get(location, "inputs");
        match kind {
            "local" => self.local(location, inputs, context),
            "project" => self.of_project(location, inputs, context),
            "artifact" => self.artifact(location, inputs, context),
            "component" => self.component(location, inputs, context),
            other => Err(format!("include:{other} is not supported by this server")),
        }
    }

    fn record(&mut self, kind: &'static str, location: &str, project: Option<(String, String)>) {
        self.included.push(Included {
            kind,
            location: location.to_owned(),
            project,
        });
    }

    fn local(
        &mut self,
        location: &Map,
        inputs: Option<&Value>,
        context: Context<'_>,
    ) -> Result<Map, String> {
        let path = yaml_path(location.get("local"))?;
        self.record("local", &path, None);
        self.locals.push((context.number, path.clone()));
        let text = context.files.local(&path);
        let text = present(text, &format!("Local file `{path}`"))?;
        self.load(&text, &path, inputs, context)
    }

    fn of_project(
        &mut self,
        location: &Map,
        inputs: Option<&Value>,
        context: Context<'_>,
    ) -> Result<Map, String> {
        let path = yaml_path(location.get("file"))?;
        let project = get(location, "project")
            .map(text_of)
            .unwrap_or_default()
            .to_lowercase();
        let reference = get(location, "ref").map(text_of);
        let shown = reference.as_deref().unwrap_or("HEAD");
        self.record("file", &path, Some((project.clone(), shown.to_owned())));
        let files = context
            .files
            .project(&project, reference.as_deref())
            .map_err(|why| match why {
                OutOfReach::Project => format!(
                    "Project `{project}` not found or access denied! \
                 Make sure any includes in the pipeline configuration are correctly defined."
                ),
                OutOfReach::Reference => {
                    format!("Project `{project}` reference `{shown}` does not exist!")
                }
            })?;
        let text = present(
            files.local(&path),
            &format!("Project `{project}` file `{path}`"),
        )?;
        self.contexts += 1;
        let context = Context {
            files: files.as_ref(),
            number: self.contexts,
            component: None,
        };
        self.load(&text, &path, inputs, context)
    }

    fn artifact(
        &mut self,
        location: &Map,
        inputs: Option<&Value>,
        context: Context<'_>,
    ) -> Result<Map, String> {
        let path = yaml_path(location.get("artifact"))?;
        self.record("artifact", &path, None);
        let Some(job) = get(location, "job")
            .map(text_of)
            .filter(|job| !job.trim().is_empty())
        else {
            return Err("Job must be provided when including configs from artifacts".to_owned());
        };
        let text = context.files.artifact(&job, &path)?;
        if text.trim().is_empty() {
            return Err(format!("File `{path}` is empty!"));
        }
        self.load(&text, &path, inputs, context)
    }

    fn component(
        &mut self,
        location: &Map,
        inputs: Option<&Value>,
        context: Context<'_>,
    ) -> Result<Map, String> {
        let value = location.get("component").unwrap_or(&Value::Null);
        let Some(address) = value.as_str() else {
            return Err(format!(
                "Included file `{}` needs to be a string",
                text_of(value)
            ));
        };
        self.record("component", address, None);
        let component = context
            .files
            .component(address)
            .map_err(|why| why.message(address))?;
        if component.text.trim().is_empty() {
            return Err(super::source::ComponentError::NotFound.message(address));
        }
        let facts = Facts {
            name: component.name,
            sha: component.sha,
            version: component.version,
            reference: component.reference,
        };
        self.contexts += 1;
        let context = Context {
            files: component.files.as_ref(),
            number: self.contexts,
            component: Some(&facts),
        };
        self.load(&component.text, address, inputs, context)
    }

    fn load(
        &mut self,
        text: &str,
        path: &str,
        inputs: Option<&Value>,
        context: Context<'_>,
    ) -> Result<Map, String> {
        let content = interpolate::load(text, inputs, self.source, context.component)
            .map_err(|error| format!("`{path}`: {error}"))?;
        if content.is_empty() {
            return Err(format!(
                "Included file `{path}` does not have valid YAML syntax!"
            ));
        }
        self.expand(content, context)
    }
}

fn yaml_path(value: Option<&Value>) -> Result<String, String> {
    let value = value.unwrap_or(&Value::Null);
    let Some(path) = value.as_str() else {
        return Err(format!(
            "Included file `{}` needs to be a string",
            text_of(value)
        ));
    };
    let path = path.trim_start_matches('/');
    let name = path.rsplit('/').next().unwrap_or_default().to_lowercase();
    let stem = name
        .strip_suffix(".yml")
        .or_else(|| name.strip_suffix(".yaml"));
    if stem.is_none_or(str::is_empty) {
        return Err(format!(
            "Included file `{path}` does not have YAML extension!"
        ));
    }
    Ok(path.to_owned())
}

fn present(text: Option<String>, subject: &str) -> Result<String, String> {
    match text {
        None => Err(format!("{subject} does not exist!")),
        Some(text) if text.trim().is_empty() => Err(format!("{subject} is empty!")),
        Some(text) => Ok(text),
    }
}
