//! Who issues tokens: an address, and what is made of it.

/// The address of an issuer, `https://host[:port][/path]`, exactly as its tokens name it.
///
/// Two that differ in a single character, a slash at the end included, are two issuers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Issuer(String);

/// A text that is no issuer's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the address of an issuer")]
pub struct NoIssuer;

/// The most bytes of an address.
const MOST: usize = 255;

impl Issuer {
    /// Reads an address. Plain HTTP is an issuer's on this machine only.
    ///
    /// # Errors
    ///
    /// [`NoIssuer`]: it has a query, a user, another scheme; or a host of one word, which would make condition
    /// keys that look like a service's.
    pub fn parse(text: &str) -> Result<Self, NoIssuer> {
        let (is_plain, rest) = match text.split_once("://").ok_or(NoIssuer)? {
            ("https", rest) => (false, rest),
            ("http", rest) => (true, rest),
            _ => return Err(NoIssuer),
        };
        let (place, path) = rest.find('/').map_or((rest, ""), |it| rest.split_at(it));
        let (host, port) = match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        };
        let is_port = |it: &str| it.parse::<u16>().is_ok_and(|number| number.to_string() == it);
        let holds = text.len() <= MOST
            && is_host(host)
            && port.is_none_or(is_port)
            && (host.contains('.') || port.is_some())
            && path.bytes().all(is_of_path)
            && !path.split('/').any(|it| matches!(it, "." | ".."));
        if !holds || (is_plain && !is_loopback(host)) {
            return Err(NoIssuer);
        }
        Ok(Self(text.to_owned()))
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address without its scheme: what ARNs and condition keys begin with.
    pub fn name(&self) -> &str {
        self.0.split_once("://").map_or(&*self.0, |it| it.1)
    }

    /// Where the issuer tells about itself.
    ///
    /// Source: OpenID Connect Discovery 1.0, section 4.
    pub fn discovery(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.0.trim_end_matches('/'))
    }
}

fn is_host(host: &str) -> bool {
    let of_label = |it: u8| it.is_ascii_alphanumeric() || it == b'-' || it == b'_';
    host.len() <= 253
        && host.split('.').all(|label| !label.is_empty() && label.bytes().all(of_label))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host == "127.0.0.1"
}

/// Bytes that mean themselves in a path, in an ARN and in a policy.
fn is_of_path(it: u8) -> bool {
    it.is_ascii_alphanumeric() || b"/-._~!$&'()+,;=:@%".contains(&it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_texts_are_addresses() {
        let long = format!("https://a.example/{}", "x".repeat(MOST));
        for (text, expected) in [
            ("https://token.actions.githubusercontent.com", true),
            ("https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE", true),
            ("https://tenant.auth0.com/", true),
            ("https://kubernetes.internal:6443", true),
            ("https://localhost:8443/realms/a~b", true),
            ("http://localhost:8080/x", true),
            ("http://127.0.0.1:8080", true),
            ("http://issuer.example", false),
            ("http://127.0.0.1.example", false),
            ("https://aws", false), // its keys would be `aws:…`
            ("https://sts/x", false),
            ("https://a.example?x=1", false),
            ("https://a.example/#x", false),
            ("https://a.example/*", false),
            ("https://a.example/x y", false),
            ("https://a.example/../x", false),
            ("https://me@a.example", false),
            ("https://a.example:", false),
            ("https://a.example:0443", false),
            ("https://a.example:99999", false),
            ("https://a..example", false),
            ("https://[::1]:443", false),
            ("HTTPS://a.example", false),
            ("https://", false),
            ("a.example", false),
            ("", false),
            (&long, false),
        ] {
            assert_eq!(Issuer::parse(text).is_ok(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_made_of_one() {
        for (text, name, discovery) in [
            (
                "https://a.example",
                "a.example",
                "https://a.example/.well-known/openid-configuration",
            ),
            (
                "https://a.example:1/b/",
                "a.example:1/b/",
                "https://a.example:1/b/.well-known/openid-configuration",
            ),
        ] {
            let issuer = Issuer::parse(text).expect(text);
            assert_eq!((issuer.name(), &*issuer.discovery()), (name, discovery));
            assert_eq!(issuer.as_str(), text);
        }
    }
}
