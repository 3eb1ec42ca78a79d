//! Patterns of content ids: `*` stands for any text, also none; everything else for itself.

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(String);

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Whether it fits a whole text.
    pub(super) fn fits(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return self.0 == text };
        let Some(mut text) = text.strip_prefix(first) else { return false };
        let mut parts: Vec<&str> = rest.split('*').collect();
        let last = parts.pop().unwrap_or_default();
        // The earliest place of each part leaves the most for what follows.
        for part in parts {
            let Some(at) = text.find(part) else { return false };
            text = &text[at + part.len()..];
        }
        text.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        let fits = |pattern: &str, text: &str| Pattern::new(pattern).fits(text);
        for (pattern, text) in [
            ("film", "film"),
            ("*", ""),
            ("*", "film"),
            ("film-*", "film-"),
            ("film-*", "film-1"),
            ("*-1", "film-1"),
            ("a*c*e", "abcde"),
            ("a*c*e", "acce"),
            ("*a*a", "aaa"),
            ("a**b", "ab"),
            ("ü*", "üb"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("film", "films"),
            ("film-*", "film"),
            ("*-1", "film-12"),
            ("a*c*e", "aec"),
            ("*a*a", "a"),
            ("", "a"),
            ("a*a", "a"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }
}
