//! Facts of the build for `strongroom --version`.

use std::env;
use std::process::Command;

fn main() {
    let told = [
        ("STRONGROOM_COMMIT", output("git", &["rev-parse", "--short=12", "HEAD"])),
        ("STRONGROOM_RUSTC", output(&env::var("RUSTC").unwrap_or_default(), &["--version"])),
        ("STRONGROOM_TARGET", env::var("TARGET").ok()),
        ("STRONGROOM_PROFILE", env::var("PROFILE").ok()),
    ];
    for (name, value) in told {
        let value = value.filter(|it| !it.is_empty()).unwrap_or_else(|| "unknown".to_owned());
        instruct(&format!("rustc-env={name}={value}"));
    }
    instruct("rerun-if-changed=build.rs");
    for name in ["HEAD", "logs/HEAD"] {
        // The commit changes with these files. Naming an absent one would build anew every time.
        let path = output("git", &["rev-parse", "--git-path", name]);
        if let Some(path) = path.filter(|it| std::path::Path::new(it).exists()) {
            instruct(&format!("rerun-if-changed={path}"));
        }
    }
}

fn instruct(line: &str) {
    println!("cargo::{line}");
}

/// What a program prints, trimmed; nothing where it can't run, as in a source archive without git.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
