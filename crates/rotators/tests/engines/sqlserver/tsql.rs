//! Words of Transact-SQL, by its own rules of quoting.

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword, or a name without quotes; in capitals.
    Word(String),
    /// A name in brackets, without them.
    Name(String),
    /// A text or a number, without quotes.
    Text(String),
    Symbol(char),
}

/// Reads `batch`; `None` if a quote isn't closed.
pub(super) fn read(batch: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = batch.trim_start();
    while let Some(first) = rest.chars().next() {
        let second = rest.chars().nth(1);
        let (token, after) = match (first, second) {
            ('-', Some('-')) => {
                rest = rest.split_once('\n').map_or("", |it| it.1).trim_start();
                continue;
            }
            ('[', _) => {
                let (name, after) = quoted(&rest[1..], ']')?;
                (Token::Name(name), after)
            }
            ('\'', _) => text(&rest[1..])?,
            ('N', Some('\'')) => text(&rest[2..])?,
            _ if first.is_alphanumeric() || "_@#$".contains(first) => {
                let end = rest.find(|it: char| !it.is_alphanumeric() && !"_@#$".contains(it));
                let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
                let number = first.is_ascii_digit();
                let token = if number { Token::Text } else { Token::Word };
                (token(if number { word.to_owned() } else { word.to_uppercase() }), after)
            }
            _ => (Token::Symbol(first), &rest[first.len_utf8()..]),
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Some(tokens)
}

/// A backslash before a line's end leaves out both.
fn text(rest: &str) -> Option<(Token, &str)> {
    let (text, after) = quoted(rest, '\'')?;
    Some((Token::Text(text.replace("\\\r\n", "").replace("\\\n", "")), after))
}

/// What stands before `end`, which stands for itself if it is doubled, and what comes after it.
fn quoted(rest: &str, end: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != end {
            out.push(c);
        } else if chars.next_if(|it| it.1 == end).is_some() {
            out.push(end);
        } else {
            return Some((out, &rest[at + 1..]));
        }
    }
    None
}

/// `name` in brackets.
pub(super) fn bracketed(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// Takes words from the front of a statement.
pub(super) struct Words<'a>(pub(super) &'a [Token]);

impl<'a> Words<'a> {
    pub(super) fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// Takes all of `words`, if they come next.
    pub(super) fn take(&mut self, words: &str) -> bool {
        let words = read(words).expect("words");
        let comes = self.0.starts_with(&words);
        if comes {
            self.0 = &self.0[words.len()..];
        }
        comes
    }

    /// A name, in brackets or without.
    pub(super) fn name(&mut self) -> Option<String> {
        match self.next()? {
            Token::Name(it) => Some(it.clone()),
            Token::Word(it) => Some(it.to_lowercase()),
            _ => None,
        }
    }

    pub(super) fn text(&mut self) -> Option<String> {
        match self.next()? {
            Token::Text(it) => Some(it.clone()),
            _ => None,
        }
    }
}
