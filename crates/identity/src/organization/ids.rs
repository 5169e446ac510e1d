//! Ids of organizations, roots, units and policies.
//!
//! Source: Organizations API Reference, the patterns of `OrganizationId`, `RootId`, `OrganizationalUnitId` and
//! `PolicyId`.

use base::Entropy;

/// `o-` and ten letters and digits.
pub(super) fn organization(entropy: &dyn Entropy) -> String {
    drawn("o-", 10, entropy)
}

/// `r-` and four.
pub(super) fn root(entropy: &dyn Entropy) -> String {
    drawn("r-", 4, entropy)
}

/// `ou-`, the root's four, and eight of its own; not one of those that are `taken`.
pub(super) fn unit(root: &str, entropy: &dyn Entropy, taken: impl Fn(&str) -> bool) -> String {
    let prefix = format!("ou-{}-", root.trim_start_matches("r-"));
    free(&prefix, 8, entropy, taken)
}

/// `p-` and eight.
pub(super) fn policy(entropy: &dyn Entropy, taken: impl Fn(&str) -> bool) -> String {
    free("p-", 8, entropy, taken)
}

/// Whether `text` may be the id of an organization.
pub(super) fn is_organization(text: &str) -> bool {
    let of_id = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit();
    let own = text.strip_prefix("o-").filter(|it| (10..=32).contains(&it.len()));
    own.is_some_and(|it| it.bytes().all(of_id))
}

fn free(prefix: &str, count: usize, entropy: &dyn Entropy, taken: impl Fn(&str) -> bool) -> String {
    loop {
        let id = drawn(prefix, count, entropy);
        if !taken(&id) {
            return id;
        }
    }
}

fn drawn(prefix: &str, count: usize, entropy: &dyn Entropy) -> String {
    let letter = |_| char::from_digit(entropy.below(36), 36).unwrap_or('0');
    prefix.chars().chain((0..count).map(letter)).collect()
}
