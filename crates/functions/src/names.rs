//! From what names a function to an account, a Region, a name and a qualifier.
//!
//! Source: Lambda API Reference, `FunctionName`, "Name formats".

use base::{AccountId, Partition, Region};

/// What a `FunctionName` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    /// Without one, the caller's.
    pub(crate) account: Option<AccountId>,
    /// Without one, the request's.
    pub(crate) region: Option<&'a str>,
    pub(crate) name: &'a str,
    pub(crate) qualifier: Option<&'a str>,
}

/// The only version there is.
pub(crate) const LATEST: &str = "$LATEST";

impl<'a> Reference<'a> {
    /// A name, a partial ARN or a whole one, each with or without a qualifier; `None` if it is none of them.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut parts: Vec<&str> = text.split(':').collect();
        let mut region = None;
        if let ["arn", partition, "lambda", of, ..] = parts.as_slice() {
            region = Some(*of).filter(|it| it.parse::<Region>().is_ok());
            if !partition.starts_with("aws") || region.is_none() {
                return None;
            }
            parts.drain(..4);
        }
        let account: Option<AccountId> = parts.first()?.parse().ok();
        if account.is_some() {
            parts.remove(0);
        } else if region.is_some() {
            return None;
        }
        if parts.len() > 1 && parts.first() == Some(&"function") {
            parts.remove(0);
        } else if account.is_some() {
            return None;
        }
        let (name, qualifier) = match parts.as_slice() {
            [name] => (*name, None),
            [name, qualifier] => (*name, Some(*qualifier)),
            _ => return None,
        };
        let fits = is_name(name) && qualifier.is_none_or(is_qualifier);
        fits.then_some(Self { account, region, name, qualifier })
    }
}

/// The ARN of the function `name`.
pub(crate) fn arn(account: &AccountId, region: &Region, name: &str) -> String {
    format!("arn:{}:lambda:{region}:{account}:function:{name}", Partition::of(region).as_str())
}

/// Whether a function can be called `text`.
fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(is_letter)
}

fn is_qualifier(text: &str) -> bool {
    text == LATEST || ((1..=128).contains(&text.len()) && text.bytes().all(is_letter))
}

/// Whether names of functions and of statements may have it.
pub(crate) fn is_letter(it: u8) -> bool {
    it.is_ascii_alphanumeric() || b"-_".contains(&it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_leads_to_one_name() {
        let arn = "arn:aws:lambda:eu-west-1:111122223333:function:app";
        #[rustfmt::skip]
        let cases = [
            // given                                account region qualifier
            ("app".to_owned(),                      Some((false, false, None))),
            ("app:$LATEST".to_owned(),              Some((false, false, Some(LATEST)))),
            ("app:7".to_owned(),                    Some((false, false, Some("7")))),
            ("function:app".to_owned(),             Some((false, false, None))),
            ("111122223333:function:app".to_owned(), Some((true, false, None))),
            ("111122223333:function:app:v1".to_owned(), Some((true, false, Some("v1")))),
            (arn.to_owned(),                        Some((true, true, None))),
            (format!("{arn}:$LATEST"),              Some((true, true, Some(LATEST)))),
            (format!("{arn}:a:b"),                  None),
            (arn.replace("lambda", "kms"),          None),
            (arn.replace("eu-west-1", ""),          None),
            (arn.replace(":111122223333", ""),      None),
            (arn.replace("function:", ""),          None),
            ("111122223333:app".to_owned(),         None),
            ("app/x".to_owned(),                    None),
            ("app:".to_owned(),                     None),
            (":app".to_owned(),                     None),
            (String::new(),                         None),
            ("a".repeat(65),                        None),
        ];
        for (given, expected) in cases {
            let found = Reference::parse(&given);
            assert!(found.as_ref().is_none_or(|it| it.name == "app"), "{given}");
            let found = found.map(|it| (it.account.is_some(), it.region.is_some(), it.qualifier));
            assert_eq!(found, expected, "{given}");
        }
        assert_eq!(Reference::parse("function").map(|it| it.name), Some("function"));
    }
}
