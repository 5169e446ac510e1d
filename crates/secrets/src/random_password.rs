//! How GetRandomPassword draws a password.

use base::{Entropy, Sensitive};

/// What a password is to be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the API asks six independent questions")]
pub(crate) struct Recipe {
    /// How many characters.
    pub(crate) length: usize,
    /// Characters that must not occur.
    pub(crate) exclude: String,
    /// Whether digits may occur.
    pub(crate) numbers: bool,
    /// Whether the 32 punctuation characters of ASCII may occur.
    pub(crate) punctuation: bool,
    /// Whether A–Z may occur.
    pub(crate) uppercase: bool,
    /// Whether a–z may occur.
    pub(crate) lowercase: bool,
    /// Whether the space may occur. It never must.
    pub(crate) space: bool,
    /// Whether each of the four classes above that may occur must occur.
    pub(crate) require_each: bool,
}

/// Why no password can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecipeError {
    /// Every character is excluded.
    #[error("no character is left to make a password of")]
    EmptyAlphabet,
    /// There are more classes to be represented than characters.
    #[error("password length is too short based on the required types")]
    TooShort,
}

/// Draws a password: ASCII, exactly `recipe.length` characters.
///
/// Each required class gets one character, drawn evenly from the class; all others are drawn
/// evenly from the whole alphabet; then all change places, so that no place tells a class. A
/// class of which every character is excluded isn't required.
///
/// Source: Secrets Manager API Reference, GetRandomPassword.
pub(crate) fn draw(recipe: &Recipe, entropy: &dyn Entropy) -> Result<Sensitive, RecipeError> {
    let classes = recipe.classes();
    let space = Some(b' ').filter(|it| recipe.space && recipe.permits(*it));
    let alphabet: Vec<u8> = classes.iter().flatten().copied().chain(space).collect();
    let required = if recipe.require_each { classes.as_slice() } else { &[] };
    if alphabet.is_empty() {
        return Err(RecipeError::EmptyAlphabet);
    }
    if recipe.length < required.len() {
        return Err(RecipeError::TooShort);
    }

    // Filled in place: no second copy is left behind in memory.
    let mut password = Sensitive::new(vec![0; recipe.length]);
    let sources = required.iter().chain(std::iter::repeat(&alphabet));
    for (place, source) in password.expose_mut().iter_mut().zip(sources) {
        *place = one_of(source, entropy);
    }
    shuffle(password.expose_mut(), entropy);
    Ok(password)
}

impl Recipe {
    /// The classes that may occur, without excluded characters; none is empty.
    fn classes(&self) -> Vec<Vec<u8>> {
        let classes = [
            (self.numbers, NUMBERS),
            (self.punctuation, PUNCTUATION),
            (self.uppercase, UPPERCASE),
            (self.lowercase, LOWERCASE),
        ];
        classes
            .into_iter()
            .filter(|(included, _)| *included)
            .map(|(_, class)| class.bytes().filter(|it| self.permits(*it)).collect::<Vec<u8>>())
            .filter(|class| !class.is_empty())
            .collect()
    }

    fn permits(&self, character: u8) -> bool {
        !self.exclude.contains(char::from(character))
    }
}

/// One of `characters`, each equally likely; 0 if there is none.
fn one_of(characters: &[u8], entropy: &dyn Entropy) -> u8 {
    let place = below(characters.len(), entropy);
    characters.get(place).copied().unwrap_or_default()
}

/// Fisher and Yates: every order is equally likely.
fn shuffle(characters: &mut [u8], entropy: &dyn Entropy) {
    for last in (1..characters.len()).rev() {
        characters.swap(last, below(last + 1, entropy));
    }
}

fn below(bound: usize, entropy: &dyn Entropy) -> usize {
    let drawn = entropy.below(u32::try_from(bound).unwrap_or(u32::MAX));
    usize::try_from(drawn).unwrap_or_default()
}

