//! How a case of each known deviation is recognised.

use serde_json::Value;
use std::net::IpAddr;

/// How a deviation is recognised, in a case from which nothing can be left away.
pub(super) struct Mark {
    pub(super) name: &'static str,
    pub(super) shows: fn(&Case<'_>) -> bool,
    /// Whether it is about when a statement applies: what that does depends on its effect, so it
    /// may turn a verdict either way.
    pub(super) either: bool,
}

#[rustfmt::skip]
pub(super) const MARKS: &[Mark] = &[
    Mark { name: "address-of-other-family", shows: address_of_other_family, either: true },
    Mark { name: "all-addresses", shows: all_addresses, either: true },
    Mark { name: "any-value-if-exists", shows: any_value_if_exists, either: true },
    Mark { name: "binary-unreadable", shows: binary_unreadable, either: true },
    Mark { name: "edition-of-2008", shows: edition_of_2008, either: true },
    Mark { name: "empty-set", shows: empty_set, either: true },
    Mark { name: "epoch-and-calendar", shows: epoch_and_calendar, either: true },
    Mark { name: "everyone-within-boundary", shows: everyone_within_boundary, either: false },
    Mark { name: "federated-without-session-policy", shows: federated_without_session, either: false },
    Mark { name: "fixed-variable", shows: fixed_variable, either: true },
    Mark { name: "get-session-token", shows: get_session_token, either: false },
    Mark { name: "key-policy-without-resource", shows: key_policy_without_resource, either: true },
    Mark { name: "negated-missing-variable", shows: negated_missing_variable, either: true },
    Mark { name: "negated-unreadable", shows: negated_unreadable, either: true },
    Mark { name: "not-principal", shows: not_principal, either: false },
    Mark { name: "quantity-unreadable", shows: quantity_unreadable, either: true },
    Mark { name: "session-named", shows: session_named, either: false },
    Mark { name: "short-arn-pattern", shows: short_arn_pattern, either: true },
    Mark { name: "web-identity-in-account", shows: web_identity_in_account, either: true },
    Mark { name: "web-identity-is-not-everyone", shows: web_identity_is_everyone, either: false },
];

/// A case from which nothing can be left away.
pub(super) struct Case<'a> {
    pub(super) json: &'a Value,
}

/// Operator, key and values of a condition.
struct Condition<'a> {
    operator: &'a str,
    key: &'a str,
    values: Vec<String>,
}

impl Condition<'_> {
    fn is_negated(&self) -> bool {
        self.operator.contains("Not")
    }
}

impl<'a> Case<'a> {
    fn is(&self, kind: &str) -> bool {
        self.text("/caller/kind") == kind
    }

    /// The text that `pointer` leads to, empty if it leads to none.
    fn text(&self, pointer: &str) -> &'a str {
        self.json.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn has(&self, member: &str) -> bool {
        self.json.get(member).is_some_and(|it| !it.is_null())
    }

    /// All statements of all policies.
    fn statements(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        let policies = self.json.as_object().into_iter().flatten().flat_map(|(_, it)| leaves(it));
        policies.filter_map(|it| it["Statement"].as_array()).flatten()
    }

    fn resource_statements(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        let statements = self.json.pointer("/resource_policy/Statement");
        statements.and_then(Value::as_array).into_iter().flatten()
    }

    fn resource_allows(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.resource_statements().filter(|it| it["Effect"] == "Allow")
    }

    fn conditions(&self) -> Vec<Condition<'a>> {
        self.statements().flat_map(conditions).collect()
    }

    /// What the request has for `key`, whose name has no case, if it tells it at all.
    fn told(&self, key: &str) -> Option<&'a Value> {
        let mut told = self.json["context"].as_object().into_iter().flatten();
        told.find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
    }
}

