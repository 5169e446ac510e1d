//! What must hold for any input, one function per parser of foreign bytes.
//!
//! Each function takes any bytes and panics if something that must hold doesn't. The programs in
//! `fuzz_targets/` hand these functions to libFuzzer; `cargo test` hands them the committed inputs
//! in `corpus/`. An input that once failed belongs there, under a name that tells what it does.

#![forbid(unsafe_code)]

mod agent_answer;
mod agent_token;
mod certificate;
mod authorization_message;
mod ciphertext_blob;
mod drda_reply;
mod function_package;
mod grant_token;
mod imported_material;
mod identity_token;
mod journal_read;
mod json_decode;
mod lease_template;
mod mongo_reply;
mod policy_compile;
mod policy_condition;
mod policy_parse;
mod query_decode;
mod rest_request;
mod recovery_share;
mod schedule;
mod session_token;
mod server_grants;
mod server_packets;
mod server_prelogin;
mod sigv4_request;
mod store_key;
mod x509_request;

pub use agent_answer::agent_answer;
pub use agent_token::agent_token;
pub use certificate::certificate;
pub use authorization_message::authorization_message;
pub use ciphertext_blob::ciphertext_blob;
pub use drda_reply::drda_reply;
pub use function_package::function_package;
pub use grant_token::grant_token;
pub use imported_material::imported_material;
pub use identity_token::identity_token;
pub use journal_read::journal_read;
pub use json_decode::json_decode;
pub use lease_template::lease_template;
pub use mongo_reply::mongo_reply;
pub use policy_compile::policy_compile;
pub use policy_condition::policy_condition;
pub use policy_parse::policy_parse;
pub use query_decode::query_decode;
pub use rest_request::rest_request;
pub use recovery_share::recovery_share;
pub use schedule::schedule;
pub use session_token::session_token;
pub use server_grants::server_grants;
pub use server_packets::server_packets;
pub use server_prelogin::server_prelogin;
pub use sigv4_request::sigv4_request;
pub use store_key::store_key;
pub use x509_request::x509_request;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    type Target = fn(&[u8]);

    const TARGETS: &[(&str, Target)] = &[
        ("agent_answer", super::agent_answer),
        ("agent_token", super::agent_token),
        ("certificate", super::certificate),
        ("authorization_message", super::authorization_message),
        ("ciphertext_blob", super::ciphertext_blob),
        ("drda_reply", super::drda_reply),
        ("function_package", super::function_package),
        ("grant_token", super::grant_token),
        ("imported_material", super::imported_material),
        ("identity_token", super::identity_token),
        ("journal_read", super::journal_read),
        ("json_decode", super::json_decode),
        ("lease_template", super::lease_template),
        ("mongo_reply", super::mongo_reply),
        ("policy_compile", super::policy_compile),
        ("policy_condition", super::policy_condition),
        ("policy_parse", super::policy_parse),
        ("query_decode", super::query_decode),
        ("rest_request", super::rest_request),
        ("recovery_share", super::recovery_share),
        ("schedule", super::schedule),
        ("session_token", super::session_token),
        ("server_grants", super::server_grants),
        ("server_packets", super::server_packets),
        ("server_prelogin", super::server_prelogin),
        ("sigv4_request", super::sigv4_request),
        ("store_key", super::store_key),
        ("x509_request", super::x509_request),
    ];

    fn files(folder: &str) -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let entries = std::fs::read_dir(&folder).expect("the folder is there");
        let mut files: Vec<_> = entries.map(|it| it.expect("readable").path()).collect();
        files.sort();
        files
    }

    #[test]
    fn every_committed_input_passes() {
        for (name, target) in TARGETS {
            let inputs = files(&format!("corpus/{name}"));
            assert!(inputs.len() >= 10, "{name} has too few inputs to start from");
            for input in inputs {
                let bytes = std::fs::read(&input).expect("readable");
                let outcome = std::panic::catch_unwind(|| target(&bytes));
                assert!(outcome.is_ok(), "{}", input.display());
            }
        }
    }

    #[test]
    fn every_target_is_replayed() {
        let programs: BTreeSet<_> = files("fuzz_targets")
            .iter()
            .map(|it| it.file_stem().expect("a name").to_string_lossy().into_owned())
            .collect();
        let replayed = TARGETS.iter().map(|it| it.0.to_owned()).collect();
        assert_eq!(programs, replayed);
    }
}
