use super::*;
use crate::config::X509Config;
use aws_lc_rs::signature::VerificationAlgorithm;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SerialNumber};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);
const ROLE: &str = "arn:aws:iam::111122223333:role/app";

const SUCCESS: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <AssumeRoleResult><AssumedRoleUser><Arn>a</Arn></AssumedRoleUser><Credentials>\
    <AccessKeyId>ASIAAAAAAAAAAAAAAAAA</AccessKeyId><SecretAccessKey>a&lt;b&#x2F;c</SecretAccessKey>\
    <SessionToken>to<![CDATA[k]]>en</SessionToken><Expiration>2026-01-01T01:00:00Z</Expiration>\
    </Credentials></AssumeRoleResult></AssumeRoleResponse>";

const SESSIONS: &str = "{\"credentialSet\":[{\"credentials\":{\"accessKeyId\":\"ASIAAAAAAAAAAAAAAAAA\",\
    \"secretAccessKey\":\"a<b\\/c\",\"sessionToken\":\"token\",\"expiration\":\"2026-01-01T01:00:00Z\"},\
    \"roleArn\":\"r\"}],\"subjectArn\":\"s\"}";

/// A certificate authority, and a folder of files.
struct Place {
    folder: tempfile::TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Place {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, key).expect("signed");
        let place = Self { folder: tempfile::tempdir().expect("a folder"), authority };
        place.file("ca.pem", &place.authority.pem());
        place
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
        path
    }

    /// A certificate for `key`, with those above it, as PEM.
    fn certificate(&self, key: &KeyPair) -> rcgen::Certificate {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
        params.serial_number = Some(SerialNumber::from(vec![1, 0, 0, 0, 0, 0, 0, 0, 0]));
        params.signed_by(key, &self.authority).expect("signed")
    }

    fn x509(&self, key: &KeyPair, accepts_session_names: bool) -> IdentityConfig {
        let chain = self.certificate(key).pem() + &self.authority.pem();
        IdentityConfig::X509(X509Config {
            certificate: self.file("leaf.pem", &chain),
            key: self.file("leaf.key", &key.serialize_pem()),
            trust_anchor_arn: "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/a"
                .to_owned(),
            profile_arn: "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/p".to_owned(),
            accepts_session_names,
        })
    }

    fn access_key(&self) -> IdentityConfig {
        let text = "{\"AccountId\":\"1\",\"AccessKeyId\":\"AKIA1\",\"SecretAccessKey\":\"s\"}";
        IdentityConfig::AccessKey { file: self.file("key.json", text) }
    }

    /// Asks a peer that answers `status` and `body` once, over TLS; what came and what was made of it.
    async fn ask(
        &self,
        identity: Option<&IdentityConfig>,
        wanted: &Wanted,
        (status, body): (&str, &str),
    ) -> (String, Result<Keys, IssueError>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let port = listener.local_addr().expect("bound").port();
        let mut server = self.server(format!("https://localhost:{port}"));
        server.timeout = Duration::from_secs(20);
        let upstream = Upstream::new(&server, identity).expect("a client");
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let (issued, request) = tokio::join!(
            upstream.issue(wanted, NOW),
            answer_once(&listener, self.acceptor(), &answer)
        );
        (request, issued)
    }

    fn server(&self, endpoint: String) -> ServerConfig {
        let ca_file = Some(self.folder.path().join("ca.pem"));
        let region = "eu-west-1".parse().expect("a Region");
        ServerConfig { ca_file, ..ServerConfig::at(endpoint, region) }
    }

    fn acceptor(&self) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key");
        let chain = vec![CertificateDer::from(self.certificate(&key))];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(
            rustls::crypto::aws_lc_rs::default_provider(),
        ));
        let config = config.with_safe_default_protocol_versions().expect("versions");
        let config = config.with_no_client_auth().with_single_cert(chain, key).expect("a chain");
        TlsAcceptor::from(Arc::new(config))
    }
}

