//! From text to one merged tree: includes with their inputs, then `extends`, then `!reference`.

use super::include::Includer;
use super::source::{Files, Source};
use super::tree::Map;
use super::{extends, reference};

/// GitLab's limit of inputs for one pipeline.
const MAX_INPUTS: usize = 20;

/// The merged configuration and what went into it.
#[derive(Debug, Clone, Default)]
pub(super) struct Merged {
    pub(super) tree: Map,
    pub(super) includes: Vec<super::lint::Included>,
}

/// Reads and merges the configuration.
pub(super) fn merge(source: &Source<'_>, files: &dyn Files) -> Result<Merged, String> {
    if source.text.trim().is_empty() {
        return Err("Please provide content of .gitlab-ci.yml".to_owned());
    }
    if source.inputs.len() > MAX_INPUTS {
        return Err(format!("There cannot be more than {MAX_INPUTS} inputs"));
    }
    let mut includer = Includer::new(source);
    let mut tree = includer.main(source, files)?;
    extends::resolve(&mut tree)?;
    Ok(Merged {
        tree: reference::resolve(&tree)?,
        includes: includer.into_included(),
    })
}
