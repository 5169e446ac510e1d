//! What the agent reads of a service account's token.

use agent::Claims;

/// Takes `input` for a token as a pod sends it. What is read names a service account, and the token was
/// one of three parts.
pub fn agent_token(input: &[u8]) {
    let Some(claims) = Claims::read(input) else { return };
    assert!(claims.service_account.contains('/'));
    assert_eq!(input.iter().filter(|it| **it == b'.').count(), 2);
    assert!(input.len() <= 20_000);
}
