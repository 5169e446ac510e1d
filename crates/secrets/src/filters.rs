//! Filters of ListSecrets and BatchGetSecretValue.
//!
//! Filters are ANDed, the values inside one are ORed, a leading `!` negates its value. Source: API
//! Reference, `Filter`; User Guide, "Find secrets".

use crate::Error;
use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use wire::Violations;
use wire::members::{List, Structure, Text};

/// A filter in a request.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub(crate) struct FilterGiven {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    values: Option<List<Text>>,
}

/// Filters in a request.
pub(crate) type FiltersGiven = List<Structure<FilterGiven>>;

/// A filter that can be asked about a secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    key: Key,
    values: Vec<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    All,
    Description,
    Name,
    OwningService,
    PrimaryRegion,
    TagName,
    TagValue,
}

#[derive(Debug, PartialEq, Eq)]
struct Value {
    negated: bool,
    text: String,
    /// The words of `text`.
    words: Vec<String>,
}

const KEYS: &[(&str, Key)] = &[
    ("description", Key::Description),
    ("name", Key::Name),
    ("tag-key", Key::TagName),
    ("tag-value", Key::TagValue),
    ("primary-region", Key::PrimaryRegion),
    ("owning-service", Key::OwningService),
    ("all", Key::All),
];

/// The model's constraints on filters.
pub(crate) fn constraints(found: &mut Violations, filters: Option<&FiltersGiven>) {
    found.count("filters", filters, 0..=10, |_| "Filter".to_owned());
    let names: Vec<_> = KEYS.iter().map(|(name, _)| *name).collect();
    for (index, Structure(filter)) in filters.map_or(&[][..], List::as_slice).iter().enumerate() {
        let path = format!("filters.{}.member", index + 1);
        found.one_of(&format!("{path}.key"), filter.key.as_ref(), &names);
        let values = format!("{path}.values");
        found.count(&values, filter.values.as_ref(), 0..=10, |it| it.as_str().to_owned());
        found.each(&values, filter.values.as_ref(), 0..=512);
        for value in filter.values.as_ref().map_or(&[][..], List::as_slice) {
            let pattern = r"^\!?[a-zA-Z0-9 :_@\/\+\=\.\-\!]*$";
            found.pattern(&values, Some(value), pattern, |text| {
                text.bytes().all(|it| it.is_ascii_alphanumeric() || b" :_@/+=.-!".contains(&it))
            });
        }
    }
}

/// The filters of a request, after the model's constraints were found to hold.
pub(crate) fn parse(given: Option<&FiltersGiven>) -> Result<Vec<Filter>, Error> {
    given.map_or(&[][..], List::as_slice).iter().map(|Structure(it)| parse_one(it)).collect()
}

fn parse_one(given: &FilterGiven) -> Result<Filter, Error> {
    let key = given
        .key
        .as_ref()
        .and_then(|name| KEYS.iter().find(|(it, _)| *it == name.as_str()))
        .ok_or_else(|| Error::Filter("Invalid filter key".to_owned()))?;
    let values: Vec<_> = given
        .values
        .as_ref()
        .map_or(&[][..], List::as_slice)
        .iter()
        .map(|it| match it.as_str().strip_prefix('!') {
            Some(text) => Value::new(true, text),
            None => Value::new(false, it.as_str()),
        })
        .collect();
    if values.is_empty() {
        return Err(Error::Filter(format!("Invalid filter values for key: {}", key.0)));
    }
    Ok(Filter { key: key.1, values })
}

impl Filter {
    /// Whether `secret` passes.
    pub(crate) fn passes(&self, secret: &Secret) -> bool {
        // Taken apart once for all values: a page looks at many secrets.
        let texts: Vec<_> = self.key.texts(secret).into_iter().map(words).collect();
        self.values.iter().any(|it| self.key.matches(secret, &texts, it) != it.negated)
    }
}

impl Value {
    fn new(negated: bool, text: &str) -> Self {
        Self { negated, text: text.to_owned(), words: words(text) }
    }
}

