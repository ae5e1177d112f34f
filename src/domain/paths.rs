//! Patterns of paths within a repository.

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};

/// A pattern of paths: `*` stays within a folder, `**` goes below, `{a,b}` is either.
#[derive(Clone)]
pub struct PathPattern(GlobMatcher);

impl PathPattern {
    /// Whether a path from the root of the repository is one of those meant.
    pub fn matches(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}

impl std::str::FromStr for PathPattern {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with('/') || text.trim().is_empty() {
            return Err(format!(
                "`{text}` is not a path from the root of the project, such as `src/auth/**`"
            ));
        }
        GlobBuilder::new(text)
            .literal_separator(true)
            .build()
            .map(|glob| Self(glob.compile_matcher()))
            .map_err(|error| format!("`{text}` is not a pattern of paths: {}", error.kind()))
    }
}

impl PartialEq for PathPattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.glob() == other.0.glob()
    }
}

impl fmt::Debug for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PathPattern({:?})", self.0.glob().glob())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_in_its_folder() {
        let matches =
            |pattern: &str, path: &str| pattern.parse::<PathPattern>().unwrap().matches(path);
        assert!(matches("src/*.rs", "src/a.rs") && !matches("src/*.rs", "src/deep/a.rs"));
        assert!(matches("**/*.sql", "a.sql") && matches("**/*.sql", "db/deep/a.sql"));
        assert!(matches("src/{auth,pay}/**", "src/pay/x/y.rs"));
        assert!(matches("naïve/**", "naïve/ü.rs"));
        for bad in ["", "/src", "src/[a"] {
            assert!(bad.parse::<PathPattern>().is_err(), "{bad}");
        }
    }
}
