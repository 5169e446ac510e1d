//! The model's constraints, and the message that lists all that are broken.
//!
//! Source: recorded answers and the common grammar of AWS's JSON services, as in
//! `1 validation error detected: Value 'x' at 'y' failed to satisfy constraint: Member must …`.

use crate::members::{Blob, Integer, List, SecretText, Text};
use std::fmt::{Display, Write};
use std::ops::RangeInclusive;

/// Broken constraints, gathered member by member.
#[derive(Debug, Default)]
pub struct Violations {
    /// The first of them, as they are told.
    told: Vec<String>,
    /// All of them.
    count: usize,
}

/// So many broken constraints are told; the others are counted. A request of 1 MiB can break hundreds of
/// thousands, and its answer must not be longer than it.
const TOLD: usize = 50;

impl Violations {
    /// The message for the wire, if anything is broken.
    pub fn message(&self) -> Option<String> {
        let plural = if self.count == 1 { "" } else { "s" };
        (self.count > 0).then(|| {
            format!("{} validation error{plural} detected: {}", self.count, self.told.join("; "))
        })
    }

    /// `path` must be given.
    pub fn required<T>(&mut self, path: &str, member: Option<&T>) {
        if member.is_none() {
            self.tell(|| {
                format!(
                    "Value null at '{path}' failed to satisfy constraint: Member must not be null"
                )
            });
        }
    }

    /// The characters of `path` must number within `length`.
    pub fn length(&mut self, path: &str, member: Option<&Text>, length: RangeInclusive<usize>) {
        if let Some(text) = member {
            let count = text.as_str().chars().count();
            self.bounded((path, Some(cut(text.as_str()))), &count, "length", &length);
        }
    }

    /// The bytes of a secret text must number within `length`. The value is never printed.
    pub fn secret(
        &mut self,
        path: &str,
        member: Option<&SecretText>,
        length: RangeInclusive<usize>,
    ) {
        if let Some(text) = member {
            self.bounded((path, None), &text.value().len(), "length", &length);
        }
    }

    /// The decoded bytes of a blob must number within `length`. The value is never printed.
    pub fn blob(&mut self, path: &str, member: Option<&Blob>, length: RangeInclusive<usize>) {
        if let Some(blob) = member {
            self.bounded((path, None), &blob.value().len(), "length", &length);
        }
    }

    /// A number must lie within `range`.
    pub fn range(&mut self, path: &str, member: Option<Integer>, range: RangeInclusive<i64>) {
        if let Some(number) = member {
            let number = number.get();
            self.bounded((path, Some(&number.to_string())), &number, "value", &range);
        }
    }

    /// The elements of a list must number within `length`.
    pub fn count<T>(
        &mut self,
        path: &str,
        member: Option<&List<T>>,
        length: RangeInclusive<usize>,
        show: impl Fn(&T) -> String,
    ) {
        if let Some(list) = member {
            let elements: Vec<_> = list.as_slice().iter().take(2048).map(show).collect();
            let shown = format!("[{}]", elements.join(", "));
            self.bounded((path, Some(cut(&shown))), &list.as_slice().len(), "length", &length);
        }
    }

    /// Each text of a list must have a length within `length`; a broken one is told for the list.
    pub fn each(&mut self, path: &str, member: Option<&List<Text>>, length: RangeInclusive<usize>) {
        let broken = member.is_some_and(|list| {
            list.as_slice().iter().any(|it| !length.contains(&it.as_str().chars().count()))
        });
        if broken {
            let shown: Vec<_> = member
                .map_or(&[][..], List::as_slice)
                .iter()
                .map(Text::as_str)
                .filter(|it| !it.is_empty())
                .collect();
            self.tell(|| {
                format!(
                    "Value '[{}]' at '{path}' failed to satisfy constraint: Member must satisfy \
                 constraint: [Member must have length less than or equal to {}, Member must have \
                 length greater than or equal to {}]",
                    cut(&shown.join(", ")),
                    length.end(),
                    length.start(),
                )
            });
        }
    }

    /// A text must be one of `values`.
    pub fn one_of(&mut self, path: &str, member: Option<&Text>, values: &[&str]) {
        if let Some(text) = member.filter(|it| !values.contains(&it.as_str())) {
            self.tell(|| {
                format!(
                    "Value '{}' at '{path}' failed to satisfy constraint: Member must satisfy enum \
                 value set: [{}]",
                    cut(text.as_str()),
                    values.join(", "),
                )
            });
        }
    }

    /// A text must satisfy `holds`, which decides the model's regular expression `pattern`.
    pub fn pattern(
        &mut self,
        path: &str,
        member: Option<&Text>,
        pattern: &str,
        holds: impl Fn(&str) -> bool,
    ) {
        if let Some(text) = member.filter(|it| !holds(it.as_str())) {
            self.tell(|| format!(
                "Value '{}' at '{path}' failed to satisfy constraint: Member must satisfy regular \
                 expression pattern: {pattern}",
                cut(text.as_str()),
            ));
        }
    }

