//! Table: the operations of Roles Anywhere that are built, and how each is asked for. What is not here is
//! unknown.

pub mod create_profile;
pub mod create_session;
pub mod create_trust_anchor;
pub mod delete_crl;
pub mod delete_profile;
pub mod delete_trust_anchor;
pub mod disable_crl;
pub mod disable_profile;
pub mod disable_trust_anchor;
pub mod enable_crl;
pub mod enable_profile;
pub mod enable_trust_anchor;
pub mod get_crl;
pub mod get_profile;
pub mod get_subject;
pub mod get_trust_anchor;
pub mod import_crl;
pub mod list_crls;
pub mod list_profiles;
pub mod list_subjects;
pub mod list_tags_for_resource;
pub mod list_trust_anchors;
pub mod tag_resource;
pub mod untag_resource;
pub mod update_crl;
pub mod update_profile;
pub mod update_trust_anchor;

use serde::Serialize;
use service::Row;
use wire::rest::{Binding, Kind};

/// The `eventSource` of their audit records.
pub(crate) const SOURCE: &str = crate::HOST;

/// The operation that a certificate's key signs, in place of an access key.
pub const SIGNED_BY_CERTIFICATE: &str = "CreateSession";

/// An answer without members.
#[derive(Debug, Serialize)]
pub struct Nothing {}

/// What asks for a page.
const PAGE: &[(&str, Kind)] = &[("nextToken", Kind::Text), ("pageSize", Kind::Integer)];
/// What CreateSession takes from the query; the body may have it instead.
const SESSION: &[(&str, Kind)] =
    &[("profileArn", Kind::Text), ("roleArn", Kind::Text), ("trustAnchorArn", Kind::Text)];
/// The certificates that come with it.
const CERTIFICATES: &[(&str, &str)] =
    &[("x-amz-x509", "cert"), ("x-amz-x509-chain", "certificateChain")];

/// Every operation by its name, in alphabetical order.
pub const OPERATIONS: &[Row] = &[
    Row::rest::<create_profile::CreateProfile>(&Binding::new("POST", "/profiles").answering(201)),
    Row::rest::<create_session::CreateSession>(
        &Binding::new("POST", "/sessions")
            .with_query(SESSION)
            .with_headers(CERTIFICATES)
            .answering(201),
    ),
    Row::rest::<create_trust_anchor::CreateTrustAnchor>(
        &Binding::new("POST", "/trustanchors").answering(201),
    ),
    Row::rest::<delete_crl::DeleteCrl>(&Binding::new("DELETE", "/crl/{crlId}")),
    Row::rest::<delete_profile::DeleteProfile>(&Binding::new("DELETE", "/profile/{profileId}")),
    Row::rest::<delete_trust_anchor::DeleteTrustAnchor>(&Binding::new(
        "DELETE",
        "/trustanchor/{trustAnchorId}",
    )),
    Row::rest::<disable_crl::DisableCrl>(&Binding::new("POST", "/crl/{crlId}/disable")),
    Row::rest::<disable_profile::DisableProfile>(&Binding::new(
        "POST",
        "/profile/{profileId}/disable",
    )),
    Row::rest::<disable_trust_anchor::DisableTrustAnchor>(&Binding::new(
        "POST",
        "/trustanchor/{trustAnchorId}/disable",
    )),
    Row::rest::<enable_crl::EnableCrl>(&Binding::new("POST", "/crl/{crlId}/enable")),
    Row::rest::<enable_profile::EnableProfile>(&Binding::new(
        "POST",
        "/profile/{profileId}/enable",
    )),
    Row::rest::<enable_trust_anchor::EnableTrustAnchor>(&Binding::new(
        "POST",
        "/trustanchor/{trustAnchorId}/enable",
    )),
    Row::rest::<get_crl::GetCrl>(&Binding::new("GET", "/crl/{crlId}")),
    Row::rest::<get_profile::GetProfile>(&Binding::new("GET", "/profile/{profileId}")),
    Row::rest::<get_subject::GetSubject>(&Binding::new("GET", "/subject/{subjectId}")),
    Row::rest::<get_trust_anchor::GetTrustAnchor>(&Binding::new(
        "GET",
        "/trustanchor/{trustAnchorId}",
    )),
    Row::rest::<import_crl::ImportCrl>(&Binding::new("POST", "/crls").answering(201)),
    Row::rest::<list_crls::ListCrls>(&Binding::new("GET", "/crls").with_query(PAGE)),
    Row::rest::<list_profiles::ListProfiles>(&Binding::new("GET", "/profiles").with_query(PAGE)),
    Row::rest::<list_subjects::ListSubjects>(&Binding::new("GET", "/subjects").with_query(PAGE)),
    Row::rest::<list_tags_for_resource::ListTagsForResource>(
        &Binding::new("GET", "/ListTagsForResource").with_query(&[("resourceArn", Kind::Text)]),
    ),
    Row::rest::<list_trust_anchors::ListTrustAnchors>(
        &Binding::new("GET", "/trustanchors").with_query(PAGE),
    ),
    Row::rest::<tag_resource::TagResource>(&Binding::new("POST", "/TagResource").answering(201)),
    Row::rest::<untag_resource::UntagResource>(&Binding::new("POST", "/UntagResource")),
    Row::rest::<update_crl::UpdateCrl>(&Binding::new("PATCH", "/crl/{crlId}")),
    Row::rest::<update_profile::UpdateProfile>(&Binding::new("PATCH", "/profile/{profileId}")),
    Row::rest::<update_trust_anchor::UpdateTrustAnchor>(&Binding::new(
        "PATCH",
        "/trustanchor/{trustAnchorId}",
    )),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_no_two_are_asked_for_alike() {
        assert!(OPERATIONS.is_sorted_by_key(|it| it.name));
        assert!(OPERATIONS.iter().all(|it| it.source == SOURCE));
        let mut bindings: Vec<_> =
            OPERATIONS.iter().filter_map(Row::binding).map(|it| (it.method, it.path)).collect();
        bindings.sort_unstable();
        bindings.dedup();
        assert_eq!(bindings.len(), OPERATIONS.len());
    }
}
