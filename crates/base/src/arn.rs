//! Amazon Resource Names.

use crate::{AccountId, Malformed, Region};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A group of Regions with its own ARNs: `aws`, `aws-cn`, `aws-us-gov`, …
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition(Box<str>);

impl Partition {
    /// The partition that holds `region`, by the Region's first words.
    pub fn of(region: &Region) -> Self {
        let name = region.as_str();
        let partition = match () {
            () if name.starts_with("cn-") => "aws-cn",
            () if name.starts_with("us-gov-") => "aws-us-gov",
            () if name.starts_with("us-isob-") => "aws-iso-b",
            () if name.starts_with("us-iso-") => "aws-iso",
            () if name.starts_with("eu-isoe-") => "aws-iso-e",
            () if name.starts_with("eusc-") => "aws-eusc",
            () => "aws",
        };
        Self(partition.into())
    }

    /// The partition's name as it stands in an ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// An ARN in its six parts: `arn:partition:service:region:account:resource`.
///
/// `region` and `account` may be empty, as they are for IAM and for some resource types. The
/// resource part may hold colons of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// `secretsmanager`, `kms`, `iam`, …
    pub service: &'a str,
    /// Region name or nothing.
    pub region: &'a str,
    /// Account id or nothing.
    pub account: &'a str,
    /// Everything after the fifth colon.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes `text` apart, without judging the parts.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new(text, "an ARN");
        let rest = text.strip_prefix("arn:").ok_or_else(malformed)?;
        let mut parts = rest.splitn(5, ':');
        let mut next = || parts.next().ok_or_else(malformed);
        Ok(Self {
            partition: next()?,
            service: next()?,
            region: next()?,
            account: next()?,
            resource: next()?,
        })
    }

    /// The account, if the ARN names one.
    pub fn account(&self) -> Option<AccountId> {
        AccountId::from_str(self.account).ok()
    }
}

impl fmt::Display for Arn<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(out, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_apart_and_puts_together() {
        let text = "arn:aws:secretsmanager:us-east-1:111122223333:secret:a/b-AbCdEf";
        let arn = Arn::parse(text).expect("valid");
        assert_eq!(arn.resource, "secret:a/b-AbCdEf");
        assert_eq!(arn.account(), "111122223333".parse().ok());
        assert_eq!(arn.to_string(), text);
    }

    #[test]
    fn too_few_parts_are_no_arn() {
        for text in ["", "arn:", "arn:aws:s3", "arn:aws:s3:r:1", "x:aws:s3:::b"] {
            assert!(Arn::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn partition_follows_the_region() {
        for (region, partition) in [
            ("us-east-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
        ] {
            let region = region.parse().expect("valid");
            assert_eq!(Partition::of(&region).as_str(), partition);
        }
    }
}
