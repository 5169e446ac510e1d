use super::*;
use std::os::unix::fs::PermissionsExt;

const HEAD: &str = "[server]\nendpoint = \"http://127.0.0.1:1\"\nregion = \"eu-west-1\"\n\
                    [identity]\nkind = \"access-key\"\nfile = \"/k\"\n\
                    [[listen]]\nat = \"127.0.0.1:2\"\noffers = [\"container\"]\n";

fn load(rules: &[&str]) -> Result<Rules, ConfigError> {
    let role = "role_arn = \"arn:aws:iam::111122223333:role/app\"\nsession_name = \"app\"\n";
    let workload = |it: &&str| format!("[[workload]]\n{}\n{role}", it.replace(", ", "\n"));
    let workloads = rules.iter().map(workload).collect::<Vec<_>>().concat();
    Rules::load(&Config::parse(&format!("{HEAD}{workloads}")).expect("well formed"))
}

fn caller(uid: u32, gid: u32, cgroup: &str) -> Caller {
    Caller { uid: Some(uid), gid: Some(gid), cgroup: Some(cgroup.to_owned()), pid: None }
}

fn token_file(content: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), content).expect("written");
    file
}

#[test]
fn the_most_specific_rule_wins_whatever_the_order() {
    let mut rules = vec![
        "uid = 1",
        "uid = 1, gid = 2",
        "uid = 1, gid = 2, cgroup = \"/a/**\"",
        "uid = 1, gid = 2, cgroup = \"/a/b\"",
        "uid = 7, endpoints = [\"imds\"]",
        "service_account = \"ns/app\"",
        "service_account = \"ns/app\", uid = 1",
    ];
    #[rustfmt::skip]
    let cases = [
        (Kind::Container,   caller(1, 1, "/x"),   None,           Some("uid = 1")),
        (Kind::Imds,        caller(1, 2, "/x"),   None,           Some("uid = 1, gid = 2")),
        (Kind::Container,   caller(1, 2, "/a/c"), None,           Some("uid = 1, gid = 2, cgroup = \"/a/**\"")),
        (Kind::Container,   caller(1, 2, "/a/b"), None,           Some("uid = 1, gid = 2, cgroup = \"/a/b\"")),
        (Kind::Container,   caller(2, 2, "/a/b"), None,           None),
        (Kind::Container,   caller(7, 2, "/a/b"), None,           None),
        (Kind::Imds,        caller(7, 2, "/a/b"), None,           Some("uid = 7, endpoints = [\"imds\"]")),
        (Kind::Container,   Caller::default(),    None,           None),
        (Kind::PodIdentity, Caller::default(),    Some("ns/app"), Some("service_account = \"ns/app\"")),
        (Kind::PodIdentity, caller(1, 1, "/x"),   Some("ns/app"), Some("service_account = \"ns/app\", uid = 1")),
        (Kind::PodIdentity, caller(1, 1, "/x"),   Some("ns/apq"), None),
        (Kind::PodIdentity, caller(1, 1, "/x"),   None,           None),
    ];
    for _ in 0..rules.len() {
        let loaded = load(&rules).expect("one answer for each caller");
        for (kind, caller, account, expected) in &cases {
            let proof = account.map_or(Proof::Nothing, Proof::ServiceAccount);
            let found = loaded.find(*kind, caller, &proof).map(|it| rules[it]);
            assert_eq!(found, *expected, "{kind:?} {caller:?} {proof:?}");
        }
        rules.rotate_left(1);
    }
}

#[test]
fn what_could_fit_one_caller_equally_stops_the_start() {
    #[rustfmt::skip]
    let cases: &[(&[&str], bool)] = &[
        (&["uid = 1", "uid = 1"],                                             false),
        (&["uid = 1", "gid = 1"],                                             false),
        (&["uid = 1", "gid = 1", "uid = 1, gid = 1"],                         false),
        (&["uid = 1", "cgroup = \"/a\""],                                     false),
        (&["cgroup = \"/a*\"", "cgroup = \"/*b\""],                           false),
        (&["uid = 1, cgroup = \"/**\"", "cgroup = \"/a\""],                   false),
        (&["service_account = \"a/b\"", "service_account = \"a/b\""],         false),
        (&["uid = 1", "uid = 2"],                                             true),
        (&["uid = 1, gid = 3", "gid = 4"],                                    true),
        (&["cgroup = \"/a*\"", "cgroup = \"/b*\""],                           true),
        (&["uid = 1, endpoints = [\"imds\"]", "gid = 1, endpoints = [\"container\"]"], true),
        (&["uid = 1", "service_account = \"a/b\""],                           true),
    ];
    for (rules, fine) in cases {
        assert_eq!(load(rules).is_ok(), *fine, "{rules:?}");
    }
    let error = load(&["uid = 1", "uid = 2", "gid = 1"]).expect_err("ambiguous");
    assert_eq!(
        error.to_string(),
        "`workload` 1 and `workload` 3 can fit the same caller, and neither is more specific: give \
         one of them everything the other asks for, and more"
    );
}

#[test]
fn a_token_chooses_and_a_wrong_one_is_not_overlooked() {
    let (one, two) = (token_file("token-token-one-"), token_file("token-token-two-"));
    let rule = |it: &tempfile::NamedTempFile| format!("token_file = \"{}\"", it.path().display());
    let (one, two) = (rule(&one), rule(&two));
    let rules = load(&[&one, &two, "uid = 1", &format!("{one}, uid = 1")]).expect("clear");
    let find = |token: Option<&str>, caller: &Caller| {
        let token = token.map(|it| Sensitive::from(it.to_owned()));
        let proof = token.as_ref().map_or(Proof::Nothing, Proof::Token);
        rules.find(Kind::Container, caller, &proof)
    };
    let local = caller(1, 1, "/x");
    assert_eq!(find(Some("token-token-one-"), &Caller::default()), Some(0));
    assert_eq!(find(Some("token-token-two-"), &Caller::default()), Some(1));
    assert_eq!(find(Some("token-token-two-"), &local), Some(1));
    assert_eq!(find(Some("token-token-one-"), &local), Some(3));
    assert_eq!(find(Some("token-token-six-"), &local), None, "not the rule without a token");
    assert_eq!(find(None, &local), Some(2));
    assert_eq!(find(None, &Caller::default()), None);
    assert!(load(&[&one, &one]).is_err(), "the same token twice");
}

#[test]
fn tokens_that_no_sdk_sends_or_anybody_reads_are_refused() {
    for content in
        ["short", "with-a-line-break\n", "with a blank in it", "", "né-né-né-né-né-né-né"]
    {
        let file = token_file(content);
        let rule = format!("token_file = \"{}\"", file.path().display());
        assert!(load(&[&rule]).is_err(), "{content:?}");
    }
    let file = token_file("token-token-one-");
    let rule = format!("token_file = \"{}\"", file.path().display());
    for (mode, fine) in [(0o600, true), (0o640, true), (0o644, false)] {
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).expect("mode");
        assert_eq!(load(&[&rule]).is_ok(), fine, "{mode:o}");
    }
}