/// The text of the one request that comes, answered with `answer`; empty if none comes whole.
async fn answer_once(listener: &TcpListener, acceptor: TlsAcceptor, answer: &str) -> String {
    let (stream, _) = listener.accept().await.expect("accepted");
    let Ok(mut stream) = acceptor.accept(stream).await else { return String::new() };
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let length = |head: &str| {
            let line = head.lines().find_map(|it| it.strip_prefix("content-length: "));
            line.map_or(0, |it| it.parse::<usize>().expect("a number"))
        };
        if read == 0 || text.split_once("\r\n\r\n").is_some_and(|it| length(it.0) <= it.1.len()) {
            // What is too large may be cut off by the other side.
            let _sent = stream.write_all(answer.as_bytes()).await;
            let _closed = stream.shutdown().await;
            return text;
        }
    }
}

fn wanted(web_token: Option<&str>) -> Wanted {
    Wanted {
        role_arn: ROLE.to_owned(),
        session_name: "app".to_owned(),
        seconds: 3600,
        web_token: web_token.map(|it| Sensitive::from(it.to_owned())),
    }
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let head = request.split("\r\n\r\n").next().expect("a head");
    head.lines().find_map(|it| it.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test]
async fn an_access_key_signs_assume_role() {
    let place = Place::new();
    let identity = place.access_key();
    let (request, issued) = place.ask(Some(&identity), &wanted(None), ("200 OK", SUCCESS)).await;
    let keys = issued.expect("a session");
    assert_eq!(keys.access_key_id, "ASIAAAAAAAAAAAAAAAAA");
    assert_eq!(keys.secret.expose(), b"a<b/c");
    assert_eq!(keys.token.expose(), b"token");
    assert_eq!(keys.expires, NOW.plus(Duration::from_hours(1)));

    let body = request.split_once("\r\n\r\n").expect("a body").1;
    assert_eq!(
        body,
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fapp\
         &RoleSessionName=app&DurationSeconds=3600"
    );
    let verified = verified_by_the_server(&request, body);
    assert_eq!(verified, Ok(()), "{request}");
}

/// Whether the server's own check takes the signature.
fn verified_by_the_server(request: &str, body: &str) -> Result<(), sigv4::Rejection> {
    let head = request.split("\r\n\r\n").next().expect("a head");
    let pairs: Vec<_> = head.lines().skip(1).filter_map(|it| it.split_once(": ")).collect();
    let headers: Vec<_> = pairs.iter().map(|it| (it.0, it.1.as_bytes())).collect();
    let request = sigv4::Request {
        method: "POST",
        path: "/",
        query: "",
        headers: &headers,
        body_hash: sigv4::body_hash(body.as_bytes()),
    };
    let scoped = sigv4::Presented::parse(&request)?
        .check_window(NOW, 5)?
        .check_scope(&["sts"], |it| it == "eu-west-1")?;
    let secret = Sensitive::from("s".to_owned());
    let key = sigv4::SigningKey::derive(&secret, scoped.date(), scoped.region(), scoped.service());
    scoped.verify(&key).map(drop)
}

#[tokio::test]
async fn a_token_is_exchanged_without_a_signature() {
    let place = Place::new();
    let identity = IdentityConfig::WebIdentity { token_file: place.file("token", "own.to.ken\n") };
    let cases = [(None, "own.to.ken"), (Some("pods.to+ken"), "pods.to%2Bken")];
    for (token, sent) in cases {
        let (request, issued) =
            place.ask(Some(&identity), &wanted(token), ("200 OK", SUCCESS)).await;
        issued.expect("a session");
        assert_eq!(header(&request, "authorization"), None);
        let body = request.split_once("\r\n\r\n").expect("a body").1;
        assert!(body.starts_with("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&"), "{body}");
        assert!(body.ends_with(&format!("&WebIdentityToken={sent}")), "{body}");
    }
}

#[tokio::test]
async fn a_certificate_signs_sessions_as_the_official_helper_does() {
    let place = Place::new();
    let rsa = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
    let keys: [(KeyPair, &str, &dyn VerificationAlgorithm); 2] = [
        (KeyPair::generate().expect("a key"), "AWS4-X509-ECDSA-SHA256", &ECDSA_P256_SHA256_ASN1),
        (rsa.expect("a key"), "AWS4-X509-RSA-SHA256", &RSA_PKCS1_2048_8192_SHA256),
    ];
    for (key, algorithm, verification) in keys {
        let identity = place.x509(&key, true);
        let (request, issued) =
            place.ask(Some(&identity), &wanted(None), ("201 Created", SESSIONS)).await;
        assert_eq!(issued.expect("a session").secret.expose(), b"a<b/c");

        let (head, body) = request.split_once("\r\n\r\n").expect("a body");
        assert_eq!(body, "{\"durationSeconds\":3600,\"roleSessionName\":\"app\"}");
        let query = "profileArn=arn%3Aaws%3Arolesanywhere%3Aeu-west-1%3A111122223333%3Aprofile%2Fp&\
                     roleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fapp&trustAnchorArn=\
                     arn%3Aaws%3Arolesanywhere%3Aeu-west-1%3A111122223333%3Atrust-anchor%2Fa";
        assert_eq!(head.lines().next(), Some(&*format!("POST /sessions?{query} HTTP/1.1")));
        let der = |it: &str| CertificateDer::pem_slice(it);
        let chain = std::fs::read_to_string(place.folder.path().join("leaf.pem")).expect("there");
        assert_eq!(header(&request, "x-amz-x509"), Some(&*STANDARD.encode(der(&chain))));
        let above = STANDARD.encode(place.authority.der());
        assert_eq!(header(&request, "x-amz-x509-chain"), Some(&*above));

        // By hand, from the guide: nothing of the client's own canonical form.
        let names = "content-type;host;x-amz-date;x-amz-x509;x-amz-x509-chain";
        let scope = "20260101/eu-west-1/rolesanywhere/aws4_request";
        // 2 to the 64th: the serial number in decimal.
        let prefix = format!(
            "{algorithm} Credential=18446744073709551616/{scope}, SignedHeaders={names}, Signature="
        );
        let authorization = header(&request, "authorization").expect("signed");
        let signature = authorization.strip_prefix(&prefix).expect(authorization);
        let line = |it: &str| format!("{it}:{}\n", header(&request, it).expect(it));
        let lines = names.split(';').map(line).collect::<Vec<_>>().concat();
        let hash = |it: &[u8]| sigv4::body_hash(it).map(|it| format!("{it:02x}")).concat();
        let canonical =
            format!("POST\n/sessions\n{query}\n{lines}\n{names}\n{}", hash(body.as_bytes()));
        let text =
            format!("{algorithm}\n20260101T000000Z\n{scope}\n{}", hash(canonical.as_bytes()));
        let public = UnparsedPublicKey::new(verification, key.public_key_raw());
        public.verify(text.as_bytes(), &unhex(signature)).expect("the signature fits");
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|it| str::from_utf8(it).expect("ASCII"));
    digits.map(|it| u8::from_str_radix(it, 16).expect("a digit")).collect()
}

trait First {
    fn pem_slice(text: &str) -> Self;
}

impl First for CertificateDer<'static> {
    fn pem_slice(text: &str) -> Self {
        rustls::pki_types::pem::PemObject::from_pem_slice(text.as_bytes()).expect("a certificate")
    }
}

