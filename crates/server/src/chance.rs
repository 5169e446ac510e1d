//! Chance for ids, drawn ahead: a request needs two, and a draw of a kilobyte costs little more than
//! one of sixteen bytes.

use base::Entropy;
use std::sync::{Arc, Mutex};
use zeroize::Zeroize;

/// Another source, with small draws served from bytes that were drawn ahead. Each byte is given out
/// once and wiped with that; longer draws, as keys are, come straight from the source.
pub(crate) struct DrawnAhead {
    source: Arc<dyn Entropy>,
    /// Several, so that one task rarely waits for another.
    pools: [Mutex<Pool>; 8],
}

struct Pool {
    bytes: [u8; 1024],
    /// How many were given out.
    given: usize,
}

/// The longest draw that is served from a pool: a UUID's.
const SMALL: usize = 16;

impl DrawnAhead {
    pub(crate) fn new(source: Arc<dyn Entropy>) -> Self {
        let pool = || Mutex::new(Pool { bytes: [0; 1024], given: 1024 });
        Self { source, pools: std::array::from_fn(|_| pool()) }
    }
}

impl Entropy for DrawnAhead {
    fn fill(&self, out: &mut [u8]) {
        if SMALL < out.len() {
            return self.source.fill(out);
        }
        for pool in &self.pools {
            if let Ok(mut pool) = pool.try_lock() {
                return pool.give(out, &*self.source);
            }
        }
        self.source.fill(out);
    }
}

impl Pool {
    fn give(&mut self, out: &mut [u8], source: &dyn Entropy) {
        if self.bytes.len() - self.given < out.len() {
            source.fill(&mut self.bytes);
            self.given = 0;
        }
        let end = self.given + out.len();
        if let Some(bytes) = self.bytes.get_mut(self.given..end) {
            out.copy_from_slice(bytes);
            bytes.zeroize();
        }
        self.given = end;
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU8, Ordering};

    /// Counts up, byte by byte.
    #[derive(Default)]
    struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, out: &mut [u8]) {
            for byte in out {
                *byte = self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn every_byte_is_given_once_and_in_order() {
        let chance = DrawnAhead::new(Arc::new(Counting::default()));
        let mut expected = 0_u8;
        for length in (0..=SMALL).cycle().take(1000) {
            // What is left of a kilobyte may be too little; then it is never given.
            let mut out = vec![0; length];
            chance.fill(&mut out);
            let pool = chance.pools[0].lock().expect("whole");
            assert!(pool.bytes[..pool.given].iter().all(|it| *it == 0), "wiped");
            if let Some(first) = out.first() {
                let skipped = first.wrapping_sub(expected);
                assert!(usize::from(skipped) < SMALL, "{skipped}");
                let counted = (0_u8..).zip(&out).all(|(at, it)| *it == first.wrapping_add(at));
                assert!(counted, "{out:?}");
                expected = first.wrapping_add(u8::try_from(length).expect("small"));
            }
        }
    }

    #[test]
    fn long_draws_are_not_kept() {
        let chance = DrawnAhead::new(Arc::new(Counting::default()));
        let mut key = [0; 32];
        chance.fill(&mut key);
        assert_eq!(key[31], 31);
        assert_eq!(chance.pools[0].lock().expect("whole").given, 1024);
    }
}
