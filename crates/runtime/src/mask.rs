//! Takes secrets out of what functions print and say.

use base::Sensitive;
use zeroize::Zeroize;

/// The texts to hide, each in the forms it may be printed in, the longest first.
#[derive(Debug, Default)]
pub(crate) struct Mask {
    forms: Vec<Sensitive>,
}

impl Mask {
    /// Hides `secrets`. Those below four characters are left: hiding them would hide everything.
    pub(crate) fn of<'a>(secrets: impl IntoIterator<Item = &'a Sensitive>) -> Self {
        let mut mask = Self::default();
        secrets.into_iter().for_each(|it| mask.add(it));
        mask.order();
        mask
    }

    /// Hides also what `other` hides.
    pub(crate) fn join(&mut self, other: Self) {
        self.forms.extend(other.forms);
        self.order();
        self.forms.truncate(MOST);
    }

    /// Bytes of the longest form.
    pub(crate) fn longest(&self) -> usize {
        self.forms.first().map_or(0, Sensitive::len)
    }

    /// `text` without what is hidden.
    pub(crate) fn apply(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((first, after)) = rest.split_first() {
            if let Some(form) = self.forms.iter().find(|it| rest.starts_with(it.expose())) {
                out.extend_from_slice(HIDDEN);
                rest = rest.get(form.len()..).unwrap_or_default();
            } else {
                out.push(*first);
                rest = after;
            }
        }
        out
    }

    fn add(&mut self, secret: &Sensitive) {
        let text = secret.expose();
        // Logs come in lines: of a key that has several, each is one.
        for part in text.split(|it| *it == b'\n').chain([text]) {
            for mut form in forms(part) {
                let known = |it: &Sensitive| it.expose() == form.as_slice();
                if form.len() < LEAST || self.forms.iter().any(known) {
                    form.zeroize();
                } else {
                    self.forms.push(Sensitive::new(form));
                }
            }
        }
    }

    fn order(&mut self) {
        self.forms.sort_by(|one, two| {
            two.len().cmp(&one.len()).then_with(|| one.expose().cmp(two.expose()))
        });
        self.forms.dedup_by(|one, two| one.expose() == two.expose());
    }
}

/// As it is, and as SQL, URLs and Python print it; each of these as it is, and as JSON: a failure is
/// JSON, and quotes what was printed.
fn forms(text: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![text.to_vec(), doubled(text, b'\''), url(text, b"%20"), url(text, b"+")];
    if let Ok(text) = str::from_utf8(text) {
        let escaped = text.replace('\\', "\\\\");
        forms.push(escaped.replace('\'', "\\'").into_bytes());
        forms.push(escaped.into_bytes());
    }
    let plain = forms.len();
    // Twice: an event that is printed is JSON within the JSON of a failure.
    for at in 0..plain * 3 {
        let Some(Ok(text)) = forms.get(at).map(|it| str::from_utf8(it)) else { continue };
        let quoted = serde_json::to_string(text).unwrap_or_default();
        let bare = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
        let (bare, ascii) = (bare.as_bytes().to_vec(), ascii(bare));
        forms.extend([bare, ascii]);
    }
    forms
}

fn doubled(text: &[u8], quote: u8) -> Vec<u8> {
    text.iter().flat_map(|it| std::iter::repeat_n(*it, 1 + usize::from(*it == quote))).collect()
}

fn url(text: &[u8], blank: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b' ' => out.extend_from_slice(blank),
            byte if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) => out.push(*byte),
            byte => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    out
}

/// JSON without anything beyond ASCII, as Python writes it.
fn ascii(json: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    for char in json.chars() {
        if char.is_ascii() {
            out.push(char as u8);
            continue;
        }
        let mut units = [0; 2];
        for unit in char.encode_utf16(&mut units) {
            out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
        }
    }
    out
}

const HIDDEN: &[u8] = b"[hidden]";
const LEAST: usize = 4;
/// Forms kept for one process.
const MOST: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(secret: &str, text: &str) -> String {
        let secret = Sensitive::from(secret.to_owned());
        String::from_utf8(Mask::of([&secret]).apply(text.as_bytes())).unwrap()
    }

    #[test]
    fn a_secret_is_hidden_however_it_is_printed() {
        #[rustfmt::skip]
        let cases = [
            // secret      printed                            shown
            ("hunter22",   "password is hunter22!",           "password is [hidden]!"),
            ("hunter22",   "hunter2 hunter22hunter22",        "hunter2 [hidden][hidden]"),
            (r#"a"b\c"#,   r#"{"p":"a\"b\\c"}"#,              r#"{"p":"[hidden]"}"#),
            ("it's a",     "PASSWORD 'it''s a'",              "PASSWORD '[hidden]'"),
            ("it's a",     r"repr: 'it\'s a'",                "repr: '[hidden]'"),
            ("a b/c&d",    "p=a%20b%2Fc%26d q=a+b%2Fc%26d",   "p=[hidden] q=[hidden]"),
            ("pässwört",   r#""p\u00e4ssw\u00f6rt" pässwört"#, r#""[hidden]" [hidden]"#),
            (r#"a"'b"#,    r#"{"m":"'a\"\\'b'"}"#,           r#"{"m":"'[hidden]'"}"#), // Python within JSON
            (r#"a"bc"#,    r#""{\"p\":\"a\\\"bc\"}""#,      r#""{\"p\":\"[hidden]\"}""#), // JSON within JSON
            ("key1\nkey2", "key1",                            "[hidden]"),
            ("abc",        "abc",                             "abc"), // too short
            ("",           "text",                            "text"),
        ];
        for (secret, printed, shown) in cases {
            assert_eq!(masked(secret, printed), shown, "{secret}");
        }
    }

    #[test]
    fn the_longer_of_two_secrets_goes_first() {
        let (short, long) = ("pass".to_owned().into(), "password".to_owned().into());
        let mask = Mask::of([&short, &long]);
        assert_eq!(mask.apply(b"password pass"), b"[hidden] [hidden]");
        assert_eq!(mask.longest(), 8);
    }

    #[test]
    fn joined_masks_hide_both() {
        let (one, two) = ("first".to_owned().into(), "second".to_owned().into());
        let mut mask = Mask::of([&one]);
        mask.join(Mask::of([&two]));
        assert_eq!(mask.apply(b"first second"), b"[hidden] [hidden]");
    }
}