const NUMBERS: &str = "0123456789";
const PUNCTUATION: &str = r##"!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"##;
const UPPERCASE: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWERCASE: &str = "abcdefghijklmnopqrstuvwxyz";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// The same stream of numbers in every run (a Weyl sequence, mixed by SplitMix64).
    #[derive(Default)]
    struct Seeded(AtomicU64);

    impl Entropy for Seeded {
        fn fill(&self, out: &mut [u8]) {
            for byte in out {
                let mut it = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
                it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                *byte = it.to_le_bytes()[7];
            }
        }
    }

    fn standard() -> Recipe {
        Recipe {
            length: 32,
            exclude: String::new(),
            numbers: true,
            punctuation: true,
            uppercase: true,
            lowercase: true,
            space: false,
            require_each: true,
        }
    }

    fn characters(recipe: &Recipe, entropy: &dyn Entropy) -> String {
        let password = draw(recipe, entropy).expect("possible");
        assert_eq!(password.len(), recipe.length);
        String::from_utf8(password.expose().to_vec()).expect("ASCII")
    }

    fn all_of(classes: &[&str]) -> BTreeSet<char> {
        classes.concat().chars().collect()
    }

    #[test]
    fn the_four_classes_are_ascii_s_printable_characters_but_the_space() {
        let all = all_of(&[NUMBERS, PUNCTUATION, UPPERCASE, LOWERCASE]);
        assert_eq!(all, ('!'..='~').collect());
        assert_eq!(PUNCTUATION.len(), 32);
    }

    #[test]
    fn each_class_occurs_even_in_the_shortest_password() {
        let entropy = Seeded::default();
        for _ in 0..1000 {
            let password = characters(&Recipe { length: 4, ..standard() }, &entropy);
            for class in [NUMBERS, PUNCTUATION, UPPERCASE, LOWERCASE] {
                assert!(password.contains(|it| class.contains(it)), "{password}");
            }
        }
    }

    #[test]
    fn every_character_is_reached_at_every_place_and_no_other() {
        #[rustfmt::skip]
        let cases = [
            (standard(), all_of(&[NUMBERS, PUNCTUATION, UPPERCASE, LOWERCASE])),
            (Recipe { space: true, ..standard() }, all_of(&[NUMBERS, PUNCTUATION, UPPERCASE, LOWERCASE, " "])),
            (Recipe { punctuation: false, ..standard() }, all_of(&[NUMBERS, UPPERCASE, LOWERCASE])),
            (Recipe { punctuation: false, uppercase: false, lowercase: false, ..standard() }, all_of(&[NUMBERS])),
            (Recipe { exclude: "abcé 0\"\\".into(), space: true, ..standard() }, ('!'..='~').filter(|it| !"abc0\"\\".contains(*it)).collect()),
            (Recipe { exclude: NUMBERS.into(), require_each: false, ..standard() }, all_of(&[PUNCTUATION, UPPERCASE, LOWERCASE])),
        ];
        let entropy = Seeded::default();
        for (recipe, expected) in cases {
            let recipe = Recipe { length: 6, ..recipe };
            let mut seen = vec![BTreeSet::new(); recipe.length];
            for _ in 0..4000 {
                let password = characters(&recipe, &entropy);
                for (place, it) in password.chars().enumerate() {
                    seen[place].insert(it);
                }
            }
            for place in seen {
                assert_eq!(place, expected, "{recipe:?}");
            }
        }
    }

    #[test]
    fn no_place_prefers_a_class() {
        let entropy = Seeded::default();
        let recipe = Recipe { length: 4, ..standard() };
        let mut digits = [0_u32; 4];
        for _ in 0..4000 {
            for (place, it) in characters(&recipe, &entropy).chars().enumerate() {
                digits[place] += u32::from(it.is_ascii_digit());
            }
        }
        // One digit in each password, so a thousand at each place; σ is 27.
        assert_eq!(digits.iter().sum::<u32>(), 4000);
        assert!(digits.iter().all(|it| (850..1150).contains(it)), "{digits:?}");
    }

    #[test]
    fn a_class_that_is_excluded_is_not_required() {
        let entropy = Seeded::default();
        let recipe = Recipe { length: 3, exclude: NUMBERS.into(), ..standard() };
        assert!(!characters(&recipe, &entropy).contains(|it: char| it.is_ascii_digit()));
        let only_space =
            Recipe { exclude: ('!'..='~').collect(), space: true, length: 5, ..standard() };
        assert_eq!(characters(&only_space, &entropy), "     ");
    }

    #[test]
    fn impossible_recipes() {
        let nothing = Recipe { numbers: false, punctuation: false, uppercase: false, ..standard() };
        #[rustfmt::skip]
        let cases = [
            (Recipe { length: 3, ..standard() }, Some(RecipeError::TooShort)),
            (Recipe { length: 4, ..standard() }, None),
            (Recipe { length: 3, require_each: false, ..standard() }, None),
            (Recipe { length: 3, numbers: false, ..standard() }, None),
            (Recipe { length: 3, exclude: UPPERCASE.into(), ..standard() }, None),
            (Recipe { length: 4, space: true, ..standard() }, None),
            (Recipe { length: 4096, ..standard() }, None),
            (Recipe { lowercase: false, ..nothing.clone() }, Some(RecipeError::EmptyAlphabet)),
            (Recipe { exclude: LOWERCASE.into(), ..nothing.clone() }, Some(RecipeError::EmptyAlphabet)),
            (Recipe { lowercase: false, space: true, ..nothing.clone() }, None),
            (Recipe { exclude: ('\0'..='~').collect(), space: true, ..standard() }, Some(RecipeError::EmptyAlphabet)),
            (Recipe { exclude: LOWERCASE.into(), length: 0, ..nothing }, Some(RecipeError::EmptyAlphabet)),
        ];
        for (recipe, expected) in cases {
            assert_eq!(draw(&recipe, &Seeded::default()).err(), expected, "{recipe:?}");
        }
    }
}
