//! Whether a policy opens its resource to everyone.

use crate::network::Cidr;
use crate::{
    Comparison, Condition, Document, Effect, Operator, Principal, Quantifier, Selection, Statement,
};
use base::Arn;

impl Document {
    /// Whether some statement lets in callers that nobody chose.
    ///
    /// Errs on the side of yes, looking at each statement by itself: an `Allow` for everyone is
    /// public unless one of its conditions holds it to fixed callers, accounts, organizations or
    /// networks; an `Allow` with `NotPrincipal` always is. A `Deny` elsewhere makes nothing less
    /// public.
    ///
    /// Source: S3 User Guide, "The meaning of public", of which this is the part that can be
    /// judged by form.
    pub fn is_public(&self) -> bool {
        self.statements().iter().any(is_public)
    }
}

fn is_public(statement: &Statement) -> bool {
    let open = match &statement.principals {
        Selection::AllBut(_) => true,
        Selection::Of(principals) => {
            principals.contains(&Principal::Everyone) && !statement.conditions.iter().any(pins)
        }
    };
    open && statement.effect == Effect::Allow
}

/// Whether the condition holds only for callers, or networks, that were chosen.
fn pins(condition: &Condition) -> bool {
    let Condition { operator, key, values } = condition;
    match kind_of(key) {
        Some(Kind::Arn) => values.iter().all(|it| pins_arn(*operator, it)),
        Some(Kind::Name) => is_text_match(*operator) && values.iter().all(|it| is_fixed(it)),
        Some(Kind::Path) => pins_path(*operator, values),
        Some(Kind::Network) => {
            must_match(*operator)
                && operator.comparison == Comparison::IpAddress
                && pins_network(values)
        }
        None => false,
    }
}

/// What the values of a key that can pin a statement are.
#[derive(Clone, Copy)]
enum Kind {
    Arn,
    Name,
    Network,
    Path,
}

fn kind_of(key: &str) -> Option<Kind> {
    KEYS.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, kind)| *kind)
}

/// The keys that say who calls, or from where, and that a caller can't choose.
const KEYS: [(&str, Kind); 11] = [
    ("aws:PrincipalAccount", Kind::Name),
    ("aws:PrincipalArn", Kind::Arn),
    ("aws:PrincipalOrgID", Kind::Name),
    ("aws:PrincipalOrgPaths", Kind::Path),
    ("aws:SourceAccount", Kind::Name),
    ("aws:SourceArn", Kind::Arn),
    ("aws:SourceIp", Kind::Network),
    ("aws:SourceVpc", Kind::Name),
    ("aws:SourceVpce", Kind::Name),
    ("aws:userid", Kind::Name),
    ("kms:CallerAccount", Kind::Name),
];

/// Whether a request without the key fails: not so with `…IfExists` and `ForAllValues:`.
fn must_match(operator: Operator) -> bool {
    !operator.if_exists && operator.quantifier != Some(Quantifier::All)
}

fn is_text_match(operator: Operator) -> bool {
    use Comparison::{StringEquals, StringEqualsIgnoreCase, StringLike};
    must_match(operator)
        && matches!(operator.comparison, StringEquals | StringEqualsIgnoreCase | StringLike)
}

/// Whether `value` is itself and nothing else: no wildcard, no variable.
///
/// A wildcard counts even where the operator takes it literally.
fn is_fixed(value: &str) -> bool {
    !value.is_empty() && !value.contains(['*', '?']) && !value.contains("${")
}

/// Whether the caller must be in a chosen organization: each value begins with its whole id.
fn pins_path(operator: Operator, values: &[Box<str>]) -> bool {
    let some = operator.quantifier == Some(Quantifier::Any) && is_text_match(operator);
    some && values.iter().all(|it| it.split_once('/').is_some_and(|(id, _)| is_fixed(id)))
}

/// Whether an ARN that matches `value` is in a chosen account, or is a chosen ARN.
fn pins_arn(operator: Operator, value: &str) -> bool {
    use Comparison::{ArnEquals, ArnLike, StringEquals, StringEqualsIgnoreCase};
    let Ok(arn) = Arn::parse(value) else {
        return false;
    };
    let before = [arn.partition, arn.service, arn.region].concat();
    // A variable may hold colons, and then the account isn't where it seems to be.
    let account = arn.account().is_some() && !before.contains("${");
    match operator.comparison {
        ArnEquals | ArnLike => must_match(operator) && (account || is_fixed(value)),
        // Here a wildcard runs over colons, so all before the account must be fixed as well.
        Comparison::StringLike => {
            must_match(operator) && (is_fixed(value) || account && is_fixed(&before))
        }
        StringEquals | StringEqualsIgnoreCase => must_match(operator) && is_fixed(value),
        _ => false,
    }
}

