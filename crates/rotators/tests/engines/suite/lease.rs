//! Logins that are made for a while.

use super::change::refuses;
use super::*;
use rotators::Lease;

/// Made twice, removed twice, with a connection open and something owned: gone in the end.
pub(crate) async fn made_and_removed(peer: &impl Peer) {
    let mut master = administrator(peer).await;
    let user = fresh("lease");
    for creation in [vec![], peer.creation()] {
        let password = sensitive("canary-lease");
        let lease = lease(&user, &password, &creation);
        for _ in 0..2 {
            master.grant(&lease).await.expect("made");
            assert!(peer.accepts(&user, "canary-lease"));
        }
        assert_eq!(peer.reads(&user, "canary-lease"), !creation.is_empty());
        let mut open = connect(peer, &user, "canary-lease").await.expect("accepted");
        open.test().await.expect("open");
        if !creation.is_empty() {
            peer.leave_something(&user, "canary-lease");
        }
        for _ in 0..2 {
            master.revoke(&lease).await.expect("removed");
            assert!(!peer.exists(&user));
            assert!(!peer.accepts(&user, "canary-lease"));
        }
        let failure = open.test().await.expect_err("its connection is ended");
        assert!(matches!(failure, Failure::Unreachable(_)), "{failure:?}");
    }
    assert!(!peer.log().contains("canary-lease"));
}

/// Two that do the same at the same time do it once.
pub(crate) async fn leased_at_once(peer: &impl Peer) {
    let (mut one, mut other) = (administrator(peer).await, administrator(peer).await);
    let (user, password) = (fresh("both"), sensitive("canary-lease"));
    let creation = peer.creation();
    let lease = lease(&user, &password, &creation);
    let both = tokio::join!(one.grant(&lease), other.grant(&lease));
    assert_eq!(both, (Ok(()), Ok(())));
    assert!(peer.reads(&user, "canary-lease"));
    let both = tokio::join!(one.revoke(&lease), other.revoke(&lease));
    assert_eq!(both, (Ok(()), Ok(())));
    assert!(!peer.exists(&user));
}

/// A lease never takes a user that people made: neither its password nor its life.
pub(crate) async fn refuses_a_users_user(peer: &impl Peer) {
    let user = fresh("theirs");
    peer.create(&user, "first");
    let mut master = administrator(peer).await;
    let password = sensitive("canary-lease");
    refuses(master.grant(&lease(&user, &password, &[])).await);
    refuses(master.revoke(&lease(&user, &password, &[])).await);
    assert!(peer.accepts(&user, "first"));
}

/// What a half-made lease left is nothing.
pub(crate) async fn made_whole_or_not(peer: &impl Peer) {
    let mut master = administrator(peer).await;
    let (user, password) = (fresh("half"), sensitive("canary-lease"));
    let mut creation = peer.creation();
    creation.push("no statement of any engine".to_owned());
    refuses(master.grant(&lease(&user, &password, &creation)).await);
    let told = master.grant(&lease(&user, &password, &["{{password}}".to_owned()])).await;
    let told = format!("{told:?}");
    assert!(!told.contains("SCRAM") && !told.contains("md5"), "{told}");
    master.revoke(&lease(&user, &password, &[])).await.expect("nothing to remove");
    assert!(!peer.exists(&user));
}

/// A statement that fails keeps the user from its end, but nobody in: neither who has the password nor who was in.
pub(crate) async fn locked_whatever_fails(peer: &impl Peer) {
    let mut master = administrator(peer).await;
    let (user, password, creation) = (fresh("stuck"), sensitive("canary-lease"), peer.creation());
    let fails = ["no statement of any engine".to_owned()];
    let whole = || lease(&user, &password, &creation);
    let stuck = Lease { revocation: &fails, ..whole() };
    if !peer.ends_by_statements() {
        let failure = master.grant(&stuck).await;
        assert!(matches!(failure, Err(Failure::Invalid(_))), "{failure:?}");
        return assert!(!peer.exists(&user));
    }
    master.grant(&stuck).await.expect("made");
    let mut open = connect(peer, &user, "canary-lease").await.expect("accepted");
    for _ in 0..2 {
        refuses(master.revoke(&stuck).await);
        assert!(peer.exists(&user) && !peer.accepts(&user, "canary-lease"));
    }
    let failure = open.test().await.expect_err("its connection is ended");
    assert!(matches!(failure, Failure::Unreachable(_)), "{failure:?}");
    master.revoke(&whole()).await.expect("removed");
    assert!(!peer.exists(&user));
}

/// A user's connections are ended; it may come back.
pub(crate) async fn disconnected(peer: &impl Peer) {
    let user = fresh("leaver");
    peer.create(&user, "first");
    let mut open = connect(peer, &user, "first").await.expect("accepted");
    let mut master = administrator(peer).await;
    if !peer.disconnects() {
        return refuses(master.disconnect(&user).await);
    }
    for _ in 0..2 {
        master.disconnect(&user).await.expect("ended");
    }
    let failure = open.test().await.expect_err("its connection is ended");
    assert!(matches!(failure, Failure::Unreachable(_)), "{failure:?}");
    connect(peer, &user, "first").await.expect("accepted again");
    master.test().await.expect("still there");
}

pub(crate) fn lease<'a>(
    user: &'a str,
    password: &'a Sensitive,
    creation: &'a [String],
) -> Lease<'a> {
    Lease { user, password, creation, revocation: &[], expiration: "2099-12-31 23:59:59+00" }
}
