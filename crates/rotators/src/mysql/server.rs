//! Which server it is.

/// Who made it, and its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) maker: Maker,
    /// Compared as numbers: 9 is before 10.
    pub(crate) version: (u16, u16, u16),
}

/// Who made it: their statements differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    MariaDb,
    MySql,
}

impl Server {
    /// Reads the answer of `VERSION()`.
    pub(crate) fn parse(told: &str) -> Option<Self> {
        let maker = if told.to_ascii_lowercase().contains("mariadb") {
            Maker::MariaDb
        } else {
            Maker::MySql
        };
        // What replicas of another maker once had to be told.
        let told = told.strip_prefix("5.5.5-").unwrap_or(told);
        let mut numbers = told.split(|it: char| !it.is_ascii_digit()).map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self { maker, version: (next()?, next()?, next().unwrap_or(0)) })
    }

    /// Whether a user can have two passwords.
    pub(crate) fn overlaps(self) -> bool {
        match self.maker {
            Maker::MariaDb => (10, 4, 0) <= self.version,
            Maker::MySql => (8, 0, 14) <= self.version,
        }
    }

    /// Whether a user that is made here can be told from others.
    pub(crate) fn marks(self) -> bool {
        match self.maker {
            Maker::MariaDb => (10, 4, 2) <= self.version,
            Maker::MySql => (8, 0, 21) <= self.version,
        }
    }

    /// Whether a user can be locked out.
    pub(crate) fn locks(self) -> bool {
        match self.maker {
            Maker::MariaDb => (10, 4, 2) <= self.version,
            Maker::MySql => (5, 7, 6) <= self.version,
        }
    }

    /// Whether passwords can be changed here at all: before, users had no `ALTER USER`.
    pub(crate) fn supported(self) -> bool {
        match self.maker {
            Maker::MariaDb => (10, 2, 0) <= self.version,
            Maker::MySql => (5, 7, 6) <= self.version,
        }
    }

    /// How many characters a user's name has at most.
    pub(crate) fn longest_name(self) -> usize {
        match self.maker {
            Maker::MariaDb => 80,
            Maker::MySql => 32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Maker::{MariaDb, MySql};

    #[test]
    fn versions_are_numbers() {
        #[rustfmt::skip]
        let cases = [
            // told                            maker    version       overlaps marks  supported
            ("8.0.36-0ubuntu0.22.04.1",        MySql,   (8, 0, 36),   true,    true,  true),
            ("8.0.14",                         MySql,   (8, 0, 14),   true,    false, true),
            ("8.0.9-log",                      MySql,   (8, 0, 9),    false,   false, true),
            ("9.7.4-2",                        MySql,   (9, 7, 4),    true,    true,  true),
            ("10.0.1",                         MySql,   (10, 0, 1),   true,    true,  true), // after 9
            ("5.7.44-log",                     MySql,   (5, 7, 44),   false,   false, true),
            ("5.6.51",                         MySql,   (5, 6, 51),   false,   false, false),
            ("8.4",                            MySql,   (8, 4, 0),    true,    true,  true),
            ("10.11.19-MariaDB-0+deb12u1-log", MariaDb, (10, 11, 19), true,    true,  true),
            ("5.5.5-10.3.39-MariaDB",          MariaDb, (10, 3, 39),  false,   false, true),
            ("5.5.68-MariaDB",                 MariaDb, (5, 5, 68),   false,   false, false),
        ];
        for (told, maker, version, overlaps, marks, supported) in cases {
            let it = Server::parse(told).expect(told);
            assert_eq!(it, Server { maker, version }, "{told}");
            let found = (it.overlaps(), it.marks(), it.supported());
            assert_eq!(found, (overlaps, marks, supported), "{told}");
        }
        for told in ["", "unknown", "8", "99999.1.1"] {
            assert_eq!(Server::parse(told), None, "{told}");
        }
    }
}
