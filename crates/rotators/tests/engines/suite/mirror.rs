//! The second of two alternating users.

use super::change::{only, refuses};
use super::*;
use rotators::Finding;

/// It may do what the first may, also what is granted and revoked later, and the first stays as it is.
pub(crate) async fn follows(peer: &impl Peer) {
    let (like, user) = pair();
    peer.create(&like, "first");
    let mut master = administrator(peer).await;
    for (round, permitted) in [true, false, true, true, false].into_iter().enumerate() {
        if permitted {
            peer.permit(&like);
        } else {
            peer.forbid(&like);
        }
        let password = format!("copy{round}");
        master.mirror(&like, &user, &sensitive(&password)).await.expect("made");
        assert_eq!(peer.reads(&user, &password), permitted, "round {round}");
        assert_eq!(peer.reads(&like, "first"), permitted, "round {round}");
        assert!(!peer.accepts(&user, &format!("copy{}", round.wrapping_sub(1))), "round {round}");
    }
    only(peer, &like, "first", &["copy4"]).await;
}

/// To and fro, each half twice: only the password of the one that isn't in use changes.
pub(crate) async fn there_and_back(peer: &impl Peer) {
    let (first, second) = pair();
    peer.create(&first, "first0");
    peer.permit(&first);
    let mut master = administrator(peer).await;
    let mut current = "first0".to_owned();
    for round in 1..5 {
        let (like, user) = if round % 2 == 1 { (&first, &second) } else { (&second, &first) };
        let password = format!("round{round}");
        for _ in 0..2 {
            master.mirror(like, user, &sensitive(&password)).await.expect("made");
        }
        assert!(peer.reads(user, &password), "round {round}");
        assert!(peer.reads(like, &current), "round {round}");
        current = password;
    }
}

/// Two that do the same at the same time do it once.
pub(crate) async fn made_at_once(peer: &impl Peer) {
    let (like, user) = pair();
    peer.create(&like, "first");
    let (mut one, mut other) = (administrator(peer).await, administrator(peer).await);
    for password in ["second", "third"] {
        let password = sensitive(password);
        let both = tokio::join!(
            one.mirror(&like, &user, &password),
            other.mirror(&like, &user, &password)
        );
        assert_eq!(both, (Ok(()), Ok(())));
    }
    only(peer, &user, "third", &["second"]).await;
}

/// What people made is theirs, whatever it is called.
pub(crate) async fn refuses_what_is_not_ours(peer: &impl Peer) {
    let (like, user) = pair();
    peer.create(&like, "first");
    peer.create(&user, "theirs");
    let mut master = administrator(peer).await;
    refuses(master.mirror(&like, &user, &sensitive("canary-hijacked")).await);
    refuses(master.mirror(&user, &like, &sensitive("canary-hijacked")).await);
    assert!(peer.accepts(&user, "theirs") && peer.accepts(&like, "first"));
    missing(&master.foresee(Some(&user), Some(&like)).await.expect("foreseen"));
}

/// Nobody is made like nobody.
pub(crate) async fn refuses_without_an_original(peer: &impl Peer) {
    let (like, user) = pair();
    let mut master = administrator(peer).await;
    refuses(master.mirror(&like, &user, &sensitive("canary-copy")).await);
    missing(&master.foresee(Some(&user), Some(&like)).await.expect("foreseen"));
    assert!(!peer.exists(&user));
}

/// Names are names here, too.
pub(crate) async fn nasty_pairs(peer: &impl Peer) {
    let mut master = administrator(peer).await;
    let suffix = peer.rotator().dialect().suffix;
    let longest = peer.longest_name() - suffix.len() - 1;
    for like in super::nasty_names(peer, longest) {
        let like = format!("m{like}");
        let user = format!("{like}{suffix}");
        peer.create(&like, "first");
        peer.permit(&like);
        for password in ["second", "third"] {
            let made = master.mirror(&like, &user, &sensitive(password)).await;
            made.unwrap_or_else(|failure| panic!("{user:?}: {failure:?}"));
            assert!(peer.reads(&user, password), "{user:?}");
        }
        master.mirror(&user, &like, &sensitive("fourth")).await.expect("the way back");
        assert!(peer.reads(&like, "fourth"), "{like:?}");
    }
}

/// What is foreseen is what then happens; foreseeing changes nothing.
pub(crate) async fn foreseen(peer: &impl Peer) {
    let (like, user) = pair();
    peer.create(&like, "first");
    let mut master = administrator(peer).await;
    for (user, like) in [(Some(&user), Some(&like)), (Some(&like), None)] {
        let (user, like) = (user.map(String::as_str), like.map(String::as_str));
        let found = master.foresee(user, like).await.expect("foreseen");
        let problem = found.iter().find(|it| matches!(it, Finding::Missing(..)));
        assert_eq!(problem, None);
        let statements = found.iter().filter(|it| matches!(it, Finding::Statement(_)));
        let statements: Vec<_> = statements.map(|it| format!("{it:?}")).collect();
        assert!(statements.iter().any(|it| it.contains("<password>")), "{statements:?}");
    }
    assert!(!peer.exists(&user));

    let mut weak = connect(peer, &like, "first").await.expect("accepted");
    let (victim, _) = pair();
    peer.create(&victim, "first");
    missing(&weak.foresee(Some(&victim), None).await.expect("foreseen"));
    missing(&weak.foresee(Some(&user), Some(&victim)).await.expect("foreseen"));
    let own = weak.foresee(None, None).await.expect("foreseen");
    let may = !own.iter().any(|it| matches!(it, Finding::Missing(..)));
    assert_eq!(may, peer.rotator().dialect().changes_own);
}

fn pair() -> (String, String) {
    let like = fresh("app");
    let user = format!("{like}_clone");
    (like, user)
}

/// Something is missing, and what to do about it is told.
fn missing(found: &[Finding]) {
    let told = |it: &Finding| matches!(it, Finding::Missing(fact, hint) if !fact.is_empty() && !hint.is_empty());
    assert!(found.iter().any(told), "{found:?}");
}
