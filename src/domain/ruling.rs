//! The three answers a rule can give. Waiting is an answer of its own: it names who can end it.

/// What a rule decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling<W, R> {
    /// Go on.
    Pass,
    /// Not yet, and why.
    Wait(W),
    /// No, and every reason at once, so that nobody mends them one by one. Never empty.
    Refuse(Vec<R>),
}

impl<W, R> Ruling<W, R> {
    /// `Pass` when there is no reason to refuse.
    pub fn from_reasons(reasons: Vec<R>) -> Self {
        if reasons.is_empty() {
            Self::Pass
        } else {
            Self::Refuse(reasons)
        }
    }
}
