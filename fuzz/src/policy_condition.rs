//! Values of conditions, the policy's and the request's.

use policy::engine::{
    Attached, Caller, CallerKind, Grammar, MapContext, Policies, Policy, Request, decide,
};

/// Takes `input` for the policy's value, a line end, and the request's value; further lines are
/// further values of the policy.
///
/// An operator and its negation never hold at once. One value is the same alone, as a set, and
/// where it need not be there.
pub fn policy_condition(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    if text.len() > LONGEST {
        return;
    }
    let mut lines = text.split('\n');
    let (Some(first), Some(actual)) = (lines.next(), lines.next()) else { return };
    let values: Vec<&str> = std::iter::once(first).chain(lines).take(8).collect();
    for (operator, negation) in OPERATORS {
        let plain = holds(operator, &values, actual);
        for other in [
            format!("{operator}IfExists"),
            format!("ForAnyValue:{operator}"),
            format!("ForAllValues:{operator}"),
        ] {
            assert_eq!(holds(&other, &values, actual), plain, "{other}");
        }
        if !negation.is_empty() {
            assert!(!(plain && holds(negation, &values, actual)), "{operator} and {negation}");
        }
    }
}

fn holds(operator: &str, values: &[&str], actual: &str) -> bool {
    let policy = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "*",
            "Resource": "*",
            "Condition": { operator: { "x:key": values } },
        },
    });
    let Ok(policy) = Policy::compile(&policy.to_string(), Grammar::Resource) else {
        panic!("every text is a value of a condition");
    };
    let account = "111122223333".parse().expect("an account");
    let context = MapContext::new().with("x:Key", actual);
    let request = Request {
        caller: Caller {
            account: &account,
            arn: "arn:aws:iam::111122223333:user/alice",
            kind: CallerKind::User { id: "AIDAQ3EGVEXAMPLEALICE" },
        },
        action: "kms:Decrypt",
        resource: None,
        resource_account: &account,
        context: &context,
    };
    let attached = [Attached { id: "it", policy: &policy }];
    decide(&request, &Policies { resource: &attached, ..Policies::default() }).is_allow()
}

/// Operators and their negations, where there is one.
const OPERATORS: [(&str, &str); 17] = [
    ("ArnEquals", "ArnNotEquals"),
    ("ArnLike", "ArnNotLike"),
    ("BinaryEquals", ""),
    ("Bool", ""),
    ("DateEquals", "DateNotEquals"),
    ("DateGreaterThan", ""),
    ("DateLessThan", ""),
    ("DateLessThanEquals", ""),
    ("IpAddress", "NotIpAddress"),
    ("NumericEquals", "NumericNotEquals"),
    ("NumericGreaterThan", ""),
    ("NumericGreaterThanEquals", ""),
    ("NumericLessThan", ""),
    ("StringEquals", "StringNotEquals"),
    ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    ("StringLike", "StringNotLike"),
    ("StringNotLike", "StringLike"),
];

/// What fits into a policy, however it is escaped.
const LONGEST: usize = 16_384;
