//! Packages on disk.

use super::*;
use std::os::unix::fs::PermissionsExt;

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

#[tokio::test]
async fn what_is_kept_can_be_run_and_removed() {
    let data = tempfile::tempdir().expect("a folder");
    let packages = Packages::open(data.path()).expect("opened");
    let bytes = package();
    let sha256 = hex(digest(&SHA256, &bytes).as_ref());
    for _ in 0..2 {
        packages.keep(&sha256, Bytes::from(bytes.clone())).await.expect("kept");
    }
    let file = data.path().join("functions/code").join(&sha256);
    assert_eq!(std::fs::read(&file).expect("there"), bytes);
    let mode = |it: &Path| std::fs::metadata(it).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(&data.path().join("functions"))), (0o600, 0o700));

    let folder = packages.folder(&sha256).await.expect("unpacked");
    assert_eq!(std::fs::read(folder.join("a/run")).expect("there"), b"hello");
    assert_eq!(
        (mode(&folder.join("a/run")), mode(&folder.join("a")), mode(&folder)),
        (0o555, 0o555, 0o555)
    );
    assert_eq!(packages.folder(&sha256).await.expect("there"), folder);

    let (past, future) = (Timestamp::from_secs(0), Timestamp::from_secs(9_000_000_000));
    assert!(packages.older(past).await.expect("listed").is_empty());
    packages.remove(&sha256, past).await.expect("left alone");
    assert_eq!(packages.older(future).await.expect("listed"), std::slice::from_ref(&sha256));

    // Another start has nothing unpacked, and the package.
    drop(packages);
    let packages = Packages::open(data.path()).expect("opened");
    assert!(!folder.exists() && file.exists());
    packages.folder(&sha256).await.expect("unpacked again");
    packages.remove(&sha256, future).await.expect("removed");
    assert!(!folder.exists() && !file.exists());
}

#[tokio::test]
async fn damage_and_paths_are_refused() {
    let data = tempfile::tempdir().expect("a folder");
    let packages = Packages::open(data.path()).expect("opened");
    let bytes = package();
    let sha256 = hex(digest(&SHA256, &bytes).as_ref());
    packages.keep(&sha256, Bytes::from(bytes)).await.expect("kept");
    std::fs::write(data.path().join("functions/code").join(&sha256), b"else").expect("written");
    let damaged = packages.folder(&sha256).await.expect_err("damaged");
    assert_eq!(damaged.kind(), io::ErrorKind::InvalidData);
    for name in ["", "../x", "x", &sha256.to_uppercase()] {
        assert!(packages.folder(name).await.is_err(), "{name}");
        assert!(packages.keep(name, Bytes::new()).await.is_err(), "{name}");
    }
}
