//! Numbers, in the one spelling that a stored policy has them in.

/// The JSON number `digits` as Java prints it: whole numbers digit by digit, however many; others
/// as `Double.toString` has them. `None` if no double is that large.
///
/// What a policy says must not depend on whether it was read as sent or as stored.
pub(crate) fn canonical(digits: &str) -> Option<Box<str>> {
    if digits.bytes().all(|it| it.is_ascii_digit() || it == b'-') {
        return Some(if digits == "-0" { "0" } else { digits }.into());
    }
    let double: f64 = digits.parse().ok().filter(|it: &f64| it.is_finite())?;
    let plain = (1e-3..1e7).contains(&double.abs()) || double == 0.0;
    Some(if plain { format!("{double:?}") } else { scientific(double) }.into())
}

/// `1.0E10`, `-2.5E-7`: a dot always, no sign before a positive exponent.
fn scientific(double: f64) -> String {
    let shortest = format!("{double:e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let dot = if mantissa.contains('.') { "" } else { ".0" };
    format!("{mantissa}{dot}E{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn as_java_prints_them() {
        for (digits, expected) in [
            ("0", Some("0")),
            ("-0", Some("0")),
            ("-12", Some("-12")),
            ("123456789012345678901234567890", Some("123456789012345678901234567890")),
            ("1.50", Some("1.5")),
            ("1e2", Some("100.0")),
            ("-0.0", Some("-0.0")),
            ("0.001", Some("0.001")),
            ("0.0001", Some("1.0E-4")),
            ("9999999.5", Some("9999999.5")),
            ("1e7", Some("1.0E7")),
            ("-2.5e-7", Some("-2.5E-7")),
            ("1E+300", Some("1.0E300")),
            ("1e-999", Some("0.0")),
            ("1e999", None),
            ("-1e999", None),
        ] {
            assert_eq!(canonical(digits).as_deref(), expected, "{digits}");
        }
    }

    proptest! {
        #[test]
        fn any_double_stays_the_same_double(sent in any::<f64>().prop_filter("", |it| it.is_finite())) {
            let kept = canonical(&format!("{sent:e}")).expect("finite");
            prop_assert_eq!(kept.parse::<f64>().expect("a number").to_bits(), sent.to_bits());
            prop_assert_eq!(canonical(&kept), Some(kept));
        }
    }
}
