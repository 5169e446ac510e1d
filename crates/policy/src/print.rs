//! The form in which a stored policy is handed back.

use crate::Invalid;
use crate::tree::{self, Node};
use std::fmt::Write;

/// Prints a JSON text as Jackson's default pretty printer does: objects over lines with two
/// spaces per level, ` : ` after names, lists on the line, `{ }` and `[ ]` when empty.
///
/// Members keep their order. Strings are escaped only where they must be, so anything beyond
/// ASCII stands as it is. Whole numbers keep their digits; others are printed as Java prints a
/// double. Printing twice changes nothing.
///
/// # Errors
///
/// [`Invalid::Syntax`] if `text` is not JSON, names a member twice, or is too long or too deep.
///
/// Source: recorded answers of GetResourcePolicy.
pub fn pretty(text: &str) -> Result<String, Invalid> {
    let mut out = String::with_capacity(text.len() * 2);
    value(&tree::parse(text)?, 0, &mut out);
    Ok(out)
}

fn value(node: &Node, level: usize, out: &mut String) {
    match node {
        Node::Null => out.push_str("null"),
        Node::Bool(it) => out.push_str(if *it { "true" } else { "false" }),
        Node::Number(digits) => out.push_str(digits),
        Node::Text(text) => string(text, out),
        Node::List(values) => list(values, level, out),
        Node::Object(members) => object(members, level, out),
    }
}

fn object(members: &[(String, Node)], level: usize, out: &mut String) {
    out.push('{');
    for (index, (name, member)) in members.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        line(level + 1, out);
        string(name, out);
        out.push_str(" : ");
        value(member, level + 1, out);
    }
    match members {
        [] => out.push(' '),
        _ => line(level, out),
    }
    out.push('}');
}

/// Lists stay on the line, so they don't deepen the indentation of what they hold.
fn list(values: &[Node], level: usize, out: &mut String) {
    out.push('[');
    for (index, it) in values.iter().enumerate() {
        out.push_str(if index == 0 { " " } else { ", " });
        value(it, level, out);
    }
    out.push_str(" ]");
}

fn line(level: usize, out: &mut String) {
    out.push('\n');
    (0..level).for_each(|_| out.push_str("  "));
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for it in text.chars() {
        match it {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..'\u{20}' => _ = write!(out, "\\u{:04X}", u32::from(it)),
            _ => out.push(it),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn a_policy_as_it_was_recorded() {
        let sent = concat!(
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","#,
            r#""Principal":{"AWS":"arn:aws:iam::111122223333:root"},"#,
            r#""Action":"secretsmanager:GetSecretValue","Resource":"*"}]}"#,
        );
        let kept = concat!(
            "{\n  \"Version\" : \"2012-10-17\",\n  \"Statement\" : [ {\n",
            "    \"Effect\" : \"Deny\",\n    \"Principal\" : {\n",
            "      \"AWS\" : \"arn:aws:iam::111122223333:root\"\n    },\n",
            "    \"Action\" : \"secretsmanager:GetSecretValue\",\n    \"Resource\" : \"*\"\n",
            "  } ]\n}",
        );
        assert_eq!(pretty(sent).expect("valid"), kept);
    }

    #[test]
    fn each_kind_of_value() {
        for (sent, kept) in [
            ("{}", "{ }"),
            ("[]", "[ ]"),
            (r#"{"a":{}}"#, "{\n  \"a\" : { }\n}"),
            (r#"["a","b"]"#, r#"[ "a", "b" ]"#),
            (r#"[{"a":1},{"b":[2]}]"#, "[ {\n  \"a\" : 1\n}, {\n  \"b\" : [ 2 ]\n} ]"),
            (r#"{"b":[[],{}],"a":null}"#, "{\n  \"b\" : [ [ ], { } ],\n  \"a\" : null\n}"),
            ("true", "true"),
            (r#""é\u00e9\/\u0001\u001f\b\t\n\f\r\"\\""#, r#""éé/\u0001\u001F\b\t\n\f\r\"\\""#),
            ("\"\u{7f}\u{2028}😀\"", "\"\u{7f}\u{2028}😀\""),
            ("[-0,1.50]", "[ 0, 1.5 ]"),
        ] {
            assert_eq!(pretty(sent).expect(sent), kept, "{sent}");
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            // Few digits: those serde_json reads exactly.
            (-1_000_000_i32..1_000_000).prop_map(|it| Value::from(f64::from(it) / 100.0)),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..5)
                    .prop_map(|it| Value::Object(it.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn printing_twice_changes_nothing_and_the_value_stays(sent in json()) {
            let once = pretty(&sent.to_string()).expect("valid");
            prop_assert_eq!(&serde_json::from_str::<Value>(&once).expect("valid"), &sent);
            prop_assert_eq!(pretty(&once).expect("valid"), once);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            if let Ok(once) = pretty(&text) {
                prop_assert_eq!(pretty(&once).expect("valid"), once);
            }
        }
    }
}
