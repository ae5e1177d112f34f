//! The pages of projects' wikis and the files attached to them.

use bytes::Bytes;
use serde_json::Value;

use super::State;

/// A page.
#[derive(Debug, Clone)]
pub struct WikiPage {
    pub id: u64,
    pub project_id: u64,
    /// The path of the page, such as `how/to-build`.
    pub slug: String,
    pub content: String,
    /// `markdown`, `rdoc`, `asciidoc` or `org`.
    pub format: String,
    /// What the front matter says, the title first of all.
    pub front_matter: Value,
}

impl WikiPage {
    /// What a reader sees as the title: the name of the file with spaces.
    pub fn title(&self) -> String {
        let name = self.slug.rsplit('/').next().unwrap_or(&self.slug);
        match self.front_matter["title"].as_str() {
            Some(title) => title.to_owned(),
            None => name.replace('-', " "),
        }
    }
}

/// A file attached to a wiki.
#[derive(Debug, Clone)]
pub struct WikiAttachment {
    pub id: u64,
    pub project_id: u64,
    /// Such as `uploads/0123…/diagram.png`.
    pub path: String,
    pub content: Bytes,
}

impl State {
    /// The pages of a project's wiki in the order of their slugs.
    pub fn wiki_pages_of(&self, project: u64) -> Vec<&WikiPage> {
        let pages = self.wiki_pages.iter();
        let mut found: Vec<&WikiPage> = pages.filter(|page| page.project_id == project).collect();
        found.sort_by(|one, other| one.slug.cmp(&other.slug));
        found
    }

    /// The page of a slug.
    pub fn wiki_page(&self, project: u64, slug: &str) -> Option<&WikiPage> {
        self.wiki_pages
            .iter()
            .find(|page| page.project_id == project && page.slug == slug)
    }
}
