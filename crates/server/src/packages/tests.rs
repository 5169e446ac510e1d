//! Packages on disk.

use super::*;
use base::SystemEntropy;
use envelope::{Key, Keyring, LocalRoot, Roots};
use std::os::unix::fs::PermissionsExt;
use store::backends::memory::Memory;
use store::{Commit, KeyRange, Revision};
use testkit::PaperTrail;
use testkit::clock::HandMoved;

/// A zip archive of one stored file, `a/run` with mode 0755 and the content `hello`, as Info-ZIP writes it.
fn package() -> Vec<u8> {
    let name = b"a/run";
    let (content, crc) = (b"hello", 0x3610_a686_u32);
    let mut common = Vec::new();
    common.extend_from_slice(&[10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0x5a]);
    common.extend_from_slice(&crc.to_le_bytes());
    common.extend_from_slice(&5_u32.to_le_bytes());
    common.extend_from_slice(&5_u32.to_le_bytes());
    common.extend_from_slice(&[5, 0, 0, 0]);
    let local = [b"PK\x03\x04", &common[..], name, content].concat();
    let mode = (0o100_755_u32 << 16).to_le_bytes();
    let mut central = [b"PK\x01\x02\x1e\x03", &common[..]].concat();
    central.extend_from_slice(&[0; 6]);
    central.extend_from_slice(&mode);
    central.extend_from_slice(&[0; 4]);
    central.extend_from_slice(name);
    let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
    end.extend_from_slice(&u32::try_from(central.len()).expect("short").to_le_bytes());
    end.extend_from_slice(&u32::try_from(local.len()).expect("short").to_le_bytes());
    end.extend_from_slice(&[0; 2]);
    [local, central, end].concat()
}

/// A store of its own, and packages in it.
struct Shelf {
    data: tempfile::TempDir,
    state: Arc<State>,
}

impl Shelf {
    async fn new() -> Self {
        let root = LocalRoot::new("test", Key::random(&SystemEntropy)).expect("made");
        let keyring = Arc::new(Keyring::new(Roots::only(Arc::new(root))));
        let backend = Arc::new(Memory::new());
        let made = kms::initialize(&*backend, &keyring, &SystemEntropy, NOW).await;
        made.expect("brand new");
        let state = State {
            backend,
            trail: Arc::new(PaperTrail::default()),
            turns: Arc::default(),
            keyring,
            entropy: Arc::new(SystemEntropy),
            clock: Arc::new(HandMoved::new(NOW)),
        };
        Self { data: tempfile::tempdir().expect("a folder"), state: Arc::new(state) }
    }

    fn packages(&self) -> Packages {
        Packages::open(self.data.path(), &self.state).expect("opened")
    }

    async fn rows(&self) -> Vec<(String, Vec<u8>)> {
        let snapshot = self.state.backend.snapshot().await.expect("read");
        snapshot.scan(&KeyRange::prefix("package"), 1000, false).await.expect("read")
    }

    /// Writes `row` as it is.
    async fn put(&self, key: &str, row: Option<Vec<u8>>) {
        let writes = vec![(key.to_owned(), row)];
        let commit = Commit { seen: Revision(u64::MAX), writes, ..Commit::default() };
        self.state.backend.commit(commit).await.expect("written");
    }
}

const NOW: Timestamp = Timestamp::from_secs(1_769_853_600);

/// `package()` with so many bytes that no one reads before it.
fn long_package() -> Vec<u8> {
    [vec![0; 150_000], package()].concat()
}

