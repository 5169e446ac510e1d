//! STS: `AssumeRole`, signed, and `AssumeRoleWithWebIdentity`, which its token alone proves. Query
//! protocol: a form goes out, XML comes back.

use super::exchange::Prepared;
use crate::keys::{IssueError, Keys, Wanted};
use base::{Sensitive, Timestamp};
use form_urlencoded::byte_serialize;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use sigv4::{Request, Signer, body_hash};
use zeroize::Zeroizing;

/// The request that `signer` makes for `wanted`.
pub(super) fn assume_role(
    wanted: &Wanted,
    signer: &Signer<'_>,
    authority: &str,
) -> Result<Prepared, IssueError> {
    let body = form("AssumeRole", wanted, None);
    let headers: [(&str, &[u8]); 2] =
        [("content-type", FORM.as_bytes()), ("host", authority.as_bytes())];
    let body_hash = body_hash(&body);
    let request = Request { method: "POST", path: "/", query: "", headers: &headers, body_hash };
    let headers = signer.sign(&request).map_err(|it| IssueError::Identity(it.to_string()))?;
    Ok(Prepared { target: "/".to_owned(), headers, content_type: FORM, body, read })
}

/// The request that exchanges `token` for `wanted`.
pub(super) fn web_identity(wanted: &Wanted, token: &Sensitive) -> Prepared {
    let body = form("AssumeRoleWithWebIdentity", wanted, Some(token));
    Prepared { target: "/".to_owned(), headers: Vec::new(), content_type: FORM, body, read }
}

fn form(action: &str, wanted: &Wanted, token: Option<&Sensitive>) -> Zeroizing<Vec<u8>> {
    let seconds = wanted.seconds.to_string();
    let token = token.map(|it| ("WebIdentityToken", it.expose()));
    let members = [
        ("Action", action.as_bytes()),
        ("Version", b"2011-06-15"),
        ("RoleArn", wanted.role_arn.as_bytes()),
        ("RoleSessionName", wanted.session_name.as_bytes()),
        ("DurationSeconds", seconds.as_bytes()),
    ];
    // Room for everything escaped: growing would leave a copy of the token behind.
    let room = members.iter().chain(&token).map(|it| it.0.len() + 3 * it.1.len() + 2).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(room));
    for (name, value) in members.iter().chain(&token) {
        if !out.is_empty() {
            out.push(b'&');
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        byte_serialize(value).for_each(|it| out.extend_from_slice(it.as_bytes()));
    }
    out
}

/// The session in the XML of a success.
pub fn read(body: &[u8]) -> Result<Keys, IssueError> {
    let names = ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"];
    let [id, secret, token, expires] = texts(body, "Credentials", names)
        .ok_or(IssueError::Unusable("it is no XML with `Credentials`"))?;
    let [id, secret, token, expires] = [&id, &secret, &token, &expires].map(|it| it.as_str());
    keys((id, secret, token), expires)
}

/// Code and message in the XML of a refusal.
pub(super) fn read_fault(body: &[u8]) -> Option<(String, String)> {
    let [code, message] = texts(body, "Error", ["Code", "Message"])?;
    (!code.is_empty()).then(|| (code.to_string(), message.to_string()))
}

/// A session of its parts, all there and of the right form.
pub(super) fn keys(
    (id, secret, token): (&str, &str, &str),
    expires: &str,
) -> Result<Keys, IssueError> {
    let is_id = (16..=128).contains(&id.len()) && id.bytes().all(|it| it.is_ascii_alphanumeric());
    let printable = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_graphic());
    if !is_id || !printable(secret) || !printable(token) {
        return Err(IssueError::Unusable("its keys are missing or malformed"));
    }
    Ok(Keys {
        access_key_id: id.to_owned(),
        secret: Sensitive::from(secret.as_bytes()),
        token: Sensitive::from(token.as_bytes()),
        expires: instant(expires).ok_or(IssueError::Unusable("its end is no date and time"))?,
    })
}

/// Reads `2026-01-31T10:00:00Z`, with or without a fraction, which is cut.
fn instant(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix('Z')?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let basic: String = seconds.chars().filter(|it| !matches!(it, '-' | ':')).collect();
    Timestamp::from_basic(&(basic + "Z")).ok()
}

/// The texts of the elements `names` directly within `parent`; empty where one is absent.
fn texts<const N: usize>(
    body: &[u8],
    parent: &str,
    names: [&str; N],
) -> Option<[Zeroizing<String>; N]> {
    let text = str::from_utf8(body).ok()?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Zeroizing<String>> = Vec::new();
    let mut found = [const { None }; N];
    loop {
        let at = match open.as_slice() {
            [.., within, name] if within.as_str() == parent => {
                names.iter().position(|it| *it == name.as_str())
            }
            _ => None,
        };
        let mut tell = |text: &str| {
            if let Some(place) = at.and_then(|at| found.get_mut(at)) {
                // As long as any text in it: growing would leave a copy behind.
                let room = || Zeroizing::new(String::with_capacity(body.len()));
                place.get_or_insert_with(room).push_str(text);
            }
        };
        match reader.read_event().ok()? {
            Event::Start(tag) if open.len() < DEEPEST => {
                let name = tag.local_name();
                open.push(Zeroizing::new(local(name.as_ref())?.to_owned()));
            }
            Event::Start(_) | Event::DocType(_) => return None,
            Event::End(_) => drop(open.pop()),
            Event::Text(it) => tell(&it),
            Event::CData(it) => tell(&it),
            Event::GeneralRef(it) => match it.resolve_char_ref().ok()? {
                Some(char) => tell(char.encode_utf8(&mut [0; 4])),
                None => tell(resolve_predefined_entity(&it)?),
            },
            Event::Eof => break,
            _ => (),
        }
    }
    let some = found.iter().any(Option::is_some);
    some.then(|| found.map(Option::unwrap_or_default))
}

fn local(name: &str) -> Option<&str> {
    (name.len() <= 128).then_some(name)
}

/// Deeper than any answer.
const DEEPEST: usize = 16;
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
