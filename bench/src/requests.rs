//! Signed requests, made before the clock starts.

use anyhow::{Result, anyhow};
use base::{Clock, Sensitive, SystemClock};
use serde_json::Value;
use sigv4::{Credentials, Request, Signer, body_hash};
use std::fmt::Write;

/// Signs as one caller for one host.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) host: String,
    pub(crate) access_key_id: String,
    pub(crate) secret: Sensitive,
}

impl Client {
    /// The bytes of one HTTP/1.1 request for `operation`, as boto3 would send it.
    pub(crate) fn request(&self, operation: &str, body: &Value) -> Result<Vec<u8>> {
        let body = body.to_string();
        let target = format!("secretsmanager.{operation}");
        let headers: [(&str, &[u8]); 3] = [
            ("host", self.host.as_bytes()),
            ("content-type", b"application/x-amz-json-1.1"),
            ("x-amz-target", target.as_bytes()),
        ];
        let signer = Signer {
            credentials: Credentials {
                access_key_id: &self.access_key_id,
                secret: &self.secret,
                session_token: None,
            },
            region: "us-east-1",
            service: "secretsmanager",
            at: SystemClock.now(),
        };
        let request = Request {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body_hash: body_hash(body.as_bytes()),
        };
        let added = signer.sign(&request).map_err(|it| anyhow!("can't sign: {it:?}"))?;
        let mut bytes = format!(
            "POST / HTTP/1.1\r\nhost: {}\r\naccept-encoding: identity\r\nx-amz-target: {target}\r\n\
             content-type: application/x-amz-json-1.1\r\n\
             user-agent: Boto3/1.40.0 md/Botocore#1.40.0 ua/2.1 os/linux md/arch#x86_64\r\n\
             amz-sdk-invocation-id: 5f2c5bd7-9f4c-4f54-9e5e-6f6d2f3b8c11\r\n\
             amz-sdk-request: attempt=1\r\ncontent-length: {}\r\n",
            self.host,
            body.len()
        );
        for (name, value) in added {
            write!(bytes, "{name}: {value}\r\n")?;
        }
        bytes.push_str("\r\n");
        bytes.push_str(&body);
        Ok(bytes.into_bytes())
    }
}

/// A version id like any SDK's, from a number.
pub(crate) fn token(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}
