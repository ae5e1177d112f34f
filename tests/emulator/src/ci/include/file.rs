//! One file to include: of which kind it is, where it is found, and how GitLab words what is wrong with it.

use serde_json::{Value, json};

use crate::ci::interpolate::Facts;
use crate::ci::lint::Included;
use crate::ci::source::{ComponentError, Files, OutOfReach};
use crate::ci::support;
use crate::ci::tree::{Map, get, is_blank, text_of};

/// What the files are included for, which decides which kinds there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kinds {
    Configurations,
    /// For `spec:include`: files that hold inputs only.
    Inputs,
}

impl Kinds {
    /// In the order in which GitLab lists them.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Configurations => &[
                "local",
                "project",
                "remote",
                "template",
                "artifact",
                "component",
            ],
            Self::Inputs => &["local", "remote", "project"],
        }
    }

    fn subject(self) -> &'static str {
        match self {
            Self::Configurations => "include",
            Self::Inputs => "header include",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Local,
    Project {
        path: String,
        reference: Option<String>,
    },
    Artifact {
        job: String,
    },
    Component,
    /// GitLab would fetch it from elsewhere.
    Unsupported(&'static str),
}

/// A file that is to be included.
#[derive(Debug, Clone)]
pub(super) struct File {
    kind: Kind,
    location: Map,
    /// `None`: it is no text.
    path: Option<String>,
    shown: String,
}

/// A file that could be read.
pub(super) struct Opened<'f> {
    pub(super) text: String,
    /// Where its own local includes are looked for, unless where those of the including file are.
    pub(super) files: Option<Box<dyn Files + 'f>>,
    pub(super) component: Option<Facts>,
}

impl File {
    /// Tells the kind from the keys.
    pub(super) fn of(location: Map, kinds: Kinds) -> Result<Self, String> {
        let filled = |key: &str| get(&location, key).is_some_and(|value| !is_blank(value));
        // A path is anything that reads as a text.
        let named = |key: &str| get(&location, key).is_some_and(|value| !text_of(value).is_empty());
        let present: Vec<&'static str> = kinds
            .names()
            .iter()
            .copied()
            .filter(|name| match *name {
                "local" => named("local"),
                "project" => named("file") && filled("project"),
                other => filled(other),
            })
            .collect();
        let names = kinds.names().join("`, `");
        let (kind, key) = match present.as_slice() {
            ["local"] => (Kind::Local, "local"),
            ["project"] => (project(&location), "file"),
            ["artifact"] => {
                let job = get(&location, "job").map(text_of).unwrap_or_default();
                (Kind::Artifact { job }, "artifact")
            }
            ["component"] => (Kind::Component, "component"),
            [other] => (Kind::Unsupported(other), *other),
            [] => {
                return Err(format!(
                    "`{}` does not have a valid subkey for {}. Valid subkeys are: `{names}`",
                    Value::Object(location),
                    kinds.subject()
                ));
            }
            [_, ..] => return Err(format!("Each include must use only one of: `{names}`")),
        };
        let value = location.get(key).cloned().unwrap_or(Value::Null);
        let path = match kind {
            Kind::Local | Kind::Project { .. } => {
                Some(text_of(&value).trim_start_matches('/').to_owned())
            }
            Kind::Artifact { .. } | Kind::Component | Kind::Unsupported(_) => {
                value.as_str().map(str::to_owned)
            }
        };
        Ok(Self {
            shown: path.clone().unwrap_or_else(|| text_of(&value)),
            kind,
            location,
            path,
        })
    }

    pub(super) fn path(&self) -> &str {
        &self.shown
    }

    /// The path of a local file.
    pub(super) fn local_path(&self) -> Option<&str> {
        (self.kind == Kind::Local).then_some(&self.shown)
    }

    pub(super) fn inputs(&self) -> Option<&Value> {
        get(&self.location, "inputs")
    }

    /// What the linter tells of the file.
    pub(super) fn included(&self, files: &dyn Files) -> Included {
        let origin = files.origin();
        let (kind, extra) = match &self.kind {
            Kind::Local => {
                let mut extra = self.location.clone();
                extra.shift_remove("local");
                ("local", Value::Object(extra))
            }
            Kind::Project { path, reference } => {
                let reference = reference.as_deref().unwrap_or("HEAD");
                ("file", json!({ "project": path, "ref": reference }))
            }
            Kind::Artifact { job } => ("artifact", json!({ "job_name": job })),
            Kind::Component => ("component", json!({})),
            Kind::Unsupported(kind) => (*kind, json!({})),
        };
        // Only of files that are there; a configuration with others has errors and shows no includes.
        let place = match &self.kind {
            Kind::Local => Some(origin.clone()),
            Kind::Project { path, reference } => files
                .project(path, reference.as_deref())
                .ok()
                .map(|files| files.origin()),
            Kind::Artifact { .. } | Kind::Component | Kind::Unsupported(_) => None,
        };
        let address = |what: &str| {
            let place = place.as_ref().filter(|place| !place.url.is_empty())?;
            Some(format!(
                "{}/-/{what}/{}/{}",
                place.url, place.sha, self.shown
            ))
        };
        Included {
            kind,
            location: self.shown.clone(),
            blob: address("blob"),
            raw: address("raw"),
            extra,
            context_project: origin.project,
            context_sha: origin.sha,
        }
    }

