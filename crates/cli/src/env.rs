//! `strongroom env`.

use crate::admin::{Admin, AdminError, refused_with};
use crate::data::DataFolder;
use crate::wait;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::io::Write;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::Duration;

/// Print the shell exports for the development server, once it answers
///
/// Use it as `eval "$(strongroom env)"`.
#[derive(Debug, clap::Args)]
pub(crate) struct Env {
    /// Use the TLS endpoint, and export the certificate authority
    #[arg(long)]
    tls: bool,
    /// Seconds to wait for the server
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    wait: u64,
}

/// `GET /v1/dev-credentials`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Credentials {
    pub(crate) endpoint: String,
    pub(crate) tls_endpoint: String,
    pub(crate) ca_file: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) region: String,
}

impl Env {
    pub(crate) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let credentials = when_ready(data, Duration::from_secs(self.wait))?;
        for line in exports(&credentials, self.tls) {
            writeln!(out, "{line}")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The credentials of the development server on `data`, as soon as it takes requests.
pub(crate) fn when_ready(data: &DataFolder, limit: Duration) -> Result<Credentials> {
    let admin = Admin::new(data)?;
    let ready = wait::until(limit, || match admin.is_ready() {
        Ok(()) => ControlFlow::Break(Ok(())),
        Err(
            error @ (AdminError::Absent { .. }
            | AdminError::Refused { .. }
            | AdminError::Broken { .. }),
        ) => ControlFlow::Continue(error),
        Err(error @ AdminError::Forbidden { .. }) => ControlFlow::Break(Err(error)),
    });
    match ready {
        ControlFlow::Break(ready) => ready?,
        ControlFlow::Continue(error) => {
            return Err(error).with_context(|| format!("no answer within {} s", limit.as_secs()));
        }
    }
    let mut credentials: Credentials =
        admin.get("/v1/dev-credentials").map_err(|error| match refused_with(&error) {
            Some(404) => error.context(
                "the server on this folder isn't a development server\n\
                 hint: use the access key that `strongroom account create` has printed",
            ),
            _ => error,
        })?;
    // The server may have told it from where it runs; these lines are used elsewhere.
    let authority = std::path::absolute(data.authority()).context("there is no current folder")?;
    credentials.ca_file = authority.display().to_string();
    Ok(credentials)
}

/// Lines for a shell. A session token of other credentials would spoil these, so it goes.
pub(crate) fn exports(credentials: &Credentials, tls: bool) -> Vec<String> {
    let endpoint = if tls { &credentials.tls_endpoint } else { &credentials.endpoint };
    let mut lines: Vec<_> = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", &credentials.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key),
        ("AWS_REGION", &credentials.region),
        // Version 1 of the AWS CLI and boto3 know only this name.
        ("AWS_DEFAULT_REGION", &credentials.region),
    ]
    .into_iter()
    .chain(tls.then_some(("AWS_CA_BUNDLE", &credentials.ca_file)))
    .chain(tls.then_some(("NODE_EXTRA_CA_CERTS", &credentials.ca_file)))
    .map(|(name, value)| format!("export {name}={}", quoted(value)))
    .collect();
    lines.push("unset AWS_SESSION_TOKEN AWS_PROFILE".to_owned());
    lines
}

/// `text` as one word of a shell.
fn quoted(text: &str) -> String {
    let plain = |it: u8| it.is_ascii_alphanumeric() || b"-_./:+=@".contains(&it);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        #[rustfmt::skip]
        let cases = [
            ("http://127.0.0.1:4747", "http://127.0.0.1:4747"),
            ("a+b/c=",                "a+b/c="),
            ("a b",                   "'a b'"),
            ("it's",                  r"'it'\''s'"),
            ("$(x)",                  "'$(x)'"),
            ("",                      "''"),
        ];
        for (text, expected) in cases {
            assert_eq!(quoted(text), expected);
        }
    }

    #[test]
    fn tls_exports_the_authority() {
        let credentials = Credentials {
            endpoint: "http://e".into(),
            tls_endpoint: "https://e".into(),
            ca_file: "/d/ca.pem".into(),
            access_key_id: "AKIAX".into(),
            secret_access_key: "s".into(),
            region: "us-east-1".into(),
        };
        let plain = exports(&credentials, false);
        assert_eq!(plain[0], "export AWS_ENDPOINT_URL=http://e");
        assert!(!plain.iter().any(|it| it.contains("CA")), "{plain:?}");
        let tls = exports(&credentials, true);
        assert_eq!(tls[0], "export AWS_ENDPOINT_URL=https://e");
        assert!(tls.contains(&"export AWS_CA_BUNDLE=/d/ca.pem".to_owned()));
    }
}
