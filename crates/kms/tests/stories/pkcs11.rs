//! A root key in a token of SoftHSM.
//!
//! SoftHSM finds its tokens by its environment, which only a new process can be given: so each story runs in
//! this very program, started once more.

use crate::support::{Owner, World, binding, root};
use base::SystemEntropy;
use envelope::{Aad, Key, Label, OpenError, RootError, RootKey, Roots};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use store::backends::memory::Fault;
use strongroom_kms::root::pkcs11::{TokenError, TokenPlace, TokenRoot, load, load_or_create};
use strongroom_kms::{Error, rotate_root};

const FOLDER: &str = "STRONGROOM_TEST_TOKENS";
const PIN: &str = "4711-pin";

/// Where Debian has it.
const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// The folder with tokens, inside; nothing outside, where the story `name` has been told by another process.
fn tokens(name: &str) -> Option<PathBuf> {
    if let Some(folder) = std::env::vars_os().find(|it| it.0 == FOLDER) {
        return Some(folder.1.into());
    }
    let folder = tempfile::tempdir().expect("made");
    let tokens = folder.path().join("tokens");
    fs::create_dir(&tokens).expect("made");
    let conf = folder.path().join("softhsm2.conf");
    let settings = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display());
    fs::write(&conf, settings).expect("written");
    put_pin(folder.path(), PIN, 0o600);
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "safe", "--pin", PIN, "--so-pin", "5678"])
        .env("SOFTHSM2_CONF", &conf)
        .output()
        .expect("softhsm2 is installed");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let told = Command::new(std::env::current_exe().expect("a program"))
        .args(["--exact", name, "--nocapture"])
        .env("SOFTHSM2_CONF", &conf)
        .env(FOLDER, folder.path())
        .output()
        .expect("started");
    let said = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.status.success() && said.contains("1 passed"), "{said}{told:?}");
    None
}

fn put_pin(folder: &Path, pin: &str, mode: u32) {
    let path = folder.join("pin");
    fs::write(&path, format!("{pin}\n")).expect("written");
    fs::set_permissions(&path, Permissions::from_mode(mode)).expect("set");
}

fn place(folder: &Path) -> TokenPlace {
    TokenPlace {
        module: MODULE.into(),
        token: "safe".to_owned(),
        key: "root".to_owned(),
        pin: folder.join("pin"),
    }
}

