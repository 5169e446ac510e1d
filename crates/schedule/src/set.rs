//! Sets of hours, days and months.

/// Numbers from 0 to 31.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set(u32);

impl Set {
    pub(crate) const EMPTY: Self = Self(0);

    /// With `number`; anything above 31 is left out.
    pub(crate) fn with(self, number: u8) -> Self {
        Self(self.0 | 1_u32.checked_shl(number.into()).unwrap_or(0))
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those from `number` on.
    pub(crate) fn starting(self, number: u8) -> Self {
        Self(self.0 & u32::MAX.checked_shl(number.into()).unwrap_or(0))
    }

    pub(crate) fn has(self, number: u8) -> bool {
        self.0 & Self::EMPTY.with(number).0 != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In ascending order.
    pub(crate) fn iter(self) -> impl DoubleEndedIterator<Item = u8> {
        (0..32).filter(move |it| self.has(*it))
    }

    pub(crate) fn first(self) -> Option<u8> {
        u8::try_from(self.0.trailing_zeros()).ok().filter(|it| *it < 32)
    }

    pub(crate) fn last(self) -> Option<u8> {
        31_u8.checked_sub(u8::try_from(self.0.leading_zeros()).ok()?)
    }

    /// The smallest distance of two neighbors, if there are two.
    pub(crate) fn smallest_gap(self) -> Option<u8> {
        self.iter().zip(self.iter().skip(1)).map(|(one, next)| next - one).min()
    }
}

impl FromIterator<u8> for Set {
    fn from_iter<I: IntoIterator<Item = u8>>(numbers: I) -> Self {
        numbers.into_iter().fold(Self::EMPTY, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_numbers_in_order() {
        let set = Set::from_iter([31, 0, 9, 4, 99]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 4, 9, 31]);
        assert_eq!((set.first(), set.last(), set.smallest_gap()), (Some(0), Some(31), Some(4)));
        assert_eq!(set.starting(5).first(), Some(9));
        assert_eq!(set.starting(31), Set::EMPTY.with(31));
        assert!(set.starting(32).is_empty());
        assert_eq!((Set::EMPTY.first(), Set::EMPTY.last()), (None, None));
        assert_eq!(Set::EMPTY.with(7).smallest_gap(), None);
    }
}
