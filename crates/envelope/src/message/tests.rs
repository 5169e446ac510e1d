use super::*;
use crate::Label;
use base::SystemEntropy;
use proptest::prelude::*;
use serde_json::Value;
use std::sync::Mutex;

/// Gives out prepared bytes, each once.
struct Prepared(Mutex<Vec<u8>>);

impl Entropy for Prepared {
    fn fill(&self, out: &mut [u8]) {
        let mut left = self.0.lock().expect("not poisoned");
        let drawn: Vec<u8> = left.drain(..out.len()).collect();
        out.copy_from_slice(&drawn);
    }
}

fn unhex(text: &Value) -> Vec<u8> {
    let text = text.as_str().expect("text");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
        .collect()
}

fn key_of(bytes: &[u8]) -> Key {
    Key::fill_with(|it| it.copy_from_slice(bytes))
}

fn aad_of(case: &Value) -> Aad {
    use Label::{Canary, Ciphertext, Kek, Local, Material, Value};
    let label = [Canary, Ciphertext, Kek, Local, Material, Value]
        .into_iter()
        .find(|it| it.as_str() == case["label"])
        .expect("known label");
    let fields = case["fields"].as_array().expect("list");
    let aad = fields.iter().fold(Aad::new(label), |aad, it| aad.field(it.as_str().expect("text")));
    let Some(context) = case["context"].as_object() else { return aad };
    let pairs: Vec<_> =
        context.iter().map(|(name, it)| (name.as_str(), it.as_str().expect("text"))).collect();
    aad.context(&pairs)
}

fn cases(text: &str) -> Vec<Value> {
    let cases: Vec<Value> = serde_json::from_str(text).expect("valid JSON");
    assert!(cases.len() > 2);
    cases
}

/// The bytes as another implementation on another library makes them.
#[test]
fn derived_vectors() {
    for case in cases(include_str!("../../../../tests/vectors/envelope/derived.json")) {
        let (key, aad) = (key_of(&unhex(&case["key"])), aad_of(&case));
        let (plaintext, sealed) = (unhex(&case["plaintext"]), unhex(&case["sealed"]));
        let entropy = Prepared(Mutex::new(unhex(&case["entropy"])));
        assert_eq!(seal(&key, &aad, &plaintext, &entropy), Ok(sealed.clone()), "{}", case["name"]);
        let opened = open(&key, &aad, &sealed).expect("opens");
        assert_eq!(opened.expose(), plaintext, "{}", case["name"]);
    }
}

/// The nonce comes from inside the module, so these are pinned from sealed to open only.
#[test]
fn single_use_vectors() {
    for case in cases(include_str!("../../../../tests/vectors/envelope/single-use.json")) {
        let (key, aad) = (key_of(&unhex(&case["key"])), aad_of(&case));
        let opened = open_once(&key, &aad, &unhex(&case["sealed"])).expect("opens");
        assert_eq!(opened.expose(), unhex(&case["plaintext"]), "{}", case["name"]);
    }
}

fn sample() -> (Key, Aad, Vec<u8>) {
    let key = key_of(&[7; 32]);
    let aad = Aad::new(Label::Material).field("account").field("region");
    let sealed = seal(&key, &aad, b"thirty-two bytes of key material", &SystemEntropy);
    (key, aad, sealed.expect("sealed"))
}

#[test]
fn no_byte_can_be_changed() {
    let (key, aad, sealed) = sample();
    for place in 0..sealed.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut changed = sealed.clone();
            changed[place] ^= mask;
            let expected = match place {
                0..2 => OpenError::Foreign,
                2..50 => OpenError::OtherKey,
                _ => OpenError::Changed,
            };
            assert_eq!(open(&key, &aad, &changed).err(), Some(expected), "byte {place}");
            assert_eq!(unwrap(&key, &aad, &changed).err(), Some(expected), "byte {place}");
        }
    }
    let sealed = seal_once(key_of(&[7; 32]), &aad, b"a value").expect("sealed");
    for place in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        let expected = if place < 2 { OpenError::Foreign } else { OpenError::Changed };
        assert_eq!(open_once(&key, &aad, &changed).err(), Some(expected), "byte {place}");
    }
}

#[test]
fn no_byte_can_be_missing_or_added() {
    let (key, aad, sealed) = sample();
    for len in 0..sealed.len() {
        assert!(open(&key, &aad, &sealed[..len]).is_err(), "{len} bytes");
        assert!(open_once(&key, &aad, &sealed[..len]).is_err(), "{len} bytes");
    }
    let longer = [&sealed[..], b"x"].concat();
    assert_eq!(open(&key, &aad, &longer).err(), Some(OpenError::Changed));
}

#[test]
fn binding_must_be_the_same() {
    let (key, aad, sealed) = sample();
    let label = Label::Material;
    #[rustfmt::skip]
    let cases = [
        // bound to                                                       expected
        (Aad::new(label).field("account").field("region"),                None),
        (Aad::new(label).field("account").field("regio"),                 Some(OpenError::Changed)),
        (Aad::new(label).field("accountregion"),                          Some(OpenError::Changed)),
        (Aad::new(label).field("region").field("account"),                Some(OpenError::Changed)),
        (Aad::new(label).field("account").field("region").field(""),      Some(OpenError::Changed)),
        (Aad::new(Label::Value).field("account").field("region"),         Some(OpenError::Changed)),
    ];
    for (other, expected) in cases {
        assert_eq!(open(&key, &other, &sealed).err(), expected, "{other:?}");
    }
    let sealed = seal_once(key_of(&[7; 32]), &aad, b"a value").expect("sealed");
    let other = Aad::new(label).field("account");
    assert_eq!(open_once(&key, &other, &sealed).err(), Some(OpenError::Changed));
}

