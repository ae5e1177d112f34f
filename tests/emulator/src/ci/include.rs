//! `include`: other files brought in, each with its inputs, and merged under the file that includes them.
//!
//! As in GitLab, the files of one level are first all named, then all opened, then read one after the other; only then does
//! the first fault of a file count. A fault inside a file that a file includes counts at once.

mod file;
mod locations;

use std::collections::BTreeMap;

use serde_json::Value;

use self::file::{File, Kinds};
use super::expand::Scope;
use super::interpolate::{self, Facts};
use super::lint::Included;
use super::source::{Files, Source};
use super::tree::{Map, deep_merge};

/// GitLab's default for the number of files of one pipeline.
const MAX_INCLUDES: usize = 150;

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
        let context = Context {
            files,
            number: 0,
            component: None,
        };
        let content = self.interpolated(source.text, Some(&inputs), context)?;
        self.expand(content, context)
    }

    fn interpolated(
        &mut self,
        text: &str,
        inputs: Option<&Value>,
        context: Context<'_>,
    ) -> Result<Map, String> {
        let source = self.source;
        let mut more = |include: &Value, own: &Map| self.headers(include, own, context);
        interpolate::load(text, inputs, source, context.component, &mut more)
    }

    /// The content with the files it includes below it. Where nothing is included, even `include` itself stays.
    fn expand(&mut self, content: Map, context: Context<'_>) -> Result<Map, String> {
        let include = content.get("include").unwrap_or(&Value::Null);
        let locations = self.locations(include, context)?;
        if locations.is_empty() {
            return Ok(content);
        }
        let mut merged = Map::new();
        for file in self.level(locations, context, Kinds::Configurations)? {
            deep_merge(&mut merged, &file);
        }
        deep_merge(&mut merged, &content);
        // Jobs stay in written order, which a plain `remove` would not keep.
        merged.shift_remove("include");
        Ok(merged)
    }

    /// The inputs of the files that `spec:include` names, with those of the header itself.
    fn headers(&mut self, include: &Value, own: &Map, context: Context<'_>) -> Result<Map, String> {
        let locations = self.locations(include, context)?;
        let mut inputs = Map::new();
        let mut doubled: Vec<String> = Vec::new();
        let mut add = |more: &Map| {
            for (name, input) in more {
                if inputs.insert(name.clone(), input.clone()).is_some() && !doubled.contains(name) {
                    doubled.push(name.clone());
                }
            }
        };
        for file in self.level(locations, context, Kinds::Inputs)? {
            if let Some(more) = file.get("inputs").and_then(Value::as_object) {
                add(more);
            }
        }
        add(own);
        if doubled.is_empty() {
            return Ok(inputs);
        }
        Err(format!(
            "Duplicate input keys found: {}. Input keys must be unique across all included files and inline specifications.",
            doubled.join(", ")
        ))
    }

    /// Reads the files that stand side by side.
    fn level(
        &mut self,
        locations: Vec<Map>,
        context: Context<'_>,
        kinds: Kinds,
    ) -> Result<Vec<Map>, String> {
        let files: Vec<File> = locations
            .into_iter()
            .map(|location| File::of(location, kinds))
            .collect::<Result<_, _>>()?;
        for file in &files {
            self.included.push(file.included(context.files));
            if self.included.len() > MAX_INCLUDES {
                return Err(format!(
                    "Maximum of {MAX_INCLUDES} nested includes are allowed!"
                ));
            }
            if let Some(path) = file.local_path() {
                self.locals.push((context.number, path.to_owned()));
            }
        }
        let opened: Vec<_> = files
            .iter()
            .map(|file| file.check().and_then(|()| file.open(context.files)))
            .collect();
        let mut contents = Vec::with_capacity(files.len());
        let mut fault = None;
        for (file, opened) in files.iter().zip(opened) {
            let opened = match opened {
                Ok(opened) => opened,
                Err(error) => {
                    fault.get_or_insert(error);
                    continue;
                }
            };
            // A component and its own files know the component; other files know that of the file that includes them.
            let facts = opened.component.as_ref().or(context.component);
            let inside = Context {
                component: facts,
                ..context
            };
            let loaded = self
                .interpolated(&opened.text, file.inputs(), inside)
                .map_err(|error| format!("`{}`: {error}", file.path()));
            let content = match loaded {
                Ok(content) => content,
                Err(error) => {
                    fault.get_or_insert(error);
                    continue;
                }
            };
            let content = match (kinds, &opened.files) {
                (Kinds::Inputs, _) => content,
                (Kinds::Configurations, None) => self.expand(content, inside)?,
                (Kinds::Configurations, Some(elsewhere)) => {
                    self.contexts += 1;
                    let inside = Context {
                        files: elsewhere.as_ref(),
                        number: self.contexts,
                        component: opened.component.as_ref(),
                    };
                    self.expand(content, inside)?
                }
            };
            match file.check_content(&content, kinds) {
                Ok(()) => contents.push(content),
                Err(error) => {
                    fault.get_or_insert(error);
                }
            }
        }
        fault.map_or(Ok(contents), Err)
    }
}
