//! Texts of a policy in which variables and wildcards may stand.

use super::Asked;
use super::glob::{self, Case, Token};
use crate::Version;
use std::borrow::Cow;

/// `${key}` or `${key, 'default'}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    /// In lower case.
    pub(crate) key: Box<str>,
    /// What stands in where the request doesn't have the key.
    pub(crate) default: Option<Box<str>>,
}

/// Whether `*` and `?` are wildcards in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wild {
    Yes,
    No,
}

/// A text, taken apart.
///
/// What takes a variable's place is text: a `*` in a tag's value is that character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    tokens: Box<[Token]>,
    /// Whether there is a variable among them.
    open: bool,
}

impl Template {
    /// Reads `text`. In the edition of 2008, `${…}` is text like any other.
    pub(crate) fn parse(text: &str, wild: Wild, version: Version) -> Self {
        match version {
            Version::V2008 => Self::plain(text, wild),
            Version::V2012 => Reader { wild, ..Reader::default() }.read(text),
        }
    }

    /// Reads `text` without variables.
    pub(crate) fn plain(text: &str, wild: Wild) -> Self {
        let mut reader = Reader { wild, ..Reader::default() };
        reader.text(text);
        reader.finish()
    }

    /// The pieces.
    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The keys of its variables, in lower case.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.tokens.iter().filter_map(|it| match it {
            Token::Variable(variable) => Some(variable),
            _ => None,
        })
    }

    /// The pieces, with text in place of the variables. `None` if the request lacks one of them
    /// and the policy has no default for it.
    pub(crate) fn fill(&self, asked: &Asked<'_>) -> Option<Cow<'_, [Token]>> {
        if !self.open {
            return Some(Cow::Borrowed(&self.tokens));
        }
        let filled = self.tokens.iter().map(|it| match it {
            Token::Variable(variable) => {
                let value = asked.variable(&variable.key, variable.default.as_deref());
                let any = || asked.is_open(&variable.key).then_some(Token::Run);
                value.map(Token::Text).or_else(any)
            }
            token => Some(token.clone()),
        });
        filled.collect::<Option<Vec<_>>>().map(Cow::Owned)
    }

    /// Whether `text` matches, `None` if a variable has no value.
    pub(crate) fn matches(&self, text: &str, case: Case, asked: &Asked<'_>) -> Option<bool> {
        self.fill(asked).map(|tokens| glob::matches(&tokens, text, case))
    }
}

struct Reader {
    wild: Wild,
    tokens: Vec<Token>,
    literal: String,
}

impl Default for Reader {
    fn default() -> Self {
        Self { wild: Wild::No, tokens: Vec::new(), literal: String::new() }
    }
}

impl Reader {
    /// What is not closed, or empty, is text.
    fn read(mut self, mut rest: &str) -> Template {
        while let Some((before, after)) = rest.split_once("${") {
            let Some((inner, behind)) = after.split_once('}') else { break };
            self.text(before);
            self.variable(inner);
            rest = behind;
        }
        self.text(rest);
        self.finish()
    }

    fn variable(&mut self, inner: &str) {
        let inner = inner.trim();
        match inner {
            "*" | "?" | "$" => return self.literal.push_str(inner),
            "" => return self.literal.push_str("${}"),
            _ => {}
        }
        let (key, default) = match inner.split_once(',') {
            Some((key, default)) => (key.trim_end(), unquote(default.trim())),
            None => (inner, None),
        };
        self.flush();
        let key = key.to_ascii_lowercase().into();
        self.tokens.push(Token::Variable(Variable { key, default }));
    }

    fn text(&mut self, text: &str) {
        for it in text.chars() {
            match (it, self.wild) {
                ('*', Wild::Yes) => {
                    self.flush();
                    // A run of runs is a run.
                    if self.tokens.last() != Some(&Token::Run) {
                        self.tokens.push(Token::Run);
                    }
                }
                ('?', Wild::Yes) => {
                    self.flush();
                    self.tokens.push(Token::One);
                }
                _ => self.literal.push(it),
            }
        }
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.tokens.push(Token::Text(std::mem::take(&mut self.literal).into()));
        }
    }

    fn finish(mut self) -> Template {
        self.flush();
        let open = self.tokens.iter().any(|it| matches!(it, Token::Variable(_)));
        Template { tokens: self.tokens.into(), open }
    }
}

fn unquote(text: &str) -> Option<Box<str>> {
    text.strip_prefix('\'')?.strip_suffix('\'').map(Box::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(it: &str) -> Token {
        Token::Text(it.into())
    }

    fn variable(key: &str, default: Option<&str>) -> Token {
        Token::Variable(Variable { key: key.into(), default: default.map(Box::from) })
    }

    #[test]
    fn each_piece() {
        let team = variable("aws:principaltag/team", None);
        for (written, expected) in [
            ("", vec![]),
            ("a", vec![text("a")]),
            ("a*b?", vec![text("a"), Token::Run, text("b"), Token::One]),
            ("a***b", vec![text("a"), Token::Run, text("b")]),
            ("x/${aws:PrincipalTag/team}/*", vec![text("x/"), team.clone(), text("/"), Token::Run]),
            ("${ aws:PrincipalTag/team }", vec![team.clone()]),
            (
                "${aws:PrincipalTag/team, 'a b'}",
                vec![variable("aws:principaltag/team", Some("a b"))],
            ),
            ("${aws:PrincipalTag/team,''}", vec![variable("aws:principaltag/team", Some(""))]),
            ("${aws:PrincipalTag/team, bare}", vec![team]),
            ("a${*}${?}${$}{x}", vec![text("a*?${x}")]),
            ("${}", vec![text("${}")]),
            ("${aws:username", vec![text("${aws:username")]),
        ] {
            let found = Template::parse(written, Wild::Yes, Version::V2012);
            assert_eq!(found.tokens(), expected, "{written}");
        }
    }

    #[test]
    fn the_old_edition_has_no_variables() {
        let old = Template::parse("${aws:username}", Wild::Yes, Version::V2008);
        assert_eq!(old.tokens(), [text("${aws:username}")]);
    }

    #[test]
    fn without_wildcards_they_are_text() {
        let found = Template::parse("a*?${*}", Wild::No, Version::V2012);
        assert_eq!(found.tokens(), [text("a*?*")]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(written in "[a-z:$,'{}*? ]{0,20}") {
            Template::parse(&written, Wild::Yes, Version::V2012);
        }
    }
}
