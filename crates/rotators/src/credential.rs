//! What a secret's JSON says of a login. Source: rotation.md §2.5.

use crate::Failure;
use base::Sensitive;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::fmt;
use zeroize::Zeroize;

/// A login, and the document it was read from, so that it can be printed with another name and password.
pub struct Credential {
    /// The value of `engine`.
    pub engine: String,
    /// Where the server is.
    pub host: String,
    /// Its port, if the document names one.
    pub port: Option<u16>,
    /// Who logs in.
    pub username: String,
    /// With what.
    pub password: Sensitive,
    /// The database, if the document names one.
    pub database: Option<String>,
    /// Whether TLS is asked for (`Some(true)`) or renounced (`Some(false)`).
    pub tls: Option<bool>,
    /// The secret of an administrator.
    pub master: Option<String>,
    /// The database whose users it changes, if it isn't its own: see [`crate::Rotator::home`]. No document names it.
    pub home: Option<String>,
    document: Document,
}

/// Members in their order, each value as it was written. Wiped when dropped.
struct Document(Vec<(String, Box<RawValue>)>);

impl Credential {
    /// Reads the JSON `text` of a secret.
    ///
    /// # Errors
    ///
    /// [`Failure::Invalid`]: which key is missing or can't be used. No value is told.
    pub fn parse(text: &Sensitive) -> Result<Self, Failure> {
        let invalid = |it: &str| Failure::Invalid(it.to_owned());
        let document: Document = serde_json::from_slice(text.expose())
            .map_err(|_| invalid("the secret's value is not a JSON object"))?;
        let required = |key: &str| {
            let found = document.text(key).filter(|it| !it.is_empty());
            found.ok_or_else(|| Failure::Invalid(format!("the secret's value has no `{key}`")))
        };
        let port = match document.text("port").filter(|it| !it.is_empty()) {
            Some(port) => Some(port.parse().map_err(|_| invalid("`port` is not a port"))?),
            None => None,
        };
        Ok(Self {
            engine: required("engine")?,
            host: required("host")?,
            port,
            username: required("username")?,
            password: Sensitive::from(required("password")?),
            database: document.text("dbname").filter(|it| !it.is_empty()),
            tls: document.text("ssl").and_then(|it| it.to_ascii_lowercase().parse().ok()),
            master: document.text("masterarn").filter(|it| !it.is_empty()),
            home: None,
            document,
        })
    }

    /// The same document with another name and password; every other member stays as it was written.
    pub fn with_login(&self, username: &str, password: &Sensitive) -> Result<Sensitive, Failure> {
        let password = str::from_utf8(password.expose());
        let password =
            password.map_err(|_| Failure::Invalid("the password is not text".to_owned()))?;
        let mut out = Vec::with_capacity(self.document.len() + 2 * password.len() + username.len());
        let mut separator = b'{';
        for (key, value) in &self.document.0 {
            out.push(separator);
            separator = b',';
            print(&mut out, key);
            out.push(b':');
            match key.as_str() {
                "username" => print(&mut out, username),
                "password" => print(&mut out, password),
                _ => out.extend_from_slice(value.get().as_bytes()),
            }
        }
        out.push(b'}');
        Ok(Sensitive::new(out))
    }

    /// Whether `other` is the same login on the same server, whatever the passwords.
    pub fn same_target(&self, other: &Self) -> bool {
        self.username == other.username && self.same_server(other)
    }

    /// Whether `other` is a login on the same server, of the same engine: another one's default port is
    /// somebody else's door.
    pub fn same_server(&self, other: &Self) -> bool {
        self.engine == other.engine
            && self.host.eq_ignore_ascii_case(&other.host)
            && self.port == other.port
    }
}

/// Appends `text` as JSON. The buffer is large enough, so that nothing is copied to a larger one.
fn print(out: &mut Vec<u8>, text: &str) {
    // Text always prints.
    let _ = serde_json::to_writer(out, text);
}

