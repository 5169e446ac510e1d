//! Keys of the store.

use store::path::{Path, components};

/// Takes `input` for what follows the root in a key, and for a component.
///
/// A key that can be taken apart is put together from its parts unchanged, so no two lists of
/// parts share a key. Any text can be a component.
pub fn store_key(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };

    let key = format!("root/{text}");
    if let Some(parts) = components(&key) {
        let path = parts.iter().skip(1).fold(Path::new("root"), |path, it| path.with(it));
        assert_eq!(path.key(), key);
    }

    let key = Path::new("root").with(text).with("end").key();
    let parts = components(&key).expect("made by `Path`");
    assert_eq!(parts, ["root", text, "end"]);

    let prefix = Path::new("root").with(text).below();
    assert!(key.starts_with(&prefix));
}