impl Case<'_> {
    /// Whether the caller has `key` without its being told.
    fn follows(&self, key: &str) -> bool {
        match key.to_ascii_lowercase().as_str() {
            "aws:principalaccount" => !self.is("service") && !self.is("web"),
            "aws:username" => self.is("user"),
            _ => false,
        }
    }

    /// Whether a condition with such an operator is as `like` says, which is given what the
    /// request tells and what the policy asks for.
    fn any(&self, operator: &str, like: impl Fn(&[String], &[String]) -> bool) -> bool {
        let mut conditions = self.conditions().into_iter();
        conditions.any(|it| {
            let actual = self.told(it.key).map(leaves).unwrap_or_default();
            let actual: Vec<_> = actual.into_iter().map(plain).collect();
            it.operator.contains(operator) && like(&actual, &it.values)
        })
    }
}

/// The policies in a member of a case, which may be one, a list, or a list of lists.
fn leaves(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().flat_map(leaves).collect(),
        value => vec![value],
    }
}

fn conditions(statement: &Value) -> impl Iterator<Item = Condition<'_>> {
    let block = statement["Condition"].as_object().into_iter().flatten();
    block.flat_map(|(operator, keys)| {
        keys.as_object().into_iter().flatten().map(move |(key, values)| Condition {
            operator,
            key,
            values: leaves(values).into_iter().map(plain).collect(),
        })
    })
}

/// A value as the text that it is compared as.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn names(statement: &Value, principal: &str) -> bool {
    let listed = &statement["Principal"];
    listed == principal || leaves(&listed["AWS"]).iter().any(|it| *it == principal)
}

fn address_of_other_family(case: &Case<'_>) -> bool {
    let address = |it: &String| it.parse::<IpAddr>().ok();
    case.any("NotIpAddress", |actual, wanted| {
        let mut pairs = actual.iter().filter_map(address).flat_map(|actual| {
            wanted.iter().filter_map(address).map(move |wanted| (actual, wanted))
        });
        pairs.any(|(actual, wanted)| actual.is_ipv4() != wanted.is_ipv4())
    })
}

fn all_addresses(case: &Case<'_>) -> bool {
    case.any("IpAddress", |_, wanted| wanted.iter().any(|it| it.ends_with("/0")))
}

fn binary_unreadable(case: &Case<'_>) -> bool {
    let of_base64 = |it: u8| it.is_ascii_alphanumeric() || b"+/=".contains(&it);
    case.any("BinaryEquals", |_, wanted| !wanted.iter().all(|it| it.bytes().all(of_base64)))
}

fn edition_of_2008(case: &Case<'_>) -> bool {
    let policies = case.json.as_object().into_iter().flatten().flat_map(|(_, it)| leaves(it));
    let mut old = policies.filter(|it| it["Version"] == "2008-10-17");
    old.any(|it| it.to_string().contains("${"))
}

fn empty_set(case: &Case<'_>) -> bool {
    let is_empty = |it: &Value| it.as_array().is_some_and(Vec::is_empty);
    case.conditions().iter().any(|it| case.told(it.key).is_some_and(is_empty))
}

fn epoch_and_calendar(case: &Case<'_>) -> bool {
    let is_epoch = |it: &String| it.bytes().all(|it| it.is_ascii_digit());
    case.any("Date", |actual, wanted| {
        actual.iter().any(|actual| wanted.iter().any(|it| is_epoch(it) != is_epoch(actual)))
    })
}

fn fixed_variable(case: &Case<'_>) -> bool {
    let fixed = |it: &String| ["${*}", "${?}", "${$}"].iter().any(|fixed| it.contains(fixed));
    case.any("Equals", |_, wanted| wanted.iter().any(fixed))
}

fn key_policy_without_resource(case: &Case<'_>) -> bool {
    let on_key = case.text("/resource").contains(":key/");
    let bare = |it: &Value| it.get("Resource").is_none() && it.get("NotResource").is_none();
    on_key && case.resource_statements().any(bare)
}

