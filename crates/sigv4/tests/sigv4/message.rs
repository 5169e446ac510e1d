//! HTTP requests that tests read from text, change and show to the verifier.

use base::{Sensitive, Timestamp};
use strongroom_sigv4::{
    Credentials, Presented, Rejection, Request, Scoped, Signer, SigningKey, Verified, body_hash,
};

/// An HTTP request that owns its parts.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// A JSON call as an SDK makes it, not yet signed.
    pub(crate) fn call() -> Self {
        Self::read(
            "POST / HTTP/1.1\n\
             Host:127.0.0.1:4747\n\
             Content-Type:application/x-amz-json-1.1\n\
             X-Amz-Target:secretsmanager.GetSecretValue\n\
             User-Agent:Boto3/1.44.5\n\
             \n\
             {\"SecretId\":\"a\"}",
        )
    }

    /// Reads the wire's text, as the vectors spell it: folded lines and raw spaces included.
    pub(crate) fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end_matches('\n'), ""));
        let mut lines = head.lines();
        let line = lines.next().expect("request line").trim_end_matches(" HTTP/1.1");
        let (method, target) = line.split_once(' ').expect("method and target");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
        for line in lines {
            if line.starts_with(' ') {
                headers.last_mut().expect("folded").1.extend(line.bytes());
            } else {
                let (name, value) = line.split_once(':').expect("name and value");
                headers.push((name.to_ascii_lowercase(), value.trim().into()));
            }
        }
        Self {
            method: method.into(),
            path: path.into(),
            query: query.into(),
            headers,
            body: body.into(),
        }
    }

    pub(crate) fn headers(&self) -> Vec<(&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (&**name, &**value)).collect()
    }

    pub(crate) fn request<'a>(&'a self, headers: &'a [(&'a str, &'a [u8])]) -> Request<'a> {
        Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers,
            body_hash: body_hash(&self.body),
        }
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|it| it.0 == name)?;
        Some(str::from_utf8(&header.1).expect("text"))
    }

    /// Sets one header, which keeps its place if it is there.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        match self.headers.iter_mut().find(|it| it.0 == name) {
            Some(header) => header.1 = value.into(),
            None => self.add(name, value),
        }
    }

    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.headers.push((name.into(), value.into()));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.headers.retain(|it| it.0 != name);
    }

    /// Replaces text in the `Authorization` header.
    pub(crate) fn reword(&mut self, from: &str, to: &str) {
        let header = self.value("authorization").expect("signed").to_owned();
        assert!(header.contains(from), "`{from}` is not in `{header}`");
        self.set("authorization", &header.replacen(from, to, 1));
    }

    /// Signs in the header.
    pub(crate) fn sign(&mut self, caller: &Caller) {
        let added = {
            let headers = self.headers();
            caller.signer().sign(&self.request(&headers)).expect("can be signed")
        };
        for (name, value) in added {
            self.set(name, &value);
        }
    }

    /// Signs in the query.
    pub(crate) fn presign(&mut self, caller: &Caller, lifetime: u32) {
        let headers = self.headers();
        self.query =
            caller.signer().presign(&self.request(&headers), lifetime).expect("can be signed");
    }

    /// Takes the request through all checks, at the door that `caller` signs for.
    pub(crate) fn verify(&self, caller: &Caller, minutes: u32) -> Result<Verified, Rejection> {
        self.scoped(caller, minutes, |scoped| {
            let (date, region, service) = (scoped.date(), scoped.region(), scoped.service());
            assert_eq!(scoped.access_key_id(), caller.access_key_id);
            scoped.verify(&SigningKey::derive(&caller.secret, date, region, service))
        })
    }

    /// Takes the request through the checks before the key is looked up, and then to `act`.
    pub(crate) fn scoped<T>(
        &self,
        caller: &Caller,
        minutes: u32,
        act: impl FnOnce(&Scoped<'_>) -> Result<T, Rejection>,
    ) -> Result<T, Rejection> {
        let headers = self.headers();
        let scoped = Presented::parse(&self.request(&headers))?
            .check_window(caller.now, minutes)?
            .check_scope(&[&caller.service], |region| region == caller.region)?;
        act(&scoped)
    }
}

/// Who signs, for where, and what time it is there.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) access_key_id: String,
    pub(crate) secret: Sensitive,
    pub(crate) session_token: Option<String>,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) now: Timestamp,
}

impl Caller {
    /// Signs for Secrets Manager in us-east-1, at 2015-08-30T12:36:00Z.
    pub(crate) fn new() -> Self {
        Self {
            access_key_id: "AKIDEXAMPLE".into(),
            secret: Sensitive::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            session_token: None,
            region: "us-east-1".into(),
            service: "secretsmanager".into(),
            now: Timestamp::from_basic("20150830T123600Z").expect("valid"),
        }
    }

    pub(crate) fn signer(&self) -> Signer<'_> {
        Signer {
            credentials: Credentials {
                access_key_id: &self.access_key_id,
                secret: &self.secret,
                session_token: self.session_token.as_deref(),
            },
            region: &self.region,
            service: &self.service,
            at: self.now,
        }
    }
}
