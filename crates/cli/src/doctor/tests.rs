//! Faults of files, one at a time.

use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A data folder as the server leaves it, as far as checks of files look at it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    kms::root::file::create(&folder.path().join("root.key"), &base::SystemEntropy).unwrap();
    folder
}

fn subject(folder: &Path) -> Subject {
    Doctor { config: None, json: false }.subject(&folder.to_owned().into()).unwrap()
}

#[test]
fn a_fresh_folder_is_well() {
    let folder = folder();
    let subject = subject(folder.path());
    for check in [files::data_folder, files::root_key, files::certificate, machine::clock] {
        let finding = check(&subject);
        assert_eq!(finding.grade, Grade::Ok, "{finding:?}");
    }
}

#[test]
fn every_fault_has_a_remedy() {
    type Spoil = fn(&Path);
    #[rustfmt::skip]
    let cases: [(&str, Spoil, Check, Grade); 6] = [
        ("open folder",     |it| chmod(it, 0o755),                                  files::data_folder, Grade::Fail),
        ("no folder",       |it| fs::remove_dir_all(it).unwrap(),                   files::data_folder, Grade::Fail),
        ("open root key",   |it| chmod(&it.join("root.key"), 0o644),                files::root_key,    Grade::Fail),
        ("no root key",     |it| fs::remove_file(it.join("root.key")).unwrap(),     files::root_key,    Grade::Fail),
        ("short root key",  |it| fs::write(it.join("root.key"), "short").unwrap(),  files::root_key,    Grade::Fail),
        ("half a rotation", |it| fs::write(it.join("root.key.next"), "x").unwrap(), files::root_key,    Grade::Warn),
    ];
    for (name, spoil, check, expected) in cases {
        let folder = folder();
        spoil(folder.path());
        let finding = check(&subject(folder.path()));
        assert_eq!(finding.grade, expected, "{name}: {finding:?}");
        assert!(finding.remedy.is_some(), "{name}: {finding:?}");
        // A folder that is gone can't be removed; that is what the case was about.
        drop(folder.close());
    }
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn looking_makes_nothing() {
    let folder = folder();
    let subject = subject(folder.path());
    for (_, check) in CHECKS {
        check(&subject);
    }
    let left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left, ["root.key"]);
}
