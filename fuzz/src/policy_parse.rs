//! Policy documents.

use policy::{Document, pretty};

/// Takes `input` for a resource policy.
///
/// Whatever is accepted can be printed, and the print means the same. A refusal's detail is one
/// short line.
pub fn policy_parse(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    if let Ok(printed) = pretty(text) {
        // Deeper or longer than can be read back: never what a request may hold.
        if text.chars().count() <= LONGEST {
            assert_eq!(pretty(&printed).as_deref(), Ok(printed.as_str()));
        }
    }
    match Document::parse(text) {
        Ok(document) => {
            let printed = pretty(text).expect("a policy is JSON");
            assert!(!document.statements().is_empty());
            document.is_public();
            if text.chars().count() <= LONGEST {
                assert_eq!(Document::parse(&printed), Ok(document));
            }
        }
        Err(invalid) => {
            let detail = invalid.detail();
            assert!(detail.len() < 1024 && !detail.contains(char::is_control), "{detail}");
        }
    }
}

/// The most characters that a request's policy may have.
const LONGEST: usize = 20_480;