fn refusal(place: &TokenPlace) -> String {
    match load(place) {
        Ok(root) => panic!("{root:?} was loaded"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn keys_are_wrapped_in_the_token_and_nowhere_else() {
    let Some(folder) = tokens("pkcs11::keys_are_wrapped_in_the_token_and_nowhere_else") else {
        return;
    };
    let place = place(&folder);
    let missing = load(&place).expect_err("not made yet");
    assert!(matches!(missing, TokenError::KeyAbsent { .. }), "{missing}");
    let made = load_or_create(&place, &SystemEntropy).expect("made");
    let found = load(&place).expect("found");
    assert_eq!(made.id(), found.id());
    assert_eq!(load_or_create(&place, &SystemEntropy).expect("found").id(), made.id());
    assert!(made.id().starts_with("pkcs11:") && made.id().len() == 23, "{}", made.id());
    assert!(!format!("{made:?}").contains(PIN));

    let (aad, other) = (Aad::new(Label::Kek).field("here"), Aad::new(Label::Kek).field("there"));
    let key = Key::random(&SystemEntropy);
    let blob = made.wrap(&aad, &key, &SystemEntropy).expect("wrapped");
    assert_eq!(blob.len(), 62);
    assert_ne!(blob, made.wrap(&aad, &key, &SystemEntropy).expect("wrapped"));
    assert!(!blob.windows(8).any(|it| key.expose().starts_with(it)));
    assert_eq!(found.unwrap(&aad, &blob).expect("opens").expose(), key.expose());
    let refused = |root: &TokenRoot, aad: &Aad, blob: &[u8]| match root.unwrap(aad, blob) {
        Err(RootError::Open(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&found, &other, &blob), OpenError::Changed);
    let mut changed = blob.clone();
    *changed.last_mut().expect("some") ^= 1;
    assert_eq!(refused(&found, &aad, &changed), OpenError::Changed);
    for cut in [0, 1, 13, 61] {
        assert_eq!(refused(&found, &aad, &blob[..cut]), OpenError::Foreign);
    }
    // What failed has not spoiled the session.
    assert_eq!(found.unwrap(&aad, &blob).expect("opens").expose(), key.expose());
}

#[test]
fn what_stands_in_the_way_is_told_in_a_sentence() {
    let Some(folder) = tokens("pkcs11::what_stands_in_the_way_is_told_in_a_sentence") else {
        return;
    };
    let own = place(&folder);
    load_or_create(&own, &SystemEntropy).map(drop).expect("made");
    #[rustfmt::skip]
    let cases = [
        (TokenPlace { module: "/none/x.so".into(), ..own.clone() }, "PKCS #11 module `/none/x.so` can't be loaded"),
        (TokenPlace { token: "other".to_owned(), ..own.clone() },   "no token `other` is there"),
        (TokenPlace { key: "other".to_owned(), ..own.clone() },     "token `safe` holds no key `other`"),
        (TokenPlace { pin: folder.join("none"), ..own.clone() },    "can't be opened"),
    ];
    for (place, expected) in cases {
        let told = refusal(&place);
        assert!(told.contains(expected) && told.contains("\nhint: "), "{told}");
    }
    #[rustfmt::skip]
    let cases = [
        ("wrong-pin", 0o600, "token `safe` refuses the PIN: it is wrong"),
        (PIN,         0o640, "is open to group or others (mode 0640)"),
        ("",          0o600, "holds no PIN"),
    ];
    for (pin, mode, expected) in cases {
        put_pin(&folder, pin, mode);
        let told = refusal(&own);
        assert!(told.contains(expected) && told.contains("\nhint: "), "{told}");
        assert!(!told.contains("wrong-pin"), "{told}");
    }
    put_pin(&folder, PIN, 0o600);
    load(&own).map(drop).expect("the token is not locked");
}

#[test]
fn a_session_is_opened_again_and_a_refused_pin_never_sent_again() {
    let Some(folder) =
        tokens("pkcs11::a_session_is_opened_again_and_a_refused_pin_never_sent_again")
    else {
        return;
    };
    let root = load_or_create(&place(&folder), &SystemEntropy).expect("made");
    let aad = Aad::new(Label::Kek);
    let blob = root.wrap(&aad, &Key::random(&SystemEntropy), &SystemEntropy).expect("wrapped");
    let module = cryptoki::context::Pkcs11::new(MODULE).expect("loaded");
    let slot = module.get_slots_with_initialized_token().expect("there")[0];
    // One logout ends what every session of the process may do.
    module.open_ro_session(slot).expect("open").logout().expect("logged out");
    root.unwrap(&aad, &blob).expect("opened anew");

    // Somebody changes the PIN while the session is gone.
    let session = module.open_rw_session(slot).expect("open");
    let pin = |it: &str| cryptoki::types::AuthPin::new(it.to_owned().into_boxed_str());
    session.set_pin(&pin(PIN), &pin("another-pin")).expect("changed");
    session.logout().expect("logged out");
    for expected in ["it is wrong", "it was wrong before"] {
        let refused = root.unwrap(&aad, &blob).expect_err("refused");
        let refused = std::error::Error::source(&refused).expect("a cause").to_string();
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn the_root_key_moves_into_the_token_and_out_of_it_and_may_be_killed() {
    let Some(folder) =
        tokens("pkcs11::the_root_key_moves_into_the_token_and_out_of_it_and_may_be_killed")
    else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(moves(&folder));
}

async fn moves(folder: &Path) {
    let token: Arc<dyn RootKey> =
        Arc::new(load_or_create(&place(folder), &SystemEntropy).expect("made"));
    let bound = binding("arn:one", "v1");
    let (owner, other) = (Owner::new(1, "eu-west-1"), Owner::new(2, "eu-west-1"));
    for (fault, nth) in [(Fault::DieBefore, 1), (Fault::DieAfter, 1), (Fault::DieBefore, 2)] {
        let world = World::new().await;
        let sealed = world.seal(&owner, &bound, "value").await.expect("sealed");
        world.backend.fault(fault, nth);
        let new = || Arc::clone(&token);
        rotate(&world, new()).await.expect_err("died");
        let roots = Roots::both(new(), root(1));
        let world = world.restart(roots).await.expect("both are enough");
        rotate(&world, new()).await.expect("finished");
        let world = world.restart(Roots::only(new())).await.expect("the token is enough");
        assert_eq!(world.open(&owner, &bound, &sealed).await.expect("opens"), "value");
        let late = world.seal(&other, &bound, "late").await.expect("sealed");

        rotate(&world, root(3)).await.expect("moved out");
        let world = world.restart(Roots::only(root(3))).await.expect("the token isn't needed");
        assert_eq!(world.open(&owner, &bound, &sealed).await.expect("opens"), "value");
        assert_eq!(world.open(&other, &bound, &late).await.expect("opens"), "late");
        let refused = world.restart(Roots::only(new())).await.map(drop);
        assert!(matches!(refused, Err(Error::WrongRoot { .. })), "{refused:?}");
    }
}

async fn rotate(world: &World, to: Arc<dyn RootKey>) -> Result<(), Error> {
    rotate_root(&world.backend, &world.keyring, to, &SystemEntropy, &mut |_| ()).await
}
