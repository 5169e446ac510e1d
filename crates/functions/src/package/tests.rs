//! Packages, good and bad.

use super::*;
use proptest::prelude::*;
use std::io::Write;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// What a sink was handed, line by line.
#[derive(Default)]
struct Told(Vec<String>);

impl Sink for Told {
    fn folder(&mut self, path: &str) -> io::Result<()> {
        self.0.push(format!("{path}/"));
        Ok(())
    }

    fn file(&mut self, path: &str, executable: bool, content: &mut dyn Read) -> io::Result<()> {
        let length = io::copy(content, &mut io::sink())?;
        self.0.push(format!("{path} {length}{}", if executable { " x" } else { "" }));
        Ok(())
    }

    fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        self.0.push(format!("{path} -> {target}"));
        Ok(())
    }
}

/// `name`, `name=content`, `name*` for an executable, `name->target`.
fn package(entries: &[&str]) -> Vec<u8> {
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    for entry in entries {
        if let Some((path, target)) = entry.split_once("->") {
            out.add_symlink(path, target, options).expect("a link");
        } else if let Some(path) = entry.strip_suffix('/') {
            out.add_directory(path, options).expect("a folder");
        } else {
            let (path, content) = entry.split_once('=').unwrap_or((entry, "x"));
            let mode = if path.ends_with('*') { 0o755 } else { 0o644 };
            out.start_file(path.trim_end_matches('*'), options.unix_permissions(mode))
                .expect("a file");
            out.write_all(content.as_bytes()).expect("written");
        }
    }
    out.finish().expect("finished").into_inner()
}

fn told(bytes: &[u8]) -> String {
    let mut told = Told::default();
    match walk(bytes, &mut told) {
        Ok(()) => told.0.join(", "),
        Err(unfit) => format!("{unfit:?}"),
    }
}

#[test]
fn what_is_in_a_package_is_handed_over_in_order() {
    #[rustfmt::skip]
    let cases: &[(&[&str], &str)] = &[
        (&["app.py=abc"],                                "app.py 3"),
        (&["bootstrap*"],                                "bootstrap 1 x"),
        (&["./app.py"],                                  "app.py 1"),
        (&["a/b/c.py", "a/d.py"],                        "a/, a/b/, a/b/c.py 1, a/d.py 1"),
        (&["a/b.py", "a/", "./a/"],                        "a/, a/b.py 1"),
        (&["bin/x->../lib/x", "lib/x"],                  "bin/, bin/x -> ../lib/x, lib/, lib/x 1"),
        (&["a->b/c"],                                    "a -> b/c"),
        (&[],                                            "Empty"),
        (&["../x"],                                      "Malformed"),
        (&["a/../x"],                                    "Malformed"),
        (&["/etc/x"],                                    "Malformed"),
        (&["a//x"],                                      "Malformed"),
        (&["a\\..\\x"],                                  "Malformed"),
        (&["x", "./x"],                                  "Malformed"), // one path, twice
        (&["x", "x/y"],                                  "Malformed"), // a file is no folder
        (&["x->y", "x/z"],                               "Malformed"), // nothing below a link
        (&["x->../y"],                                   "Malformed"),
        (&["a/x->../../y"],                              "Malformed"),
        (&["x->/etc/passwd"],                            "Malformed"),
        (&["a/b/c/l->../../..", "a/b/c/m->l/.."],        "Malformed"), // the name is a link's
    ];
    for (entries, expected) in cases {
        assert_eq!(told(&package(entries)), *expected, "{entries:?}");
    }
    let long = "d/".repeat(64) + "x";
    assert_eq!(told(&package(&[&long])), "Malformed");
    assert_eq!(told(b"PK"), "Malformed");
    assert_eq!(told(b""), "Malformed");
}

#[test]
fn a_bomb_is_noticed_before_it_is_large() {
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    out.start_file("zeros", SimpleFileOptions::default()).expect("a file");
    let zeros = vec![0; 1 << 20];
    for _ in 0..251 {
        out.write_all(&zeros).expect("written");
    }
    let bytes = out.finish().expect("finished").into_inner();
    assert!(bytes.len() < 1 << 20);
    assert!(matches!(inspect(&bytes), Err(Unfit::TooLarge)));
}

proptest! {
    #[test]
    fn damage_is_refused_without_panic(at in 0_usize..400, to: u8, cut in 0_usize..400) {
        let mut bytes = package(&["a/b.py=print()", "c*=abcabcabc", "l->a/b.py"]);
        let length = bytes.len();
        bytes[at % length] = to;
        let _any = inspect(&bytes);
        bytes.truncate(cut % length);
        prop_assert!(inspect(&bytes).is_err());
    }
}
