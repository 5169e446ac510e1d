//! What the program says when things are not as they should be, and with which exit code.

#![expect(clippy::expect_used, reason = "test helpers")]

use std::process::{Command, Output};

fn strongroom(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_strongroom")).args(arguments).output().expect("it runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

#[test]
fn what_needs_a_server_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("none");
    let data = data.to_str().expect("text");
    for verb in [
        &["account", "list"][..],
        &["account", "create"],
        &["access-key", "list"],
        &["access-key", "deactivate", "AKIAX"],
        &["access-key", "delete", "AKIAX"],
        &["env", "--wait", "0"],
        &["root-key", "rotate"],
        &["who-can", "s3:GetObject", "*"],
        &["rotation", "status"],
        &["rotation", "plan", "app"],
        &["rotation", "watch", "app"],
        &["rotation", "verify", "--all"],
        &["backup", "/nowhere/backup"],
    ] {
        let output = strongroom(&[verb, &["--data", data]].concat());
        assert_eq!(output.status.code(), Some(3), "{verb:?}");
        assert_eq!(text(&output.stdout), "", "{verb:?}");
        let said = text(&output.stderr);
        assert!(said.starts_with("error: "), "{verb:?}: {said}");
        assert!(said.contains(&format!("no server is running on `{data}`\nhint: ")), "{said}");
    }
}

#[test]
fn what_needs_a_folder_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("none");
    let data = data.to_str().expect("text");
    for (verb, fact) in [
        (&["trail", "tail"][..], "no audit journal"),
        (&["trail", "verify"], "no audit journal"),
        (&["restore", "/nowhere/backup"], "can't open `/nowhere/backup`"),
    ] {
        let output = strongroom(&[verb, &["--data", data]].concat());
        assert_eq!(output.status.code(), Some(3), "{verb:?}");
        assert!(text(&output.stderr).contains(fact), "{}", text(&output.stderr));
    }
    assert!(!folder.path().join("none").exists(), "looking made the folder");
}

#[test]
fn wrong_usage_is_told_apart() {
    for arguments in [
        &["no-such-verb"][..],
        &["backup"],
        &["rotation", "verify"],
        &["rotation", "verify", "app", "--all"],
        &["import", "--dry-run", "--concurrency", "0"],
        &["completions", "tcsh"],
        &["account", "create", "--id", "12"],
        &[],
    ] {
        assert_eq!(strongroom(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_broken_trail_is_a_finding() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("journal");
    std::fs::create_dir(&journal).expect("made");
    std::fs::write(journal.join("public-key"), "nonsense").expect("written");
    let data = folder.path().to_str().expect("text");
    let output = strongroom(&["trail", "verify", "--data", data]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("chain broken"), "{}", text(&output.stdout));
}

#[test]
fn the_doctor_names_what_is_wrong_and_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("none");
    let output = strongroom(&["doctor", "--data", data.to_str().expect("text")]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.contains("FAIL  data folder"), "{said}");
    assert!(said.contains("hint: "), "{said}");
}