#[tokio::test]
async fn names_of_sessions_are_sent_only_where_they_are_accepted() {
    let place = Place::new();
    let identity = place.x509(&KeyPair::generate().expect("a key"), false);
    let (request, issued) =
        place.ask(Some(&identity), &wanted(None), ("201 Created", SESSIONS)).await;
    issued.expect("a session");
    assert!(request.ends_with("\r\n\r\n{\"durationSeconds\":3600}"), "{request}");
}

#[tokio::test]
async fn each_answer_that_is_no_session_says_why() {
    let place = Place::new();
    let identity = place.access_key();
    let denied = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: u is \
                  not\nauthorized</Message></Error></ErrorResponse>";
    let late = SUCCESS.replace("T01:00", "T00:00");
    let no_end = SUCCESS.replace("2026-01-01T01:00:00Z", "tomorrow");
    let no_keys = SUCCESS.replace("ASIAAAAAAAAAAAAAAAAA", "<x/>");
    let doctype = format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{SUCCESS}");
    let entity = SUCCESS.replace("&lt;", "&b;");
    let large = format!("{}{SUCCESS}", " ".repeat(70_000));
    #[rustfmt::skip]
    let cases = [
        ("403 Forbidden", denied,                      "AccessDenied: User: u is notauthorized"),
        ("403 Forbidden\r\nx-amzn-errortype: X", "{\"message\":\"no\"}", "X: no"),
        ("403 Forbidden", "{\"message\":\"no\"}",       "403: no"),
        ("500 Oops",      "oops",                      "500: "),
        ("302 Found",     "",                          "302: "),
        ("200 OK",        &late,                       "the server's answer is no session: it has ended already; compare the two clocks"),
        ("200 OK",        &no_end,                     "the server's answer is no session: its end is no date and time"),
        ("200 OK",        &no_keys,                    "the server's answer is no session: its keys are missing or malformed"),
        ("200 OK",        "",                          "the server's answer is no session: it is no XML with `Credentials`"),
        ("200 OK",        "<a></b>",                   "the server's answer is no session: it is no XML with `Credentials`"),
        ("200 OK",        &doctype,                    "the server's answer is no session: it is no XML with `Credentials`"),
        ("200 OK",        &entity,                     "the server's answer is no session: it is no XML with `Credentials`"),
        ("200 OK",        &large,                      "no answer from the server: length limit exceeded"),
    ];
    for (status, body, expected) in cases {
        let (_, issued) = place.ask(Some(&identity), &wanted(None), (status, body)).await;
        assert_eq!(issued.expect_err(body).to_string(), expected, "{status} {body:.200}");
    }
}