impl Document {
    /// The member `key` as text: a string, a number or a truth value.
    fn text(&self, key: &str) -> Option<String> {
        let raw = self.0.iter().find(|it| it.0 == key)?.1.get();
        match raw.as_bytes().first()? {
            b'"' => serde_json::from_str(raw).ok(),
            b'{' | b'[' | b'n' => None,
            _ => Some(raw.to_owned()),
        }
    }

    /// How long its print is at least.
    fn len(&self) -> usize {
        self.0.iter().map(|(key, value)| 6 * key.len() + value.get().len() + 4).sum::<usize>() + 2
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Document;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
                let mut document = Document(Vec::new());
                while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    // As in Python and JavaScript: the last one counts, where the first one stands.
                    match document.0.iter_mut().find(|it| it.0 == key) {
                        Some(member) => member.1 = value,
                        None => document.0.push((key, value)),
                    }
                }
                Ok(document)
            }
        }
        from.deserialize_map(Members)
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        for (_, value) in self.0.drain(..) {
            String::from(Box::<str>::from(value)).zeroize();
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("Credential");
        out.field("engine", &self.engine).field("host", &self.host);
        out.field("username", &self.username).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Credential, Failure> {
        Credential::parse(&Sensitive::from(text.to_owned()))
    }

    const WHOLE: &str = r#"{ "engine":"postgres", "n" : 1.50, "password":"a\u0022b", "host":"H", "port":"5433",
        "username":"app","dbname":"db","ssl":"True", "x":{"password":"in"}, "masterarn":"arn:m" }"#;

    #[test]
    fn all_members_are_read() {
        let it = parse(WHOLE).expect("a login");
        assert_eq!((it.engine.as_str(), it.host.as_str(), it.port), ("postgres", "H", Some(5433)));
        assert_eq!((it.username.as_str(), it.password.expose()), ("app", &b"a\"b"[..]));
        assert_eq!(
            (it.database.as_deref(), it.tls, it.master.as_deref()),
            (Some("db"), Some(true), Some("arn:m"))
        );
        assert!(!format!("{it:?}").contains("a\"b"));
    }

    #[test]
    fn a_login_is_replaced_and_nothing_else() {
        let it = parse(WHOLE).expect("a login");
        let next = it.with_login("app_clone", &Sensitive::from("q\"\\ü".to_owned())).expect("text");
        let shown = str::from_utf8(next.expose()).expect("text");
        assert_eq!(
            shown,
            r#"{"engine":"postgres","n":1.50,"password":"q\"\\ü","host":"H","port":"5433","username":"app_clone","dbname":"db","ssl":"True","x":{"password":"in"},"masterarn":"arn:m"}"#
        );
    }

    #[test]
    fn what_cant_be_used_is_named_without_its_value() {
        for (text, told) in [
            ("s3cret", "the secret's value is not a JSON object"),
            (r#"["s3cret"]"#, "the secret's value is not a JSON object"),
            (r#"{"engine":"e","host":"h","username":"u"}"#, "the secret's value has no `password`"),
            (
                r#"{"engine":"e","host":"h","username":"","password":"s3cret"}"#,
                "the secret's value has no `username`",
            ),
            (r#"{"engine":"e","host":"h","port":"s3cret"}"#, "`port` is not a port"),
            (r#"{"engine":"e","host":"h","port":65536}"#, "`port` is not a port"),
        ] {
            let failure = parse(text).expect_err(text);
            assert_eq!(failure, Failure::Invalid(told.to_owned()));
        }
    }

    #[test]
    fn ports_and_tls_have_several_forms() {
        for (more, port, tls) in [
            ("", None, None),
            (r#","port":1,"ssl":true"#, Some(1), Some(true)),
            (r#","port":"","ssl":"FALSE""#, None, Some(false)),
            (r#","port":null,"ssl":"maybe""#, None, None),
            (r#","port":2,"port":3,"ssl":{}"#, Some(3), None),
        ] {
            let it = parse(&format!(
                r#"{{"engine":"e","host":"h","username":"u","password":"p"{more}}}"#
            ));
            let it = it.expect(more);
            assert_eq!((it.port, it.tls), (port, tls), "{more}");
        }
    }
}
