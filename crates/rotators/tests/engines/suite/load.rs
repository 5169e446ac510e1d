//! Fifty rotations under an application that logs in all the time with the value it has read last.
//!
//! What is stored is behind a lock here: a reader waits while a single user's password changes, as readers of
//! `AWSCURRENT` do. A rotation begins when the value of the one before has been used: an interval is longer than a login.

use super::*;
use std::sync::atomic::AtomicBool;
use tokio::sync::{RwLock, watch};

const ROTATIONS: usize = 50;

/// What the application reads, and the last password that it has logged in with.
struct Stored {
    value: RwLock<(String, String)>,
    used: watch::Sender<String>,
}

/// Two users in turn: no login is ever refused.
pub(crate) async fn alternating(peer: &impl Peer) {
    let like = fresh("busy");
    let other = format!("{like}{}", peer.rotator().dialect().suffix);
    peer.create(&like, "first");
    let stored = Stored::new(&like);
    let mut master = administrator(peer).await;
    let rotated = async {
        for round in 0..ROTATIONS {
            let users = if round % 2 == 0 { (&like, &other) } else { (&other, &like) };
            let password = format!("round-{round}");
            master.mirror(users.0, users.1, &sensitive(&password)).await.expect("rotated");
            connect(peer, users.1, &password).await.expect("proven");
            *stored.value.write().await = (users.1.clone(), password.clone());
            stored.is_used(&password).await;
        }
    };
    let (logins, refused) = stored.under(peer, rotated).await;
    assert!(ROTATIONS <= logins, "{logins} logins");
    assert_eq!(refused, 0, "of {logins} logins");
}

/// A single user: who is refused reads again, and gets in.
pub(crate) async fn single(peer: &impl Peer) {
    let user = fresh("busy");
    peer.create(&user, "first");
    let stored = Stored::new(&user);
    let mut master = administrator(peer).await;
    let rotated = async {
        for round in 0..ROTATIONS {
            let password = format!("round-{round}");
            let mut current = stored.value.write().await;
            master.change(&user, &sensitive(&password), None).await.expect("rotated");
            connect(peer, &user, &password).await.expect("proven");
            current.1.clone_from(&password);
            drop(current);
            stored.is_used(&password).await;
        }
    };
    let (logins, _) = stored.under(peer, rotated).await;
    assert!(ROTATIONS <= logins, "{logins} logins");
}

impl Stored {
    fn new(user: &str) -> Self {
        let value = RwLock::new((user.to_owned(), "first".to_owned()));
        Self { value, used: watch::Sender::default() }
    }

    async fn is_used(&self, password: &str) {
        let mut used = self.used.subscribe();
        used.wait_for(|it| it == password).await.expect("the application runs");
    }

    /// Logs in until `rotated` is over: how often, and how often it had to read again.
    async fn under(&self, peer: &impl Peer, rotated: impl Future<Output = ()>) -> (usize, usize) {
        let over = AtomicBool::new(false);
        let application = async {
            let (mut logins, mut refused) = (0, 0);
            while !over.load(Ordering::Relaxed) {
                let (user, mut password) = self.value.read().await.clone();
                logins += 1;
                if let Err(failure) = connect(peer, &user, &password).await {
                    assert!(matches!(failure, Failure::Denied(_)), "{failure:?}");
                    refused += 1;
                    let (user, again) = self.value.read().await.clone();
                    connect(peer, &user, &again).await.expect("the value read again");
                    password = again;
                }
                self.used.send_replace(password);
            }
            (logins, refused)
        };
        let rotated = async {
            rotated.await;
            over.store(true, Ordering::Relaxed);
        };
        tokio::join!(application, rotated).0
    }
}