#[tokio::test]
async fn a_server_of_another_authority_gets_no_request() {
    let (place, other) = (Place::new(), Place::new());
    let identity = place.access_key();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let port = listener.local_addr().expect("bound").port();
    let server = other.server(format!("https://localhost:{port}"));
    let upstream = Upstream::new(&server, Some(&identity)).expect("a client");
    let unknown = wanted(None);
    let (issued, request) =
        tokio::join!(upstream.issue(&unknown, NOW), answer_once(&listener, place.acceptor(), ""));
    assert!(matches!(issued, Err(IssueError::Unreachable(_))), "{issued:?}");
    assert_eq!(request, "");
}

#[test]
fn identities_that_cannot_be_used_are_told_at_the_start() {
    let place = Place::new();
    let good = KeyPair::generate().expect("a key");
    let server = place.server("https://localhost".to_owned());
    let checked = |identity: &IdentityConfig| {
        let upstream = Upstream::new(&server, Some(identity)).expect("a client");
        upstream.check().map_err(|it| it.to_string())
    };
    assert_eq!(checked(&place.x509(&good, false)), Ok(()));
    assert_eq!(checked(&place.access_key()), Ok(()));

    let other = KeyPair::generate().expect("a key").serialize_pem();
    place.file("leaf.key", &other);
    let IdentityConfig::X509(x509) = place.x509(&good, false) else { panic!("made so") };
    std::fs::write(&x509.key, &other).expect("written");
    let told = checked(&IdentityConfig::X509(x509)).expect_err("another's key");
    assert!(
        told.ends_with("leaf.key` can't be used: it doesn't belong to the certificate"),
        "{told}"
    );

    let large = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).expect("a key");
    let told = checked(&place.x509(&large, false)).expect_err("another curve");
    assert!(told.ends_with("the key is neither RSA nor of the curve P-256"), "{told}");

    let IdentityConfig::AccessKey { file } = place.access_key() else { panic!("made so") };
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("its mode");
    let told = checked(&IdentityConfig::AccessKey { file: file.clone() }).expect_err("readable");
    assert!(told.ends_with("others than its owner may open it; its mode must be 0600"), "{told}");
    std::fs::remove_file(&file).expect("removed");
    std::fs::write(&file, "AKIA1 canary").expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    let told = checked(&IdentityConfig::AccessKey { file }).expect_err("no JSON");
    assert!(told.contains("is not JSON with `AccessKeyId`") && !told.contains("canary"), "{told}");
}
