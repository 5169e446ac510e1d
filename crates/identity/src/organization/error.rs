//! Why an organization couldn't be made or changed.

use super::attached::Control;
use base::AccountId;
use policy::engine::Malformed;

/// Why an organization couldn't be made or changed. One sentence each, for the operator.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The account is not in the organization.
    #[error("account {0} is not in the organization")]
    AccountOutside(AccountId),
    /// The account stands in two places.
    #[error("account {0} stands in more than one place")]
    AccountTwice(AccountId),
    /// There is no such account on this server.
    #[error("there is no account {0}")]
    AccountUnknown(AccountId),
    /// A policy that AWS made.
    #[error("`{0}` is AWS's own and can't be changed, deleted or detached for good")]
    AwsOwned(String),
    /// It is attached there already.
    #[error("`{policy}` is attached to `{target}` already")]
    Attached {
        /// The policy's name.
        policy: String,
        /// The target, as it was given.
        target: String,
    },
    /// The configuration decides about the organization.
    #[error("the organization is the configuration's: change `[organization]` there and restart")]
    Configured,
    /// Too many units below each other.
    #[error("`{0}` would be deeper than 5 units below the root")]
    Depth(String),
    /// There is one already.
    #[error("there is an organization already: {0}")]
    Exists(String),
    /// Not the id of an organization.
    #[error("`{0}` is no organization id: `o-` and 10 to 32 lower-case letters and digits")]
    Id(String),
    /// It is attached somewhere.
    #[error("`{0}` is still attached")]
    InUse(String),
    /// The last service control policy of a target.
    #[error(
        "`{0}` must keep one service control policy: with none, nothing would be allowed there"
    )]
    LastPolicy(String),
    /// A unit below itself.
    #[error("`{0}` can't be moved below itself")]
    Loop(String),
    /// Not a policy of its kind.
    #[error("`{policy}` is no {control}: {} ({})", malformed, malformed.detail())]
    Malformed {
        /// The policy's name.
        policy: String,
        /// What it was to be.
        control: Control,
        /// What is wrong with it.
        malformed: Malformed,
    },
    /// The management account has to stay.
    #[error("account {0} is the management account: it can't leave")]
    Management(AccountId),
    /// There is none.
    #[error("there is no organization")]
    Missing,
    /// Not a name.
    #[error("`{0}` is no name: 1 to 128 characters without `/` and control characters")]
    Name(String),
    /// A unit, or the organization, with somebody in it.
    #[error("`{0}` is not empty")]
    NotEmpty(String),
    /// It isn't attached there.
    #[error("`{policy}` is not attached to `{target}`")]
    NotAttached {
        /// The policy's name.
        policy: String,
        /// The target, as it was given.
        target: String,
    },
    /// The configuration means another organization than the one there is.
    #[error(
        "`[organization]` is not the organization {found} that there is\n\
         hint: write `id = \"{found}\"` there to let the configuration decide about it from now on"
    )]
    Other {
        /// The one there is.
        found: String,
    },
    /// Two policies with one name.
    #[error("there is a policy `{0}` already")]
    PolicyExists(String),
    /// No such policy.
    #[error("there is no policy `{0}`")]
    PolicyUnknown(String),
    /// The store failed, or another commit was first.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Neither root, nor unit, nor account of the organization.
    #[error(
        "there is no `{0}` in the organization: give `root`, a unit's path or id, or an account"
    )]
    TargetUnknown(String),
    /// Too much text.
    #[error("`{policy}` has {found} characters; a {control} may have {limit}")]
    TooLong {
        /// The policy's name.
        policy: String,
        /// What it was to be.
        control: Control,
        /// Its length.
        found: usize,
        /// What is allowed.
        limit: usize,
    },
    /// More than may be.
    #[error("an organization may have {limit} {what}")]
    TooMany {
        /// Units or policies.
        what: &'static str,
        /// So many.
        limit: usize,
    },
    /// More than five policies of a kind at one target.
    #[error("`{target}` has 5 policies attached that are a {control} each: no more are possible")]
    TooManyAttached {
        /// The target, as it was given.
        target: String,
        /// Their kind.
        control: Control,
    },
    /// Two units with one name in one place.
    #[error("there is a unit `{0}` already")]
    UnitExists(String),
    /// Neither the root nor a unit.
    #[error("there is no unit `{0}`: give `root`, or a unit's path or id")]
    UnitUnknown(String),
    /// A list names a policy of the other kind.
    #[error("`{policy}` is no {control}")]
    WrongControl {
        /// The policy's name.
        policy: String,
        /// What it was taken for.
        control: Control,
    },
}
