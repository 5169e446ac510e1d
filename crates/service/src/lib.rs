//! What a service is, without knowing a single one.
//!
//! Read [`Operation`] first (what every API operation provides), then [`Call`] (who asks, when, from
//! where), then [`execute()`] (the only loop and the only commit in the life of a request).
//!
//! Invariants:
//!
//! - A [`Call`] exists only for a [`Proof`]: a checked signature ([`sigv4::Verified`]) or a checked token
//!   ([`oidc::Verified`]); or as a [`Rehearsal`], which permits nothing; or as an [`Errand`], which falls due.
//! - An [`Answer`] exists only for a granted [`Permit`], and a permit only where the policies said yes:
//!   [`Call::admit`] asks them first and checks the model's constraints second.
//! - No answer leaves before its audit record: a change and its record are one transaction.

pub mod audit;
mod call;
mod caller;
pub mod context;
pub mod denial;
pub mod due;
mod endpoint;
mod errand;
mod execute;
mod input;
mod members;
mod operation;
mod organization;
mod patience;
pub mod principals;
mod protocol;
pub mod rehearsal;
mod slow;
mod spread;

pub use audit::{Event, Trail};
pub use call::{Call, Expected, Gate, Permit, Proof, Quotas, Refusal, Source, Target, TlsDetails};
pub use caller::{Access, Caller, Held, Kind, Session};
pub use denial::{Confidant, Denial};
pub use endpoint::Endpoint;
pub use errand::Errand;
pub use execute::{Failure, Ports, Turns, commit_recorded, execute, refuse};
pub use operation::{Action, Answer, Fault, Framed, Operation, Reply, Row, chain};
pub use organization::{Member, Organization};
pub use rehearsal::Rehearsal;
pub use slow::Slow;
pub use spread::spread;
