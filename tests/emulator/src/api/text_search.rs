//! How GitLab searches texts: by words of three characters or more, all of which must be found; a phrase in quotes is one word.

/// What is searched for.
pub(super) struct TextSearch {
    words: Vec<String>,
    whole: String,
}

/// Shorter words are not searched for inside of a text.
const SHORTEST: usize = 3;

impl TextSearch {
    pub(super) fn new(asked: &str) -> Self {
        let whole = asked
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase();
        let mut words: Vec<String> = Vec::new();
        for (index, part) in whole.split('"').enumerate() {
            if index % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        words.retain(|word| word.chars().count() >= SHORTEST);
        Self { words, whole }
    }

    /// Whether a text has all words; where every word is too short, whether it is exactly what was asked for.
    pub(super) fn is_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        if self.words.is_empty() {
            return text == self.whole;
        }
        self.words.iter().all(|word| text.contains(word.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::TextSearch;

    #[test]
    fn long_words_are_all_needed_and_short_ones_do_not_count() {
        let text = "Closes feature #345 and more";
        for (asked, found) in [
            ("feature", true),
            ("FEATURE #34", true),
            ("feature #9", true),
            ("feature #99", false),
            ("\"feature #34\"", true),
            ("\"more feature\"", false),
            ("\" #3\"", true),
            ("\" #9\"", false),
            ("#3", false),
        ] {
            assert_eq!(TextSearch::new(asked).is_in(text), found, "{asked}");
        }
        assert!(TextSearch::new("ab").is_in("AB"));
    }
}