#[test]
fn commitment_refuses_before_anything_is_decrypted() {
    let (key, aad, sealed) = sample();
    assert_eq!(open(&key_of(&[8; 32]), &aad, &sealed).err(), Some(OpenError::OtherKey));

    // A ciphertext that is right for the key, under a commitment to another.
    let other = key_of(&[8; 32]);
    let salt: [u8; SALT] = sealed[2..34].try_into().expect("32 bytes");
    let foreign = PerMessage::derive(&other, aad.label().as_str(), &salt).expect("derived");
    let mut swapped = sealed.clone();
    swapped[34..50].copy_from_slice(&foreign.commitment);
    assert_eq!(open(&key, &aad, &swapped).err(), Some(OpenError::OtherKey));
    assert_eq!(open(&other, &aad, &swapped).err(), Some(OpenError::Changed));
}

#[test]
fn one_construction_is_not_the_other() {
    let (key, aad, sealed) = sample();
    let mut relabeled = sealed.clone();
    relabeled[1] = SINGLE_USE;
    assert_eq!(open_once(&key, &aad, &sealed).err(), Some(OpenError::Foreign));
    assert_eq!(open_once(&key, &aad, &relabeled).err(), Some(OpenError::Changed));
}

#[test]
fn lengths_are_bounded() {
    let (key, aad, _) = sample();
    let most = vec![1; MAX_PLAINTEXT];
    let sealed = seal(&key, &aad, &most, &SystemEntropy).expect("fits");
    assert_eq!(sealed.len(), MAX_PLAINTEXT + OVERHEAD);
    assert_eq!(open(&key, &aad, &sealed).expect("opens").expose(), most);
    let sealed = seal_once(key_of(&[7; 32]), &aad, &most).expect("fits");
    assert_eq!(sealed.len(), MAX_PLAINTEXT + OVERHEAD_ONCE);
    assert_eq!(open_once(&key, &aad, &sealed).expect("opens").expose(), most);

    let more = vec![1; MAX_PLAINTEXT + 1];
    assert_eq!(seal(&key, &aad, &more, &SystemEntropy), Err(SealError::TooLong));
    assert_eq!(seal_once(key_of(&[7; 32]), &aad, &more), Err(SealError::TooLong));
    let wide = Aad::new(Label::Value).field(vec![0; Aad::MAX_LEN]);
    assert_eq!(seal(&key, &wide, b"", &SystemEntropy), Err(SealError::TooLong));
    assert_eq!(open(&key, &wide, &sealed).err(), Some(OpenError::Foreign));
    let over = [&[MAGIC, DERIVED][..], &vec![0; MAX_PLAINTEXT + OVERHEAD]].concat();
    assert_eq!(open(&key, &aad, &over).err(), Some(OpenError::Foreign));
}

#[test]
fn a_wrapped_key_is_32_bytes() {
    let (key, aad, _) = sample();
    for (content, expected) in [
        (&[1; 31][..], Some(OpenError::Foreign)),
        (&[1; 32], None),
        (&[1; 33], Some(OpenError::Foreign)),
    ] {
        let sealed = seal(&key, &aad, content, &SystemEntropy).expect("sealed");
        assert_eq!(unwrap(&key, &aad, &sealed).err(), expected, "{} bytes", content.len());
    }
}

#[test]
fn two_messages_have_nothing_in_common() {
    let (key, aad, one) = sample();
    let two =
        seal(&key, &aad, b"thirty-two bytes of key material", &SystemEntropy).expect("sealed");
    let same = one.iter().zip(&two).skip(2).filter(|(a, b)| a == b).count();
    assert!(same < 16, "{same} equal bytes of {}", one.len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sealed_opens(plaintext: Vec<u8>, bytes: [u8; 32], field: Vec<u8>) {
        let (key, aad) = (key_of(&bytes), Aad::new(Label::Local).field(&field));
        let sealed = seal(&key, &aad, &plaintext, &SystemEntropy).expect("sealed");
        let opened = open(&key, &aad, &sealed).expect("opens");
        prop_assert_eq!(opened.expose(), &plaintext[..]);
        let sealed = seal_once(key_of(&bytes), &aad, &plaintext).expect("sealed");
        let opened = open_once(&key, &aad, &sealed).expect("opens");
        prop_assert_eq!(opened.expose(), &plaintext[..]);
    }

    #[test]
    fn garbage_neither_opens_nor_panics(
        construction in 0..4u8,
        tail in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let (key, aad, _) = sample();
        let garbage = [&[MAGIC, construction][..], &tail].concat();
        prop_assert!(open(&key, &aad, &garbage).is_err());
        prop_assert!(unwrap(&key, &aad, &garbage).is_err());
        prop_assert!(open_once(&key, &aad, &garbage).is_err());
    }
}
