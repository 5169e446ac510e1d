//! What a service account's token says of itself.
//!
//! Read to choose a role and a session's name, and not believed: the server checks the token before it
//! issues anything. A token that claims too much is refused there.

use base::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// The claims that matter here.
#[derive(Debug, PartialEq, Eq)]
pub struct Claims {
    /// `NAMESPACE/NAME` of the service account.
    pub service_account: String,
    /// The pod's name, where the token is bound to one.
    pub pod: Option<String>,
    /// When the token ends.
    pub expires: Timestamp,
}

#[derive(Deserialize)]
struct Payload {
    sub: String,
    exp: i64,
    #[serde(rename = "kubernetes.io")]
    kubernetes: Option<Kubernetes>,
}

#[derive(Deserialize)]
struct Kubernetes {
    pod: Option<Pod>,
}

#[derive(Deserialize)]
struct Pod {
    name: String,
}

impl Claims {
    /// The claims in `token`, a JWT in its compact form; `None` if it is none of a service account.
    pub fn read(token: &[u8]) -> Option<Self> {
        if LONGEST < token.len() {
            return None;
        }
        let mut parts = token.split(|it| *it == b'.');
        let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let Payload { sub, exp, kubernetes } = serde_json::from_slice(&payload).ok()?;
        let (namespace, name) = sub.strip_prefix("system:serviceaccount:")?.split_once(':')?;
        let pod = kubernetes.and_then(|it| it.pod).map(|it| it.name);
        Some(Self {
            service_account: format!("{namespace}/{name}"),
            pod,
            expires: Timestamp::from_secs(exp),
        })
    }
}

/// What STS takes as a `WebIdentityToken`.
const LONGEST: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn service_accounts_are_read_and_nothing_else() {
        let sub = "\"sub\":\"system:serviceaccount:ns:app\"";
        let pod =
            "\"kubernetes.io\":{\"namespace\":\"ns\",\"pod\":{\"name\":\"app-1\",\"uid\":\"u\"}}";
        let claims = |pod: Option<&str>| {
            let (service_account, pod) = ("ns/app".to_owned(), pod.map(str::to_owned));
            Some(Claims { service_account, pod, expires: Timestamp::from_secs(7) })
        };
        #[rustfmt::skip]
        let cases = [
            (token(&format!("{{{sub},\"exp\":7,\"aud\":[\"a\"]}}")), claims(None)),
            (token(&format!("{{{sub},\"exp\":7,{pod}}}")),           claims(Some("app-1"))),
            (token(&format!("{{{sub}}}")),                           None),
            (token("{\"sub\":\"alice\",\"exp\":7}"),                 None),
            (token("{\"sub\":\"system:serviceaccount:ns\",\"exp\":7}"), None),
            (token(&format!("{{{sub},\"exp\":7}}")) + ".x",          None),
            ("a.b".to_owned(),                                       None),
            (String::new(),                                          None),
            ("a".repeat(30_000),                                     None),
        ];
        for (token, expected) in cases {
            assert_eq!(Claims::read(token.as_bytes()), expected, "{token:.80}");
        }
    }
}
