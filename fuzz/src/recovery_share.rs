//! Shares of the recovery key, as people type them.

use kms::root::share::{Share, combine};

/// Takes `input` for shares, one a line.
///
/// A share that is read is written as one that is read again. Shares that nobody has given away open nothing.
pub fn recovery_share(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let mut shares = Vec::new();
    for share in text.lines().filter_map(|it| Share::parse(it).ok()) {
        let written = share.write().expect("written");
        let again = Share::parse(str::from_utf8(written.expose()).expect("letters"));
        assert_eq!(again.expect("a share").index(), share.index());
        shares.push(share);
    }
    assert!(combine(&shares, "recovery:0000000000000000").is_err());
}
