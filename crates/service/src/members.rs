//! One JSON object, written member by member: for records, of which every request writes one.

use serde::Serialize;

/// An object under construction. Names, and the values called plain, are ours: nothing in them needs
/// an escape.
pub(crate) struct Members {
    out: Vec<u8>,
    /// A value that can't be written makes the whole object none.
    failed: bool,
}

impl Members {
    /// An empty object, with room for `expected` bytes.
    pub(crate) fn new(expected: usize) -> Self {
        let mut out = Vec::with_capacity(expected);
        out.push(b'{');
        Self { out, failed: false }
    }

    /// A member whose value holds only letters, digits and the like.
    pub(crate) fn plain(mut self, name: &str, value: impl AsRef<str>) -> Self {
        debug_assert!(is_plain(value.as_ref()), "{name} has to be escaped");
        self.name(name);
        self.quoted(value.as_ref());
        self
    }

    /// A member whose value may hold anything.
    pub(crate) fn text(mut self, name: &str, value: &str) -> Self {
        if is_plain(value) {
            self.name(name);
            self.quoted(value);
            return self;
        }
        self.value(name, &value)
    }

    /// The same, if there is a value.
    pub(crate) fn text_if(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// A member of any kind.
    pub(crate) fn value<T: Serialize>(mut self, name: &str, value: &T) -> Self {
        self.name(name);
        self.failed |= serde_json::to_writer(&mut self.out, value).is_err();
        self
    }

    /// The same, if there is a value.
    pub(crate) fn value_if<T: Serialize>(self, name: &str, value: Option<&T>) -> Self {
        match value {
            Some(value) => self.value(name, value),
            None => self,
        }
    }

    /// An object as a member.
    pub(crate) fn object(mut self, name: &str, write: impl FnOnce(Self) -> Self) -> Self {
        self.name(name);
        self.out.push(b'{');
        let mut whole = write(self);
        whole.out.push(b'}');
        whole
    }

    /// The whole object, if all of it could be written.
    pub(crate) fn done(self) -> Option<String> {
        let Self { mut out, failed } = self;
        out.push(b'}');
        if failed { None } else { String::from_utf8(out).ok() }
    }

    fn name(&mut self, name: &str) {
        let first = self.out.last() == Some(&b'{');
        self.out.extend_from_slice(if first { b"\"" } else { b",\"" });
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn quoted(&mut self, value: &str) {
        self.out.push(b'"');
        self.out.extend_from_slice(value.as_bytes());
        self.out.push(b'"');
    }
}

/// Whether `text` stands in JSON as it is.
fn is_plain(text: &str) -> bool {
    // Without an early end, so that many bytes are looked at together.
    let escaped = |it: u8| u8::from(it < b' ') | u8::from(it == b'"') | u8::from(it == b'\\');
    text.bytes().fold(0, |found, it| found | escaped(it)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn members_stand_in_order_and_nest() {
        let written = Members::new(16)
            .plain("a", "x")
            .object("b", |it| it.object("c", |it| it).text_if("d", None).text_if("e", Some("\n")))
            .value("f", &Option::<u8>::None)
            .value_if("g", Some(&[1, 2]))
            .value_if::<u8>("h", None)
            .done();
        assert_eq!(
            written.as_deref(),
            Some(r#"{"a":"x","b":{"c":{},"e":"\n"},"f":null,"g":[1,2]}"#)
        );
        assert_eq!(Members::new(0).done().as_deref(), Some("{}"));
        let no_json = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert_eq!(Members::new(0).value("a", &no_json).plain("b", "c").done(), None);
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            let written = Members::new(0).text("text", &text).done().expect("UTF-8");
            let read: serde_json::Value = serde_json::from_str(&written).expect("JSON");
            prop_assert_eq!(read, json!({ "text": text }));
        }
    }
}