/// Whether the ranges are a choice of networks: none is wider than [`WIDEST_V4`] or
/// [`WIDEST_V6`], and together they stay below half of all IPv4 addresses.
///
/// So many IPv6 ranges as would matter don't fit into a policy.
fn pins_network(values: &[Box<str>]) -> bool {
    let mut total: u64 = 0;
    values.iter().all(|value| match Cidr::parse(value) {
        Some(range) if range.address.is_ipv4() => {
            total += 1 << (32 - range.prefix.min(32));
            range.prefix >= WIDEST_V4 && total < 1 << 31
        }
        Some(range) => range.prefix >= WIDEST_V6,
        None => false,
    })
}

/// Source: S3 User Guide, "The meaning of public": broader values are public.
const WIDEST_V4: u8 = 8;
const WIDEST_V6: u8 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `Allow *` under the condition block `condition` is public.
    fn under(condition: &str) -> bool {
        let policy = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":"*","Action":"*","Condition":{condition}}}}}"#
        );
        Document::parse(&policy).expect(condition).is_public()
    }

    #[test]
    fn effect_and_principal() {
        for (statement, public) in [
            (r#""Effect":"Allow","Principal":"*""#, true),
            (r#""Effect":"Allow","Principal":{"AWS":"*"}"#, true),
            (r#""Effect":"Allow","Principal":{"AWS":["111122223333","*"]}"#, true),
            (r#""Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com","AWS":"*"}"#, true),
            (r#""Effect":"Allow","Principal":"*","Resource":"*","Condition":{}"#, true),
            (r#""Effect":"Deny","Principal":"*""#, false),
            (r#""Effect":"Allow","Principal":{"AWS":"111122223333"}"#, false),
            (r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/a"}"#, false),
            (r#""Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}"#, false),
            (r#""Effect":"Allow","NotPrincipal":{"AWS":"111122223333"}"#, true),
            (r#""Effect":"Allow","NotPrincipal":"*""#, true),
            (r#""Effect":"Deny","NotPrincipal":{"AWS":"111122223333"}"#, false),
            (
                r#""Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},
                   "Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}}"#,
                true,
            ),
        ] {
            let policy = format!(r#"{{"Statement":{{{statement},"Action":"kms:*"}}}}"#);
            let document = Document::parse(&policy).expect(statement);
            assert_eq!(document.is_public(), public, "{statement}");
        }
    }

    #[test]
    fn one_open_statement_is_enough_and_a_deny_does_not_close_it() {
        let closed = r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*"}"#;
        let open = r#"{"Effect":"Allow","Principal":"*","Action":"*"}"#;
        let deny = r#"{"Effect":"Deny","NotPrincipal":{"AWS":"111122223333"},"Action":"*"}"#;
        for (statements, public) in
            [(vec![closed], false), (vec![closed, open], true), (vec![open, deny], true)]
        {
            let policy = format!(r#"{{"Statement":[{}]}}"#, statements.join(","));
            assert_eq!(Document::parse(&policy).expect("valid").is_public(), public, "{policy}");
        }
    }

    #[test]
    fn a_fixed_value_of_a_listed_key_pins() {
        for (key, value) in [
            ("aws:PrincipalAccount", "111122223333"),
            ("aws:PrincipalArn", "arn:aws:iam::111122223333:role/app"),
            ("aws:PrincipalOrgID", "o-abcdefghij"),
            ("aws:SourceAccount", "111122223333"),
            ("aws:SourceArn", "arn:aws:s3:::bucket"),
            ("aws:SourceVpc", "vpc-0123456789abcdef0"),
            ("aws:SourceVpce", "vpce-0123456789abcdef0"),
            ("aws:userid", "AIDAQ3EGVEXAMPLE0123A"),
            ("kms:CallerAccount", "111122223333"),
            ("AWS:sourcevpc", "vpc-0123456789abcdef0"),
        ] {
            for (operator, public) in [
                ("StringEquals", false),
                ("StringEqualsIgnoreCase", false),
                ("StringLike", false),
                ("ForAnyValue:StringEquals", false),
                ("StringEqualsIfExists", true),
                ("ForAnyValue:StringEqualsIfExists", true),
                ("ForAllValues:StringEquals", true),
                ("StringNotEquals", true),
                ("StringNotLike", true),
                ("StringNotEqualsIgnoreCase", true),
                ("ArnNotEquals", true),
                ("ArnNotLike", true),
                ("NumericEquals", true),
                ("Bool", true),
                ("Null", true),
                ("IpAddress", true),
            ] {
                let condition = format!(r#"{{"{operator}":{{"{key}":"{value}"}}}}"#);
                assert_eq!(under(&condition), public, "{condition}");
            }
        }
    }

    #[test]
    fn values_must_be_fixed() {
        for (condition, public) in [
            (r#"{"StringEquals":{"aws:SourceAccount":123456789012}}"#, false),
            (r#"{"StringEquals":{"aws:SourceVpc":["vpc-1","vpc-2"]}}"#, false),
            (r#"{"StringLike":{"aws:SourceVpc":["vpc-1","vpc-*"]}}"#, true),
            (r#"{"StringLike":{"aws:SourceVpc":"*"}}"#, true),
            (r#"{"StringLike":{"aws:SourceAccount":"11112222333?"}}"#, true),
            (r#"{"StringEquals":{"aws:SourceAccount":"*"}}"#, true),
            (r#"{"StringEquals":{"aws:SourceAccount":""}}"#, true),
            (r#"{"StringLike":{"aws:userid":"AROAQ3EGVEXAMPLE0123A:*"}}"#, true),
            (r#"{"StringEquals":{"aws:PrincipalAccount":"${aws:PrincipalAccount}"}}"#, true),
            (r#"{"StringEquals":{"aws:PrincipalArn":"${aws:PrincipalArn}"}}"#, true),
            (r#"{"ArnEquals":{"aws:PrincipalArn":"${aws:PrincipalArn}"}}"#, true),
            (r#"{"StringEquals":{"aws:PrincipalTag/team":"red"}}"#, true),
            (r#"{"StringEquals":{"aws:PrincipalType":"User"}}"#, true),
            (r#"{"StringEquals":{"secretsmanager:VersionStage":"AWSCURRENT"}}"#, true),
            (r#"{"StringEquals":{"aws:SourceIp":"203.0.113.9"}}"#, true),
            (r#"{"Bool":{"aws:SecureTransport":"true"}}"#, true),
            (r#"{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":["o-a1b2c3d4e5/*"]}}"#, false),
            (
                r#"{"ForAnyValue:StringEquals":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5/r-ab12/"}}"#,
                false,
            ),
            (r#"{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":["o-a/*","o-*/*"]}}"#, true),
            (r#"{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5*"}}"#, true),
            (r#"{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"*/r-ab12/*"}}"#, true),
            (r#"{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"${aws:userid}/*"}}"#, true),
            (r#"{"ForAllValues:StringLike":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5/*"}}"#, true),
            (r#"{"ForAnyValue:StringNotLike":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5/*"}}"#, true),
            (r#"{"StringLike":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5/*"}}"#, true),
            (r#"{"StringEquals":{}}"#, true),
        ] {
            assert_eq!(under(condition), public, "{condition}");
        }
    }

    #[test]
    fn one_pinning_condition_among_others_is_enough() {
        let pin = r#""StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}"#;
        let other = r#""Bool":{"aws:SecureTransport":true}"#;
        assert!(!under(&format!("{{{other},{pin}}}")));
        assert!(!under(
            r#"{"StringEquals":{"aws:PrincipalTag/t":"x","aws:PrincipalOrgID":"o-abcdefghij"}}"#
        ));
        assert!(under(&format!("{{{other}}}")));
    }

    #[test]
    fn arns_are_pinned_by_their_account() {
        for (operator, arn, public) in [
            ("ArnLike", "arn:aws:iam::111122223333:role/*", false),
            ("ArnEquals", "arn:aws:iam::111122223333:role/*", false),
            ("ArnLike", "arn:aws:iam::111122223333:*", false),
            ("ArnLike", "arn:*:iam::111122223333:role/app", false),
            ("ForAnyValue:ArnLike", "arn:aws:iam::111122223333:role/*", false),
            ("StringLike", "arn:aws:iam::111122223333:role/*", false),
            ("StringLike", "arn:*:iam::111122223333:role/app", true),
            ("StringLike", "arn:aws:*::111122223333:role/app", true),
            ("StringLike", "arn:aws:iam:*:111122223333:role/app", true),
            ("StringEquals", "arn:aws:iam::111122223333:role/*", true),
            ("ArnLike", "arn:aws:iam::*:role/app", true),
            ("ArnLike", "arn:aws:iam::11112222333?:role/app", true),
            ("ArnLike", "arn:aws:iam::1111*:role/app", true),
            ("ArnLike", "arn:aws:iam::${aws:PrincipalAccount}:role/app", true),
            ("ArnLike", "arn:aws:iam:::role/*", true),
            ("ArnLike", "arn:aws:${aws:PrincipalTag/a}:111122223333:*:*", true),
            ("ArnLike", "arn:aws:iam::111122223333:user/${aws:username}", false),
            ("ArnLike", "arn:aws:s3:::bucket", false),
            ("ArnLike", "arn:aws:s3:::*", true),
            ("ArnLike", "*", true),
            ("ArnLike", "arn:aws:iam::111122223333", true),
            ("ArnLike", "", true),
            ("ArnLikeIfExists", "arn:aws:iam::111122223333:role/*", true),
            ("ForAllValues:ArnLike", "arn:aws:iam::111122223333:role/*", true),
            ("ArnNotLike", "arn:aws:iam::111122223333:role/*", true),
        ] {
            for key in ["aws:PrincipalArn", "aws:SourceArn"] {
                let condition = format!(r#"{{"{operator}":{{"{key}":"{arn}"}}}}"#);
                assert_eq!(under(&condition), public, "{condition}");
            }
        }
        let one_open = r#"["arn:aws:iam::111122223333:role/a","arn:aws:iam::*:role/a"]"#;
        assert!(under(&format!(r#"{{"ArnLike":{{"aws:PrincipalArn":{one_open}}}}}"#)));
    }

    #[test]
    fn networks_must_be_chosen() {
        let all_eights: Vec<_> = (0..=255).map(|it| format!("\"{it}.0.0.0/8\"")).collect();
        let some_eights = all_eights[..100].join(",");
        let all_eights = all_eights.join(",");
        for (operator, ranges, public) in [
            ("IpAddress", r#""203.0.113.0/24""#, false),
            ("IpAddress", r#""203.0.113.9""#, false),
            ("IpAddress", r#""10.0.0.0/8","203.0.113.0/24""#, false),
            ("IpAddress", r#""2001:db8::/32""#, false),
            ("IpAddress", r#""2001:db8::/32","203.0.113.9/32""#, false),
            ("ForAnyValue:IpAddress", r#""203.0.113.0/24""#, false),
            ("IpAddress", &some_eights, false),
            ("IpAddress", &all_eights, true),
            ("IpAddress", r#""0.0.0.0/0""#, true),
            ("IpAddress", r#""::/0""#, true),
            ("IpAddress", r#""203.0.113.9/0""#, true),
            ("IpAddress", r#""203.0.113.0/24","0.0.0.0/0""#, true),
            ("IpAddress", r#""0.0.0.0/1","128.0.0.0/1""#, true),
            ("IpAddress", r#""0.0.0.0/1""#, true),
            ("IpAddress", r#""10.0.0.0/7""#, true),
            ("IpAddress", r#""::/1","8000::/1""#, true),
            ("IpAddress", r#""2000::/31""#, true),
            ("IpAddress", r#""::ffff:0:0/96""#, true),
            ("IpAddress", r#""::ffff:203.0.113.0/120""#, false),
            ("IpAddress", r#""203.0.113.0/33""#, true),
            ("IpAddress", r#""*""#, true),
            ("IpAddress", r#""203.0.113.0/24","*""#, true),
            ("IpAddressIfExists", r#""203.0.113.0/24""#, true),
            ("ForAllValues:IpAddress", r#""203.0.113.0/24""#, true),
            ("NotIpAddress", r#""203.0.113.0/24""#, true),
        ] {
            let condition = format!(r#"{{"{operator}":{{"aws:SourceIp":[{ranges}]}}}}"#);
            assert_eq!(under(&condition), public, "{condition}");
        }
    }
}