fn quantity_unreadable(case: &Case<'_>) -> bool {
    let is_number = |it: &String| it.parse::<f64>().is_ok();
    let of_date = |it: u8| it.is_ascii_digit() || b"TZ:.+-".contains(&it);
    let is_date =
        |it: &String| it.starts_with(|it: char| it.is_ascii_digit()) && it.bytes().all(of_date);
    case.any("Numeric", |actual, wanted| !actual.iter().chain(wanted).all(is_number))
        || case.any("Date", |actual, wanted| !actual.iter().chain(wanted).all(is_date))
}

fn any_value_if_exists(case: &Case<'_>) -> bool {
    let mut conditions = case.conditions().into_iter();
    conditions.any(|it| {
        let operator = it.operator;
        let is_one = operator.starts_with("ForAnyValue:") && operator.ends_with("IfExists");
        is_one && case.told(it.key).is_none_or(|it| leaves(it).is_empty())
    })
}

fn federated_without_session(case: &Case<'_>) -> bool {
    case.is("federated") && !case.has("session")
}

fn get_session_token(case: &Case<'_>) -> bool {
    let denied = case.statements().any(|it| it["Effect"] == "Deny");
    case.json["action"] == "sts:GetSessionToken" && !denied
}

fn not_principal(case: &Case<'_>) -> bool {
    case.statements().any(|it| it["Effect"] == "Deny" && it.get("NotPrincipal").is_some())
}

fn everyone_within_boundary(case: &Case<'_>) -> bool {
    case.has("boundary") && case.resource_allows().any(|it| names(it, "*"))
}

fn session_named(case: &Case<'_>) -> bool {
    let arn = case.text("/caller/arn");
    let by_key = |it: &Value| {
        names(it, "*") && conditions(it).any(|it| it.key.eq_ignore_ascii_case("aws:PrincipalArn"))
    };
    case.has("session") && case.resource_allows().any(|it| names(it, arn) || by_key(it))
}

fn negated_missing_variable(case: &Case<'_>) -> bool {
    let missing = |value: &String| {
        variables(value).any(|it| !case.told(it).is_some_and(Value::is_string) && !case.follows(it))
    };
    case.conditions().iter().any(|it| it.is_negated() && it.values.iter().any(missing))
}

/// The keys of the variables without default in `text`.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    let inner = text.split("${").skip(1).filter_map(|it| it.split_once('}'));
    inner.map(|(key, _)| key.trim()).filter(|it| it.contains(':') && !it.contains(','))
}

fn negated_unreadable(case: &Case<'_>) -> bool {
    let unreadable = |it: Condition<'_>| {
        let actual = case.told(it.key).map(leaves).unwrap_or_default();
        let actual: Vec<_> = actual.into_iter().map(plain).collect();
        // The only key with an ARN that isn't told but follows.
        let has_arn = it.key.eq_ignore_ascii_case("aws:PrincipalArn");
        let of_arn = actual.iter().all(|it| is_arn(it)) && (has_arn || !actual.is_empty());
        let of_address = actual.iter().all(|it| it.parse::<IpAddr>().is_ok()) && !actual.is_empty();
        let wanted = it.values.iter().all(|it| is_arn(it) || is_short(it));
        it.operator.contains("ArnNot") && !(of_arn && wanted)
            || it.operator.contains("NotIpAddress") && !of_address
    };
    case.conditions().into_iter().any(unreadable)
}

fn is_arn(text: &str) -> bool {
    text.splitn(6, ':').count() == 6
}

/// Whether it is a pattern that ends in a `*` before its sixth part.
fn is_short(text: &str) -> bool {
    !is_arn(text) && text.ends_with('*')
}

fn short_arn_pattern(case: &Case<'_>) -> bool {
    case.any("Arn", |_, wanted| wanted.iter().any(|it| is_short(it)))
}

fn web_identity_in_account(case: &Case<'_>) -> bool {
    let denies = |it: &Value| it["Effect"] == "Deny" && it["Principal"].get("AWS").is_some();
    case.is("web") && case.statements().any(denies)
}

fn web_identity_is_everyone(case: &Case<'_>) -> bool {
    case.is("web") && case.resource_allows().any(|it| names(it, "*"))
}
