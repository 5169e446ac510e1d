//! Why a text is no resource policy.

use crate::Principal;
use std::fmt;

/// Why a text is refused as a resource policy.
///
/// `Display` is the message that goes over the wire. [`Invalid::detail`] says where and what, for
/// the person who wrote the policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The text is well-formed but names a principal that can't be one, or that doesn't exist.
    #[error("This resource policy contains an unsupported principal.")]
    Principal(Detail),
    /// Not JSON, or JSON that is no policy.
    #[error("This resource policy contains a syntax error.")]
    Syntax(Detail),
}

impl Invalid {
    /// The refusal of a policy that names `principal`, which the caller looked for in vain.
    pub fn absent(principal: &Principal) -> Self {
        Self::principal("no such principal").showing(&principal.to_string())
    }

    /// Where the fault is and what it is, in one lower-case line.
    ///
    /// The place is an element (`Statement[0].Effect`) or a line and a column. Holds at most 64
    /// characters of the refused text, with control characters escaped.
    pub fn detail(&self) -> String {
        let (Self::Principal(detail) | Self::Syntax(detail)) = self;
        detail.to_string()
    }

    pub(crate) fn syntax(problem: &'static str) -> Self {
        Self::Syntax(Detail::new(problem))
    }

    pub(crate) fn principal(problem: &'static str) -> Self {
        Self::Principal(Detail::new(problem))
    }

    /// With the refused piece of input, cut.
    pub(crate) fn showing(mut self, input: &str) -> Self {
        self.detail_mut().excerpt = Some(input.chars().take(EXCERPT).collect());
        self
    }

    /// With a position in the text, both counted from 1.
    pub(crate) fn at_position(mut self, line: usize, column: usize) -> Self {
        self.detail_mut().place = format!("line {line}, column {column}");
        self
    }

    /// Found inside the `index`-th value of a list.
    pub(crate) fn at(mut self, index: usize) -> Self {
        self.detail_mut().prepend(&format!("[{index}]"));
        self
    }

    /// Found inside the element `name`, which is a word of the grammar and never input.
    pub(crate) fn within(mut self, name: &'static str) -> Self {
        self.detail_mut().prepend(name);
        self
    }

    fn detail_mut(&mut self) -> &mut Detail {
        let (Self::Principal(detail) | Self::Syntax(detail)) = self;
        detail
    }
}

/// Where a fault is and what it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    place: String,
    problem: &'static str,
    excerpt: Option<String>,
}

impl Detail {
    fn new(problem: &'static str) -> Self {
        Self { problem, ..Self::default() }
    }

    fn prepend(&mut self, outer: &str) {
        let dot = if self.place.is_empty() || self.place.starts_with('[') { "" } else { "." };
        self.place = format!("{outer}{dot}{}", self.place);
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(out, "{}: ", self.place)?;
        }
        out.write_str(self.problem)?;
        match &self.excerpt {
            Some(excerpt) => write!(out, ", found `{}`", excerpt.escape_debug()),
            None => Ok(()),
        }
    }
}

/// How many characters of the refused text a detail shows at most.
const EXCERPT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detail_names_the_place_and_cuts_the_input() {
        let fault = Invalid::syntax("must be `Allow` or `Deny`").showing("allow");
        let fault = fault.within("Effect").at(0).within("Statement");
        assert_eq!(fault.detail(), "Statement[0].Effect: must be `Allow` or `Deny`, found `allow`");
        let long = Invalid::syntax("unknown element").showing(&"x".repeat(1000));
        assert_eq!(long.detail().matches('x').count(), 64);
        let control = Invalid::syntax("unknown element").showing("a\n\u{1b}[31m");
        assert!(!control.detail().contains(char::is_control));
    }
}
