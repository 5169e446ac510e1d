//! Why a text is no policy of a kind.

use std::fmt;

/// Why a text is refused as a policy.
///
/// `Display` is IAM's wording; Secrets Manager and KMS word it their own way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Malformed {
    /// What is wrong.
    pub problem: Problem,
    detail: String,
}

impl Malformed {
    pub(crate) fn new(problem: Problem, detail: String) -> Self {
        Self { problem, detail }
    }

    /// Where the fault is and what it is, in one lower-case line for the person who wrote it.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

/// What is wrong with a policy. What is shown of the text is cut to 128 characters, with control
/// characters escaped.
///
/// Source: recorded answers of IAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// An action with more than one colon.
    Colons,
    /// An ARN of IAM with a Region.
    IamRegion(String),
    /// Not JSON.
    Json,
    /// A trust policy without principal.
    MissingPrincipal,
    /// A statement without action.
    NoAction,
    /// A statement without resource.
    NoResource,
    /// An action or condition key without prefix.
    NoVendor,
    /// An edition of the language that isn't accepted here.
    OldVersion,
    /// An ARN of an unknown partition: the partition and the ARN.
    Partition(String, String),
    /// A principal that can't be one, or that doesn't exist: its kind and itself.
    Principal(String, String),
    /// An element that this kind of policy must not have.
    Prohibited(&'static str),
    /// A resource that is neither an ARN nor `*`.
    ResourceForm(String),
    /// A resource of no service, or of several.
    ResourceVendor,
    /// A `Sid` with other characters than letters and digits.
    SidForm,
    /// Two statements with the same `Sid`.
    SidTwice,
    /// A principal in a policy that says what its holder may do.
    SpecifiesPrincipal,
    /// JSON that is no policy.
    Syntax,
    /// A trust policy about something else than assuming the role.
    TrustAction,
    /// A prefix that no service has.
    Vendor(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Colons => "Actions/Condition can contain only one colon.",
            Self::IamRegion(arn) => {
                return write!(out, "IAM resource {arn} cannot contain region information.");
            }
            Self::Json => "This policy contains invalid Json",
            Self::MissingPrincipal => "Missing required field Principal",
            Self::NoAction => "Policy statement must contain actions.",
            Self::NoResource => "Policy statement must contain resources.",
            Self::NoVendor => {
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
            }
            Self::OldVersion => "Policy document must be version 2012-10-17 or greater.",
            Self::Partition(partition, arn) => {
                return write!(
                    out,
                    "Partition \"{partition}\" is not valid for resource \"{arn}\"."
                );
            }
            Self::Principal(kind, text) => {
                return write!(out, "Invalid principal in policy: \"{kind}\":\"{text}\"");
            }
            Self::Prohibited(name) => return write!(out, "Has prohibited field {name}."),
            Self::ResourceForm(text) => {
                return write!(out, "Resource {text} must be in ARN format or \"*\".");
            }
            Self::ResourceVendor => {
                "Resource vendor must be fully qualified and cannot contain regexes."
            }
            Self::SidForm => {
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the \
                 regular expression [0-9A-Za-z]*"
            }
            Self::SidTwice => "Statement IDs (SID) in a single policy must be unique.",
            Self::SpecifiesPrincipal => "Policy document should not specify a principal.",
            Self::Syntax => "Syntax errors in policy.",
            Self::TrustAction => "AssumeRole policy may only specify STS AssumeRole actions.",
            Self::Vendor(text) => return write!(out, "Vendor {text} is not valid"),
        };
        out.write_str(text)
    }
}

/// A piece of a refused text, fit to be shown.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(128).flat_map(shown).collect()
}

fn shown(it: char) -> impl Iterator<Item = char> {
    let escaped = it.is_control().then(|| it.escape_default());
    let plain = (!it.is_control()).then_some(it);
    escaped.into_iter().flatten().chain(plain)
}