    /// Whether the path can be one of a configuration.
    pub(super) fn check(&self) -> Result<(), String> {
        let Some(path) = &self.path else {
            return Err(format!(
                "Included file `{}` needs to be a string",
                self.shown
            ));
        };
        if self.kind == Kind::Component {
            return Ok(());
        }
        let name = path.rsplit('/').next().unwrap_or_default().to_lowercase();
        let stem = name
            .strip_suffix(".yml")
            .or_else(|| name.strip_suffix(".yaml"));
        if stem.is_none_or(str::is_empty) {
            return Err(format!(
                "Included file `{path}` does not have YAML extension!"
            ));
        }
        Ok(())
    }

    /// Reads the text.
    pub(super) fn open<'f>(&self, files: &'f dyn Files) -> Result<Opened<'f>, String> {
        let path = self.shown.as_str();
        let here = |text| Opened {
            text,
            files: None,
            component: None,
        };
        match &self.kind {
            Kind::Local => present(files.local(path), &format!("Local file `{path}`")).map(here),
            Kind::Project {
                path: project,
                reference,
            } => {
                let elsewhere =
                    files
                        .project(project, reference.as_deref())
                        .map_err(|why| match why {
                            OutOfReach::Project => format!(
                                "Project `{project}` not found or access denied! \
                                 Make sure any includes in the pipeline configuration are correctly defined."
                            ),
                            OutOfReach::Reference => format!(
                                "Project `{project}` reference `{}` does not exist!",
                                reference.as_deref().unwrap_or("HEAD")
                            ),
                        })?;
                let subject = format!("Project `{project}` file `{path}`");
                Ok(Opened {
                    text: present(elsewhere.local(path), &subject)?,
                    files: Some(elsewhere),
                    component: None,
                })
            }
            Kind::Artifact { job } => {
                let found = files.artifact(job, path);
                if job.trim().is_empty() {
                    let outside = found
                        .err()
                        .filter(|error| error == crate::ci::source::NO_PARENT);
                    return Err(outside.unwrap_or_else(|| {
                        "Job must be provided when including configs from artifacts".to_owned()
                    }));
                }
                let text = found?;
                if text.trim().is_empty() {
                    return Err(format!("File `{path}` is empty!"));
                }
                Ok(here(text))
            }
            Kind::Component => {
                let component = files.component(path).map_err(|why| why.message(path))?;
                if component.text.trim().is_empty() {
                    return Err(ComponentError::NotFound.message(path));
                }
                Ok(Opened {
                    text: component.text,
                    files: Some(component.files),
                    component: Some(Facts {
                        name: component.name,
                        sha: component.sha,
                        version: component.version,
                        reference: component.reference,
                    }),
                })
            }
            Kind::Unsupported(kind) => {
                let keyword = format!("include:{kind}");
                let why = support::reason(&keyword).unwrap_or_default();
                Err(format!("{keyword} is not supported by this server: {why}"))
            }
        }
    }

    /// Whether there is something in it, and nothing that does not belong there.
    pub(super) fn check_content(&self, content: &Map, kinds: Kinds) -> Result<(), String> {
        let path = &self.shown;
        if content.is_empty() {
            return Err(format!(
                "Included file `{path}` does not have valid YAML syntax!"
            ));
        }
        let strange: Vec<String> = content
            .keys()
            .filter(|key| kinds == Kinds::Inputs && *key != "inputs")
            .map(|key| format!(":{key}"))
            .collect();
        if strange.is_empty() {
            return Ok(());
        }
        Err(format!(
            "Header include file `{path}` contains unknown keys: [{}]",
            strange.join(", ")
        ))
    }
}

fn project(location: &Map) -> Kind {
    let path = match get(location, "project") {
        Some(Value::Array(list)) => list.first().map(text_of).unwrap_or_default(),
        Some(value) => text_of(value),
        None => String::new(),
    };
    Kind::Project {
        path: path.to_lowercase(),
        reference: get(location, "ref").map(text_of),
    }
}

fn present(text: Option<String>, subject: &str) -> Result<String, String> {
    match text {
        None => Err(format!("{subject} does not exist!")),
        Some(text) if text.trim().is_empty() => Err(format!("{subject} is empty!")),
        Some(text) => Ok(text),
    }
}
