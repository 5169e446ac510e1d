//! Changed passwords: the new one lives, the old one is dead, and nobody else saw either.

use super::*;
use rotators::Dialect;

/// A user changes its own password; the open session changes it back.
pub(crate) async fn own(peer: &impl Peer) {
    let user = fresh("own");
    peer.create(&user, "first");
    let mut session = connect(peer, &user, "first").await.expect("accepted");
    if !peer.rotator().dialect().changes_own {
        let refused = session.change_own(&sensitive("first"), &sensitive("second")).await;
        return refuses(refused);
    }
    session.change_own(&sensitive("first"), &sensitive("second")).await.expect("changed");
    only(peer, &user, "second", &["first"]).await;
    // The way back, if the new password turns out not to work.
    session.change_own(&sensitive("second"), &sensitive("first")).await.expect("changed back");
    only(peer, &user, "first", &["second"]).await;
}

/// What is done twice is as if it was done once.
pub(crate) async fn own_twice(peer: &impl Peer) {
    let user = fresh("twice");
    peer.create(&user, "first");
    let (mut session, mut other) = (acting(peer, &user).await, acting(peer, &user).await);
    for _ in 0..2 {
        change(&mut session, &user, "first", "second").await;
        change(&mut other, &user, "first", "second").await;
    }
    only(peer, &user, "second", &["first"]).await;
}

/// An open session outlives its password, and one that was opened by another session's change as well.
pub(crate) async fn sessions_survive(peer: &impl Peer) {
    let user = fresh("survivor");
    peer.create(&user, "first");
    let mut open = connect(peer, &user, "first").await.expect("accepted");
    administrator(peer).await.change(&user, &sensitive("second"), None).await.expect("changed");
    open.test().await.expect("still open");
    only(peer, &user, "second", &["first"]).await;
}

/// No character of a password means anything.
pub(crate) async fn nasty_passwords(peer: &impl Peer) {
    let user = fresh("nasty");
    peer.create(&user, "first");
    let mut session = acting(peer, &user).await;
    let mut before = "first".to_owned();
    for password in super::nasty_passwords() {
        change(&mut session, &user, &before, &password).await;
        only(peer, &user, &password, &[before.as_str()]).await;
        before = password;
    }
}

/// No character of a name means anything; a name that can't be is refused before anybody hears of it.
pub(crate) async fn nasty_names(peer: &impl Peer) {
    let mut master = administrator(peer).await;
    for user in super::nasty_names(peer, peer.longest_name()) {
        peer.create(&user, "first");
        let mut session = acting(peer, &user).await;
        change(&mut session, &user, "first", "second").await;
        only(peer, &user, "second", &["first"]).await;
        master.change(&user, &sensitive("third"), None).await.expect("changed");
        only(peer, &user, "third", &["second"]).await;
    }
    for user in ["nul\0", "", &"n".repeat(peer.rotator().dialect().longest_name + 1)] {
        if !user.is_empty() {
            invalid(connect(peer, user, "x").await);
        }
        invalid(master.change(user, &sensitive("x"), None).await);
        invalid(master.mirror(&peer.administrator().0, user, &sensitive("x")).await);
    }
    let user = fresh("nul");
    peer.create(&user, "first");
    invalid(master.change(&user, &sensitive("n\0l"), None).await);
    assert!(peer.accepts(&user, "first"));
}

/// An administrator changes a password, and keeps the old one alive where the engine can.
pub(crate) async fn by_an_administrator(peer: &impl Peer) {
    let user = fresh("reset");
    peer.create(&user, "first");
    let mut master = administrator(peer).await;
    let overlaps = peer.rotator().dialect().overlaps;
    for _ in 0..2 {
        let kept = sensitive("first");
        master.change(&user, &sensitive("second"), Some(&kept)).await.expect("changed");
        assert_eq!(peer.accepts(&user, "first"), overlaps);
        assert!(peer.accepts(&user, "second"));
    }
    for _ in 0..2 {
        master.change(&user, &sensitive("second"), None).await.expect("changed");
        only(peer, &user, "second", &["first"]).await;
    }
    let missing = master.change("nobody-of-this-name", &sensitive("x"), None).await;
    refuses(missing);
    assert!(!peer.exists("nobody-of-this-name"));
}

/// A user without rights is told which are missing, and nothing changes.
pub(crate) async fn without_the_right(peer: &impl Peer) {
    let (user, other) = (fresh("weak"), fresh("other"));
    peer.create(&user, "first");
    peer.create(&other, "first");
    let mut session = connect(peer, &user, "first").await.expect("accepted");
    refuses(session.change(&other, &sensitive("canary-next"), None).await);
    refuses(session.mirror(&other, &fresh("copy"), &sensitive("canary-next")).await);
    assert!(peer.accepts(&other, "first"));
}

/// Neither the server's log nor anything printed holds a password.
pub(crate) async fn nothing_is_logged(peer: &impl Peer) {
    let user = fresh("logged");
    peer.create(&user, "first");
    let mut session = acting(peer, &user).await;
    change(&mut session, &user, "first", "canary-own").await;
    let mut master = administrator(peer).await;
    master.change(&user, &sensitive("canary-reset"), None).await.expect("changed");
    master.mirror(&user, &fresh("copy"), &sensitive("canary-copy")).await.expect("made");
    for found in master.foresee(Some(&user), None).await.expect("foreseen") {
        assert!(!format!("{found:?}").contains("canary"));
    }
    let log = peer.log();
    assert!(!log.contains("canary"), "{log}");
}

/// A session that may change the password of `user`: its own, or an administrator's.
async fn acting(peer: &impl Peer, user: &str) -> (Box<dyn Session>, &'static Dialect) {
    let dialect = peer.rotator().dialect();
    if dialect.changes_own {
        return (connect(peer, user, "first").await.expect("accepted"), dialect);
    }
    (administrator(peer).await, dialect)
}

async fn change(
    (session, dialect): &mut (Box<dyn Session>, &'static Dialect),
    user: &str,
    from: &str,
    to: &str,
) {
    let changed = if dialect.changes_own {
        session.change_own(&sensitive(from), &sensitive(to)).await
    } else {
        session.change(user, &sensitive(to), None).await
    };
    changed.unwrap_or_else(|failure| panic!("{user:?}, {to:?}: {failure:?}"));
}

/// `password` is accepted, by us and by the engine's own client, and none of `dead` is.
pub(crate) async fn only(peer: &impl Peer, user: &str, password: &str, dead: &[&str]) {
    let session = connect(peer, user, password).await;
    session.unwrap_or_else(|failure| panic!("{user:?}, {password:?}: {failure:?}"));
    assert!(peer.accepts(user, password), "{user:?}, {password:?}");
    for it in dead {
        assert!(!peer.accepts(user, it), "{user:?}, {it:?} still lives");
        let denied = connect(peer, user, it).await.err();
        assert!(matches!(denied, Some(Failure::Denied(_))), "{denied:?}");
    }
}

/// The server said no, and why.
pub(crate) fn refuses<T>(outcome: Result<T, Failure>) {
    let failure = outcome.err().expect("it was done");
    assert!(matches!(&failure, Failure::Refused(_)), "{failure:?}");
    assert!(!format!("{failure:?}").contains("canary"), "{failure:?}");
}

fn invalid<T>(outcome: Result<T, Failure>) {
    let failure = outcome.err().expect("it was done");
    assert!(matches!(&failure, Failure::Invalid(_)), "{failure:?}");
}
