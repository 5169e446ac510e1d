//! Logins: which are accepted, and what is told of the others.

use super::wire::{Wire, mute};
use super::*;
use rotators::Protection;
use std::time::Duration;

/// A login that the server accepts is a session, by TLS where that is offered.
pub(crate) async fn proof(peer: &impl Peer) {
    let user = fresh("proof");
    peer.create(&user, "right");
    let mut session = connect(peer, &user, "right").await.expect("accepted");
    session.test().await.expect("a user may read something");
    assert!(matches!(session.protection(), Protection::Tls(version) if version == peer.tls()));
    session.close().await;
}

/// Only what the server says of a password is told as that.
pub(crate) async fn wrong_password(peer: &impl Peer) {
    let user = fresh("wrong");
    peer.create(&user, "right");
    for (user, password) in
        [(user.as_str(), "canary-wrong"), ("nobody-of-this-name", "canary-wrong")]
    {
        let failure = connect(peer, user, password).await.err().expect("refused");
        assert!(matches!(&failure, Failure::Denied(_)), "{failure:?}");
        assert!(!format!("{failure:?}").contains("canary"), "{failure:?}");
    }
}

/// A certificate of an unknown authority ends the conversation before a name or a password is said.
pub(crate) async fn untrusted_authority(peer: &impl Peer) {
    let stranger = Authority::new().expect("an authority");
    untrusted(peer, &trust(&[&stranger]), "localhost").await;
}

/// So does a certificate for another name.
pub(crate) async fn wrong_name(peer: &impl Peer) {
    untrusted(peer, &trust(&[peer.authority()]), "127.0.0.1").await;
}

async fn untrusted(peer: &impl Peer, trust: &Trust, host: &str) {
    let user = fresh("unseen");
    peer.create(&user, "unheard-password");
    for ssl in [None, Some("true")] {
        let wire = Wire::to(peer.port()).await;
        let port = wire.port.to_string();
        let mut more = vec![("host", host), ("port", port.as_str())];
        more.extend(ssl.map(|it| ("ssl", it)));
        let login = secret(peer, &user, "unheard-password", &more);
        let failure = peer.rotator().connect(&login, trust).await.err().expect("not believed");
        assert!(matches!(&failure, Failure::Untrusted(_)), "{failure:?}");
        assert!(!wire.heard(&user) && !wire.heard("unheard-password"), "said in clear, {ssl:?}");
    }
    assert!(peer.accepts(&user, "unheard-password"));
}

/// On the loopback, and nowhere else, a server without TLS is accepted unasked.
pub(crate) async fn plaintext_where_none_is_offered(peer: &impl Peer) {
    let user = fresh("plain");
    peer.create(&user, "right");
    let port = peer.plain_port().to_string();
    let login = secret(peer, &user, "right", &[("ssl", "false"), ("port", &port)]);
    let session = peer.rotator().connect(&login, &trust(&[])).await.expect("as asked");
    assert_eq!(session.protection(), Protection::Plain);
}

/// A server without TLS gets no login where TLS is asked for, or where the way there isn't the loopback.
pub(crate) async fn tls_where_none_is_offered<P: Peer>() {
    let peer = P::start(Offer::Plain);
    let user = fresh("plain");
    peer.create(&user, "unheard-password");
    let wire = Wire::to(peer.port()).await;
    let port = wire.port.to_string();
    // Not an address of the loopback as anyone writes it, so TLS is needed; that it leads there, the test knows.
    for more in [vec![("ssl", "true")], vec![("host", "127.1")]] {
        let more: Vec<_> = more.into_iter().chain([("port", port.as_str())]).collect();
        let login = secret(&peer, &user, "unheard-password", &more);
        let failure = peer.rotator().connect(&login, &trust(&[])).await.err().expect("refused");
        assert!(matches!(&failure, Failure::Untrusted(_)), "{more:?}: {failure:?}");
        assert!(!wire.heard(&user) && !wire.heard("unheard-password"), "said in clear, {more:?}");
    }
    let session = connect(&peer, &user, "unheard-password").await.expect("the loopback");
    assert_eq!(session.protection(), Protection::Plain);
}

/// What can't be asked is unreachable: never a wrong password.
pub(crate) async fn server_down<P: Peer>() {
    let mut peer = P::start(Offer::Tls);
    let user = fresh("down");
    peer.create(&user, "right");
    let mut session = connect(&peer, &user, "right").await.expect("accepted");

    let wire = Wire::to(peer.port()).await;
    let port = wire.port.to_string();
    let login = secret(&peer, &user, "right", &[("port", &port)]);
    let trusted = trust(&[peer.authority()]);
    let mut cut = peer.rotator().connect(&login, &trusted).await.expect("accepted");
    wire.cut();
    unreachable(cut.test().await);
    unreachable(cut.change_own(&sensitive("right"), &sensitive("canary-next")).await);
    assert!(peer.accepts(&user, "right"));

    peer.crash();
    unreachable(session.test().await);
    unreachable(connect(&peer, &user, "right").await);
    peer.resume();
    connect(&peer, &user, "right").await.expect("accepted again");

    let wire = Wire::to(peer.port()).await;
    let port = wire.port.to_string();
    let login = secret(&peer, &user, "right", &[("port", &port)]);
    let mut stalled = peer.rotator().connect(&login, &trusted).await.expect("accepted");
    let (port, _task) = mute().await;
    let login = secret(&peer, &user, "right", &[("port", &port.to_string())]);
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    unreachable(peer.rotator().connect(&login, &trusted).await);
    assert!(begun.elapsed() <= Duration::from_secs(6), "{:?}", begun.elapsed());
    wire.stall();
    let begun = tokio::time::Instant::now();
    unreachable(stalled.change_own(&sensitive("right"), &sensitive("canary-next")).await);
    assert!(begun.elapsed() <= Duration::from_secs(30), "{:?}", begun.elapsed());
}

fn unreachable<T>(outcome: Result<T, Failure>) {
    let failure = outcome.err().expect("nobody was there");
    assert!(matches!(&failure, Failure::Unreachable(_)), "{failure:?}");
    assert!(!format!("{failure:?}").contains("canary"), "{failure:?}");
}