#[tokio::test]
async fn what_is_kept_can_be_run_and_removed() {
    let shelf = Shelf::new().await;
    let packages = shelf.packages();
    let bytes = package();
    let sha256 = hex(digest(&SHA256, &bytes).as_ref());
    for _ in 0..2 {
        packages.keep(&sha256, Bytes::from(bytes.clone())).await.expect("kept");
    }
    let rows = shelf.rows().await;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|it| !it.1.windows(5).any(|it| it == b"hello")), "sealed");

    let mode = |it: &Path| std::fs::metadata(it).expect("there").permissions().mode() & 0o777;
    let folder = packages.folder(&sha256).await.expect("unpacked");
    assert_eq!(std::fs::read(folder.join("a/run")).expect("there"), b"hello");
    assert_eq!(
        (mode(&folder.join("a/run")), mode(&folder.join("a")), mode(&folder)),
        (0o555, 0o555, 0o555)
    );
    assert_eq!(mode(&shelf.data.path().join("functions")), 0o700);
    assert_eq!(packages.folder(&sha256).await.expect("there"), folder);

    let future = NOW.plus(std::time::Duration::from_secs(1));
    assert!(packages.older(NOW).await.expect("listed").is_empty());
    packages.remove(&sha256, NOW).await.expect("left alone");
    assert_eq!(packages.older(future).await.expect("listed"), std::slice::from_ref(&sha256));

    // Another start has nothing unpacked, and the package.
    drop(packages);
    let packages = shelf.packages();
    assert!(!folder.exists());
    packages.folder(&sha256).await.expect("unpacked again");
    packages.remove(&sha256, future).await.expect("removed");
    assert!(!folder.exists() && shelf.rows().await.is_empty());
    let error = packages.folder(&sha256).await.expect_err("removed");
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().contains("upload it again"), "{error}");
}

#[tokio::test]
async fn damage_and_paths_are_refused() {
    let shelf = Shelf::new().await;
    let packages = shelf.packages();
    let bytes = long_package();
    let sha256 = hex(digest(&SHA256, &bytes).as_ref());
    packages.keep(&sha256, Bytes::from(bytes.clone())).await.expect("kept");
    let rows = shelf.rows().await;
    let [(first, one), (second, two), (_, _), (head, whole)] = &rows[..] else {
        panic!("{}", rows.len())
    };
    for (key, row) in [(first, Some(two.clone())), (second, None), (head, None)] {
        shelf.put(key, row).await;
        packages.folder(&sha256).await.expect_err(key);
        for (key, row) in [(first, one), (second, two), (head, whole)] {
            shelf.put(key, Some(row.clone())).await;
        }
    }
    packages.folder(&sha256).await.expect("whole again");

    // Whole, and something else than its name says.
    let other = "0".repeat(64);
    packages.keep(&other, Bytes::from(bytes)).await.expect("kept");
    let damaged = packages.folder(&other).await.expect_err("damaged");
    assert_eq!(damaged.kind(), io::ErrorKind::InvalidData);
    for name in ["", "../x", "x", &sha256.to_uppercase()] {
        assert!(packages.folder(name).await.is_err(), "{name}");
        assert!(packages.keep(name, Bytes::new()).await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn what_is_kept_in_part_is_kept_again_and_swept() {
    let shelf = Shelf::new().await;
    let packages = shelf.packages();
    let bytes = long_package();
    let sha256 = hex(digest(&SHA256, &bytes).as_ref());
    packages.keep(&sha256, Bytes::from(bytes.clone())).await.expect("kept");
    let head = shelf.rows().await.pop().expect("a head");
    let torn = String::from_utf8_lossy(&head.1).replace("true", "false");
    shelf.put(&head.0, Some(torn.clone().into_bytes())).await;
    let error = packages.folder(&sha256).await.expect_err("in part");
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    packages.keep(&sha256, Bytes::from(bytes)).await.expect("kept");
    packages.folder(&sha256).await.expect("whole");

    shelf.put(&head.0, Some(torn.into_bytes())).await;
    let future = NOW.plus(std::time::Duration::from_secs(1));
    assert_eq!(packages.older(future).await.expect("listed"), std::slice::from_ref(&sha256));
    packages.remove(&sha256, future).await.expect("removed");
    assert!(shelf.rows().await.is_empty());
}