impl Key {
    /// The texts whose words count; none where the key asks how a text begins.
    fn texts(self, secret: &Secret) -> Vec<&str> {
        match self {
            Self::All => attributes(secret).collect(),
            Self::Description => secret.description.as_deref().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn matches(self, secret: &Secret, texts: &[Vec<String>], value: &Value) -> bool {
        let text = value.text.as_str();
        let tags = || secret.tags.iter().flatten();
        let starts = |it: &Option<String>| it.as_ref().is_some_and(|it| it.starts_with(text));
        match self {
            Self::All | Self::Description => texts.iter().any(|it| words_start(it, &value.words)),
            Self::Name => secret.name.starts_with(text),
            Self::OwningService => starts(&secret.owning_service),
            // No secret has replicas yet.
            Self::PrimaryRegion => false,
            Self::TagName => tags().any(|(key, _)| key.starts_with(text)),
            Self::TagValue => tags().any(|(_, value)| value.starts_with(text)),
        }
    }
}

/// What the filter `all` looks at, one by one.
fn attributes(secret: &Secret) -> impl Iterator<Item = &str> {
    let tags = secret.tags.iter().flatten().flat_map(|(key, value)| [key.as_str(), value]);
    std::iter::once(secret.name.as_str())
        .chain(secret.description.as_deref())
        .chain(secret.owning_service.as_deref())
        .chain(tags)
}

/// Whether each word of `asked` starts a word of `text`, in any order and case.
fn words_start(text: &[String], asked: &[String]) -> bool {
    !asked.is_empty()
        && asked.iter().all(|it| text.iter().any(|word| word.starts_with(it.as_str())))
}

/// Splits at punctuation, between letter and digit, and from lower to upper case; in lower case.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for now in text.chars() {
        let breaks = !before.is_alphanumeric()
            || before.is_numeric() != now.is_numeric()
            || (before.is_lowercase() && now.is_uppercase());
        if now.is_alphanumeric() {
            match words.last_mut().filter(|_| !breaks) {
                Some(word) => word.extend(now.to_lowercase()),
                None => words.push(now.to_lowercase().collect()),
            }
        }
        before = now;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn secret() -> Secret {
        let place = crate::secret::Place {
            account: "111122223333".parse().expect("valid"),
            region: "us-east-1".parse().expect("valid"),
        };
        let mut secret =
            Secret::new(&place, "DatabaseSecret", base::Timestamp::default(), &base::SystemEntropy);
        secret.description = Some("Description of my secret".to_owned());
        secret.tags = Some(BTreeMap::from([("Team".to_owned(), "ShopFront".to_owned())]));
        secret
    }

    #[test]
    fn words_split_as_documented() {
        assert_eq!(words("credsDatabase#892"), ["creds", "database", "892"]);
        assert_eq!(words("--"), Vec::<String>::new());
        assert_eq!(words("My Description"), ["my", "description"]);
        assert_eq!(words("ABCdef"), ["abcdef"]);
    }

    #[test]
    fn each_key_matches_its_way() {
        #[rustfmt::skip]
        let cases = [
            ("name",           "Data",           true),
            ("name",           "data",           false),
            ("name",           "Secret",         false),
            ("name",           "!Data",          false),
            ("name",           "!/",             true),
            ("description",    "My Description", true),
            ("description",    "desc sec",       true),
            ("description",    "ecret",          false),
            ("description",    "--",             false),
            ("description",    "!other",         true),
            ("tag-key",        "Te",             true),
            ("tag-key",        "te",             false),
            ("tag-value",      "Shop",           true),
            ("tag-value",      "!Shop",          false),
            ("all",            "front shop",     true),
            ("all",            "database",       true),
            ("all",            "database team",  false), // not the same attribute
            ("owning-service", "rds",            false),
            ("owning-service", "!rds",           true),
            ("primary-region", "us",             false),
        ];
        let secret = secret();
        for (key, value, expected) in cases {
            let json = format!(r#"[{{"Key":"{key}","Values":["{value}"]}}]"#);
            let given: FiltersGiven = serde_json::from_str(&json).expect("filters");
            let filters = parse(Some(&given)).expect("valid");
            assert_eq!(filters.iter().all(|it| it.passes(&secret)), expected, "{key} {value}");
        }
    }

    #[test]
    fn a_filter_needs_key_and_values() {
        for (json, message) in [
            (r#"[{"Values":["a"]}]"#, "Invalid filter key"),
            (r#"[{"Key":"name"}]"#, "Invalid filter values for key: name"),
            (r#"[{"Key":"name","Values":[]}]"#, "Invalid filter values for key: name"),
        ] {
            let given: FiltersGiven = serde_json::from_str(json).expect("filters");
            assert_eq!(parse(Some(&given)).expect_err("invalid").to_string(), message);
        }
    }
}
