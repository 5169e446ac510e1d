//! Patterns of cgroup paths: `*` within one part of the path, `**` across parts.
//!
//! A pattern is a small automaton whose state is a set of places in it. That answers three questions
//! with one step: whether it fits a path, whether two patterns can fit the same path, and whether one
//! fits all that another does.

use std::collections::{BTreeSet, VecDeque};

/// A pattern of paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob {
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Is(char),
    /// Any run of characters but slashes.
    Within,
    /// Any run of characters.
    Across,
}

/// Places in a pattern that a path read so far may have led to.
type Places = BTreeSet<usize>;

/// What is longer names no cgroup; comparing costs grow with it.
const LONGEST: usize = 256;

impl Glob {
    /// Reads `text`; `None` if it is no absolute path or longer than 256 characters.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if !text.starts_with('/') || LONGEST < text.chars().count() {
            return None;
        }
        let mut parts = Vec::new();
        for char in text.chars() {
            match (char, parts.last()) {
                ('*', Some(Part::Within)) => {
                    parts.pop();
                    parts.push(Part::Across);
                }
                ('*', Some(Part::Across)) => (),
                ('*', _) => parts.push(Part::Within),
                (char, _) => parts.push(Part::Is(char)),
            }
        }
        Some(Self { parts })
    }

    /// Whether it fits `path`.
    pub(crate) fn fits(&self, path: &str) -> bool {
        let read = |places: Places, char| self.step(&places, char);
        self.is_end(&path.chars().fold(self.start(), read))
    }

    /// Whether there is a path that both fit.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.walk(other, |one, two| self.is_end(one) && other.is_end(two))
    }

    /// Whether it fits every path that `other` fits.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        !self.walk(other, |one, two| !self.is_end(one) && other.is_end(two))
    }

    /// Whether some path leads the two to places that are `wanted`.
    fn walk(&self, other: &Self, wanted: impl Fn(&Places, &Places) -> bool) -> bool {
        let chars = self.chars_with(other);
        let first = (self.start(), other.start());
        let mut known = BTreeSet::from([first.clone()]);
        let mut open = VecDeque::from([first]);
        while let Some((one, two)) = open.pop_front() {
            if wanted(&one, &two) {
                return true;
            }
            for char in &chars {
                let next = (self.step(&one, *char), other.step(&two, *char));
                if !next.1.is_empty() && known.insert(next.clone()) {
                    open.push_back(next);
                }
            }
        }
        false
    }

    /// Every character that makes a difference to either, and one that stands for all others.
    fn chars_with(&self, other: &Self) -> BTreeSet<char> {
        let named = self.parts.iter().chain(&other.parts).filter_map(|it| match it {
            Part::Is(char) => Some(*char),
            Part::Within | Part::Across => None,
        });
        named.chain(['/', '\0']).collect()
    }

    fn start(&self) -> Places {
        self.closed([0])
    }

    fn step(&self, places: &Places, char: char) -> Places {
        self.closed(places.iter().filter_map(|place| match self.parts.get(*place)? {
            Part::Is(wanted) => (*wanted == char).then_some(place + 1),
            Part::Within => (char != '/').then_some(*place),
            Part::Across => Some(*place),
        }))
    }

    /// `places`, and those behind runs that may be empty.
    fn closed(&self, places: impl IntoIterator<Item = usize>) -> Places {
        let mut closed = Places::new();
        for mut place in places {
            closed.insert(place);
            while let Some(Part::Within | Part::Across) = self.parts.get(place) {
                place += 1;
                closed.insert(place);
            }
        }
        closed
    }

    fn is_end(&self, places: &Places) -> bool {
        places.contains(&self.parts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(text: &str) -> Glob {
        Glob::parse(text).expect(text)
    }

    #[test]
    fn stars_fit_a_part_or_several() {
        #[rustfmt::skip]
        let cases = [
            ("/a",                "/a",          true),
            ("/a",                "/ab",         false),
            ("/a*",               "/a",          true),
            ("/a*",               "/abc",        true),
            ("/a*",               "/a/b",        false),
            ("/a*/b",             "/ax/b",       true),
            ("/*/b",              "/x/y/b",      false),
            ("/**/b",             "/x/y/b",      true),
            ("/a/**",             "/a",          false),
            ("/a**",              "/a/b/c",      true),
            ("/**",               "/",           true),
            ("/a***b",            "/a/x/b",      true),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(glob(pattern).fits(path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn patterns_are_compared_by_what_they_fit() {
        #[rustfmt::skip]
        let cases = [
            // one         other           meets  covers covered
            ("/a",         "/a",           true,  true,  true),
            ("/a",         "/b",           false, false, false),
            ("/*",         "/a",           true,  true,  false),
            ("/**",        "/*",           true,  true,  false),
            ("/a*",        "/*b",          true,  false, false),
            ("/a*",        "/b*",          false, false, false),
            ("/a*/x",      "/a/**",        true,  false, false),
            ("/a/*",       "/a/**/c",      false, false, false),
            ("/a/**",      "/a/*/c",       true,  true,  false),
            ("/**a",       "/*a",          true,  true,  false),
        ];
        for (one, other, meets, covers, covered) in cases {
            let (left, right) = (glob(one), glob(other));
            assert_eq!(left.meets(&right), meets, "{one} meets {other}");
            assert_eq!(right.meets(&left), meets, "{other} meets {one}");
            assert_eq!(left.covers(&right), covers, "{one} covers {other}");
            assert_eq!(right.covers(&left), covered, "{other} covers {one}");
        }
    }

    #[test]
    fn no_path_no_pattern() {
        for text in ["", "a", "*", "a/b"] {
            assert_eq!(Glob::parse(text), None, "{text}");
        }
        assert_eq!(Glob::parse(&"/a".repeat(200)), None);
    }
}
