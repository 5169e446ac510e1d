//! Patterns with wildcards, taken apart once and matched in bounded time.

use super::template::Variable;

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// These characters.
    Text(Box<str>),
    /// `*`: any run of characters, also none.
    Run,
    /// `?`: one character.
    One,
    /// What the request has for a key. Matches nothing until it is replaced by text.
    Variable(Variable),
}

/// Whether letters of different case are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// `a` is not `A`.
    Exact,
    /// `a` is `A`, in ASCII.
    Fold,
    /// `a` is `A` and `ë` is `Ë`, in every script.
    Ignore,
}

/// Whether `tokens` match the whole of `text`.
///
/// Takes at most one step per token and character of `text`, whatever the pattern.
pub(crate) fn matches(tokens: &[Token], text: &str, case: Case) -> bool {
    match tokens {
        [Token::Text(whole)] if case == Case::Exact => **whole == *text,
        [Token::Run] => true,
        _ => walk(tokens, text, case, &mut || ()),
    }
}

/// Walks over pattern and text at once. A failure goes back to the last `*` only and lets it take
/// one character more: what an earlier `*` took need never change. Calls `tick` once per step.
fn walk(tokens: &[Token], text: &str, case: Case, tick: &mut impl FnMut()) -> bool {
    let (mut left, mut rest) = (tokens, text);
    let mut retry: Option<(&[Token], &str)> = None;
    loop {
        tick();
        if let [Token::Run, after @ ..] = left {
            if after.is_empty() {
                return true;
            }
            retry = Some((after, rest));
            left = after;
        } else if let Some((after, remaining)) = step(left, rest, case) {
            (left, rest) = (after, remaining);
        } else if left.is_empty() && rest.is_empty() {
            return true;
        } else {
            let Some((after, from)) = retry else { return false };
            let mut chars = from.chars();
            if chars.next().is_none() {
                return false;
            }
            (left, rest) = (after, chars.as_str());
            retry = Some((left, rest));
        }
    }
}

/// What is left of both once the first token, which is no `*`, has matched.
fn step<'t, 's>(tokens: &'t [Token], text: &'s str, case: Case) -> Option<(&'t [Token], &'s str)> {
    let (first, after) = tokens.split_first()?;
    let rest = match first {
        Token::Text(start) => strip(text, start, case)?,
        Token::One => {
            let mut chars = text.chars();
            chars.next()?;
            chars.as_str()
        }
        Token::Run | Token::Variable(_) => return None,
    };
    Some((after, rest))
}

fn strip<'s>(text: &'s str, start: &str, case: Case) -> Option<&'s str> {
    match case {
        Case::Exact => text.strip_prefix(start),
        Case::Fold => {
            let (head, rest) = text.split_at_checked(start.len())?;
            head.eq_ignore_ascii_case(start).then_some(rest)
        }
        Case::Ignore => {
            let mut rest = text.chars();
            let same = |it: char| rest.next().is_some_and(|other| is_same_letter(it, other));
            start.chars().all(same).then_some(rest.as_str())
        }
    }
}

fn is_same_letter(left: char, right: char) -> bool {
    left == right || left.to_lowercase().eq(right.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::template::{Template, Wild};
    use proptest::prelude::*;

    fn tokens(pattern: &str) -> Vec<Token> {
        Template::plain(pattern, Wild::Yes).tokens().to_vec()
    }

    /// The definition, in exponential time.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => {
                naive(rest, text) || !text.is_empty() && naive(pattern, &text[1..])
            }
            (['?', rest @ ..], [_, left @ ..]) => naive(rest, left),
            ([one, rest @ ..], [other, left @ ..]) => one == other && naive(rest, left),
            _ => false,
        }
    }

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a:b/c", true),
            ("**", "", true),
            ("?", "", false),
            ("?", "é", true),
            ("??", "é", false),
            ("app/*", "app/", true),
            ("app/*", "app", false),
            ("app/db-??????", "app/db-a1b2c3", true),
            ("app/db-??????", "app/db-extra-a1b2c3", false),
            ("app/db-*", "app/db-extra-a1b2c3", true),
            ("*b*c", "abcbc", true),
            ("*b?", "abcb", false),
            ("a*a*a", "aa", false),
            ("APP/*", "app/x", false),
        ] {
            assert_eq!(matches(&tokens(pattern), text, Case::Exact), expected, "{pattern} {text}");
        }
        assert!(matches(&tokens("Get*Value"), "GETSECRETVALUE", Case::Fold));
        assert!(!matches(&tokens("Gét*"), "GÉtx", Case::Fold));
        assert!(matches(&tokens("Gét*"), "gÉTx", Case::Ignore));
        assert!(!matches(&tokens("Gét"), "gÈt", Case::Ignore));
        assert!(!matches(&tokens("Gét"), "gÉ", Case::Ignore));
    }

    #[test]
    fn a_pattern_made_to_be_slow_takes_a_step_per_token_and_character() {
        for (pattern, text) in [
            ("*a".repeat(200) + "b", "a".repeat(2000)),
            ("*?a".repeat(100) + "b", "a".repeat(2000)),
            ("*".repeat(500) + "b", "a".repeat(2000)),
            ("*".to_owned() + &"a?".repeat(200) + "b", "a".repeat(2000)),
        ] {
            let tokens = tokens(&pattern);
            let mut steps = 0_usize;
            assert!(!walk(&tokens, &text, Case::Exact, &mut || steps += 1), "{pattern}");
            let bound = (tokens.len() + 1) * (text.len() + 1) * 2;
            assert!(steps <= bound, "{steps} steps, bound {bound}: {pattern}");
        }
    }

    proptest! {
        #[test]
        fn like_the_definition(pattern in "[abé*?]{0,8}", text in "[abé]{0,10}") {
            let chars = |it: &str| it.chars().collect::<Vec<_>>();
            let expected = naive(&chars(&pattern), &chars(&text));
            prop_assert_eq!(matches(&tokens(&pattern), &text, Case::Exact), expected);
        }
    }
}
