//! What is read of grants, and the statements between two users.

use super::*;

fn account(user: &str) -> Account {
    Account { user: user.to_owned(), host: "127.0.0.%".to_owned() }
}

fn rights(lines: &[&str]) -> Rights {
    read(lines.iter().copied(), &account("a")).expect("rights")
}

/// As MySQL 9.7 and MariaDB 10.11 print them.
const LINES: &[&str] = &[
    "GRANT USAGE ON *.* TO `a`@`127.0.0.%`",
    "GRANT BACKUP_ADMIN ON *.* TO `a`@`127.0.0.%` WITH GRANT OPTION",
    "GRANT SELECT ON `d`.* TO `a`@`127.0.0.%` WITH GRANT OPTION",
    "GRANT SELECT (`a ON b`, `c)`), UPDATE ON `d`.`t TO u` TO `a`@`127.0.0.%`",
    "GRANT EXECUTE ON PROCEDURE `d`.`p` TO `a`@`127.0.0.%`",
    "GRANT PROXY ON `l`@`%` TO `a`@`127.0.0.%`",
    "GRANT `r1`@`%`,`r2`@`%` TO `a`@`127.0.0.%` WITH ADMIN OPTION",
    "REVOKE INSERT ON `mysql`.* FROM `a`@`127.0.0.%`",
    "SET DEFAULT ROLE `r1` FOR `a`@`127.0.0.%`",
    "GRANT SELECT ON `other`.* TO `r1`",
];

#[test]
fn grants_are_read() {
    let privilege = |what: &str, on: &str, option| {
        let (what, on) = (what.to_owned(), on.to_owned());
        Right::Privilege { what, on, option }
    };
    let role = |role: &str| Right::Role { role: role.to_owned(), admin: true };
    let expected = Rights::from([
        privilege("BACKUP_ADMIN", "*.*", true),
        privilege("SELECT", "`d`.*", false),
        Right::GrantOption { on: "`d`.*".to_owned() },
        privilege("SELECT (`a ON b`)", "`d`.`t TO u`", false),
        privilege("SELECT (`c)`)", "`d`.`t TO u`", false),
        privilege("UPDATE", "`d`.`t TO u`", false),
        privilege("EXECUTE", "PROCEDURE `d`.`p`", false),
        privilege("PROXY", "`l`@`%`", false),
        role("`r1`@`%`"),
        role("`r2`@`%`"),
        Right::Withheld { what: "INSERT".to_owned(), on: "`mysql`.*".to_owned() },
    ]);
    assert_eq!(rights(LINES), expected);
}

#[test]
fn hashes_and_conditions_are_no_rights() {
    let line = "GRANT ALL PRIVILEGES ON *.* TO `a`@`127.0.0.%` IDENTIFIED BY PASSWORD '*GRANT OPTION' \
                REQUIRE SSL WITH GRANT OPTION MAX_USER_CONNECTIONS 5";
    let read = rights(&[line]);
    assert_eq!(read.len(), 2, "{read:?}");
    assert!(everywhere(&read, "CREATE USER"));
    let line = "GRANT USAGE ON *.* TO 'a'@'127.0.0.%' IDENTIFIED BY PASSWORD 'WITH GRANT OPTION'";
    assert_eq!(rights(&[line]), Rights::new());
}

#[test]
fn what_is_nobodys_is_not_understood() {
    assert_eq!(read(["GRANT SELECT ON *.* TO `b`@`%`"], &account("a")), None);
    assert_eq!(read(["GRANT SELECT"], &account("a")), None);
    assert_eq!(read([], &account("a")), None);
}

#[test]
fn differences_go_both_ways() {
    let to = |tail: &str| format!("{tail} TO `a`@`127.0.0.%`");
    #[rustfmt::skip]
    let cases: &[(&[String], &[String], &[&str])] = &[
        (&[to("GRANT SELECT, INSERT ON `d`.*")], &[to("GRANT SELECT, DELETE ON `d`.*")],
         &["REVOKE INSERT ON `d`.* FROM `b`@`127.0.0.%`", "GRANT DELETE ON `d`.* TO `b`@`127.0.0.%`"]),
        // All of them again: what was had can't be told apart.
        (&[to("GRANT ALL PRIVILEGES ON `d`.*")], &[to("GRANT SELECT ON `d`.*")],
         &["REVOKE ALL PRIVILEGES ON `d`.* FROM `b`@`127.0.0.%`", "GRANT SELECT ON `d`.* TO `b`@`127.0.0.%`"]),
        (&[to("GRANT SELECT ON `d`.*")], &[to("GRANT ALL PRIVILEGES ON `d`.*")],
         &["GRANT ALL PRIVILEGES ON `d`.* TO `b`@`127.0.0.%`"]),
        (&[to("GRANT USAGE ON *.*")], &[to("GRANT SELECT ON `d`.*") + " WITH GRANT OPTION"],
         &["GRANT SELECT ON `d`.* TO `b`@`127.0.0.%`", "GRANT GRANT OPTION ON `d`.* TO `b`@`127.0.0.%`"]),
        (&[to("GRANT SELECT ON `d`.*") + " WITH GRANT OPTION"], &[to("GRANT SELECT ON `d`.*")],
         &["REVOKE GRANT OPTION ON `d`.* FROM `b`@`127.0.0.%`"]),
        (&[to("GRANT `r1`@`%`")], &[to("GRANT `r2`@`%`") + " WITH ADMIN OPTION"],
         &["REVOKE `r1`@`%` FROM `b`@`127.0.0.%`", "GRANT `r2`@`%` TO `b`@`127.0.0.%` WITH ADMIN OPTION"]),
        (&[to("GRANT SELECT ON *.*")], &[to("GRANT SELECT ON *.*"), "REVOKE SELECT ON `m`.* FROM `a`@`127.0.0.%`".to_owned()],
         &["REVOKE SELECT ON `m`.* FROM `b`@`127.0.0.%`"]),
        (&[to("GRANT SELECT ON *.*"), "REVOKE SELECT ON `m`.* FROM `a`@`127.0.0.%`".to_owned()], &[to("GRANT USAGE ON *.*")],
         &["GRANT SELECT ON `m`.* TO `b`@`127.0.0.%`", "REVOKE SELECT ON *.* FROM `b`@`127.0.0.%`"]),
    ];
    for (from, to, expected) in cases {
        let strings = |it: &[String]| read(it.iter().map(String::as_str), &account("a"));
        let (from, to) = (strings(from).expect("rights"), strings(to).expect("rights"));
        assert_eq!(between(&from, &to, &account("b")), *expected);
    }
    let all = rights(LINES);
    assert!(between(&all, &all, &account("b")).is_empty());
}

proptest::proptest! {
    /// Whatever a server says is read or not, and what is read of two users leads from one to the other.
    #[test]
    fn anything_is_read_or_refused(
        lines in proptest::collection::vec("(GRANT|REVOKE) [A-Z_`'(), ]{0,20}( ON [`a-z.* ]{1,9})?( TO | FROM )`a`@`127.0.0.%`.{0,30}", 0..6),
        noise in ".{0,60}",
    ) {
        let lines = lines.iter().map(String::as_str).chain([noise.as_str()]);
        if let Some(rights) = read(lines, &account("a")) {
            let wanted = rights.iter().filter(|it| !matches!(it, Right::Withheld { .. })).count();
            let statements = between(&Rights::new(), &rights, &account("b"));
            proptest::prop_assert!(wanted <= statements.len());
            proptest::prop_assert!(between(&rights, &rights, &account("b")).is_empty());
        }
    }
}