    /// The same for the bytes of a secret text. The value is never printed.
    pub fn secret_pattern(
        &mut self,
        path: &str,
        member: Option<&SecretText>,
        pattern: &str,
        holds: impl Fn(&[u8]) -> bool,
    ) {
        if member.is_some_and(|it| !holds(it.value().expose())) {
            self.tell(|| {
                format!(
                    "Value at '{path}' failed to satisfy constraint: Member must satisfy regular \
                 expression pattern: {pattern}",
                )
            });
        }
    }

    fn bounded<N: PartialOrd + Display>(
        &mut self,
        (path, shown): (&str, Option<&str>),
        measured: &N,
        what: &str,
        bounds: &RangeInclusive<N>,
    ) {
        let (side, bound) = if measured < bounds.start() {
            ("greater", bounds.start())
        } else if measured > bounds.end() {
            ("less", bounds.end())
        } else {
            return;
        };
        let mut item = String::from("Value ");
        if let Some(shown) = shown {
            let _infallible = write!(item, "'{shown}' ");
        }
        let _infallible = write!(
            item,
            "at '{path}' failed to satisfy constraint: Member must have {what} {side} than or \
             equal to {bound}"
        );
        self.tell(|| item);
    }

    fn tell(&mut self, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.told.len() < TOLD {
            self.told.push(text());
        }
    }
}

/// At most 2,048 bytes of a value: a message need not be as long as what was sent.
fn cut(value: &str) -> &str {
    value.get(..value.floor_char_boundary(2048)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(check: impl FnOnce(&mut Violations)) -> String {
        let mut found = Violations::default();
        check(&mut found);
        found.message().unwrap_or_default()
    }

    #[test]
    fn items_follow_the_grammar() {
        let short = Text::from("short");
        let list: List<Text> = serde_json::from_str(r#"[""]"#).expect("list");
        let none: List<Text> = serde_json::from_str("[]").expect("list");
        let secret: SecretText = serde_json::from_str(r#""""#).expect("text");
        let number: Integer = serde_json::from_str("5000").expect("number");
        #[rustfmt::skip]
        let cases = [
            (message(|it| it.length("clientRequestToken", Some(&short), 32..=64)),
             "1 validation error detected: Value 'short' at 'clientRequestToken' failed to satisfy constraint: Member must have length greater than or equal to 32"),
            (message(|it| it.count("versionStages", Some(&none), 1..=20, |it| it.as_str().to_owned())),
             "1 validation error detected: Value '[]' at 'versionStages' failed to satisfy constraint: Member must have length greater than or equal to 1"),
            (message(|it| it.each("versionStages", Some(&list), 1..=256)),
             "1 validation error detected: Value '[]' at 'versionStages' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 1]"),
            (message(|it| it.secret("secretString", Some(&secret), 1..=65536)),
             "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length greater than or equal to 1"),
            (message(|it| it.required::<Text>("secretId", None)),
             "1 validation error detected: Value null at 'secretId' failed to satisfy constraint: Member must not be null"),
            (message(|it| it.range("passwordLength", Some(number), 1..=4096)),
             "1 validation error detected: Value '5000' at 'passwordLength' failed to satisfy constraint: Member must have value less than or equal to 4096"),
            (message(|it| it.one_of("sortOrder", Some(&short), &["asc", "desc"])),
             "1 validation error detected: Value 'short' at 'sortOrder' failed to satisfy constraint: Member must satisfy enum value set: [asc, desc]"),
            (message(|it| it.length("secretId", Some(&short), 1..=2048)), ""),
        ];
        for (message, expected) in cases {
            assert_eq!(message, expected);
        }
    }

    #[test]
    fn a_flood_is_counted_and_not_repeated() {
        let text = message(|it| (0..1000).for_each(|_| it.required::<Text>("secretId", None)));
        assert!(text.starts_with("1000 validation errors detected: "), "{text}");
        assert_eq!(text.matches("must not be null").count(), TOLD);
        let long = Text::from("x".repeat(600_000).as_str());
        assert!(message(|it| it.length("name", Some(&long), 1..=512)).len() < 4096);
    }

    #[test]
    fn several_are_listed_in_order() {
        let text = message(|it| {
            it.required::<Text>("secretId", None);
            it.length("versionId", Some(&Text::from("x")), 32..=64);
        });
        assert!(text.starts_with("2 validation errors detected: Value null at 'secretId'"));
        assert!(text.contains("null; Value 'x' at 'versionId'"), "{text}");
    }
}
