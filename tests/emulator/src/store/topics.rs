//! The topics of projects, and the rows that exist for them.

use super::State;
use super::instance::Topic;

impl State {
    /// Makes the rows of topics that a project names for the first time.
    pub(crate) fn add_topics(&mut self, names: &[String]) {
        for name in names {
            let known = |topic: &Topic| topic.name.eq_ignore_ascii_case(name);
            if !self.instance.topics.iter().any(known) {
                self.instance.topics.insert(|id| Topic {
                    id,
                    name: name.clone(),
                    title: Some(name.clone()),
                    description: None,
                    avatar: None,
                });
            }
        }
    }

    /// Gives projects another topic in the place of one, or none.
    pub(crate) fn rename_topic(&mut self, old: &str, new: Option<&str>) {
        for project in self.projects.iter_mut() {
            let topics = &mut project.settings.topics;
            if !topics.iter().any(|topic| topic == old) {
                continue;
            }
            topics.retain(|topic| topic != old && Some(topic.as_str()) != new);
            topics.extend(new.map(str::to_owned));
        }
    }
}
