//! Policy documents, as each kind of policy.

use policy::engine::{
    Attached, Caller, CallerKind, Grammar, MapContext, Policies, Policy, Request, decide, explain,
};
use policy::{Document, pretty};

/// Takes `input` for a policy of each kind.
///
/// Whatever is accepted can be asked, says where its statements stand, and is explained as it is
/// decided. A refusal is short and plain. What a resource may have as its policy can be asked.
pub fn policy_compile(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    for grammar in GRAMMARS {
        match Policy::compile(text, grammar) {
            Ok(compiled) => {
                positions(text, &compiled);
                asked(&compiled);
            }
            Err(malformed) => {
                let message = malformed.to_string();
                let shown = format!("{message} {}", malformed.detail());
                assert!(shown.len() < 8192 && !shown.contains(char::is_control), "{shown}");
            }
        }
    }
    if Document::parse(text).is_ok() {
        for grammar in [Grammar::Resource, Grammar::Key] {
            assert!(Policy::compile(text, grammar).is_ok());
            let printed = pretty(text).expect("a policy is JSON");
            if printed.chars().count() <= LONGEST {
                assert!(Policy::compile(&printed, grammar).is_ok());
            }
        }
    }
}

fn positions(text: &str, compiled: &Policy) {
    assert!(compiled.size() <= text.chars().count());
    let mut end = 0;
    for statement in compiled.statements() {
        let span = statement.span();
        assert!(end <= span.bytes.0, "statements stand one after the other");
        end = span.bytes.1;
        let spelled = text.get(span.bytes.0..end).expect("a piece of the text");
        assert!(spelled.starts_with('{') && spelled.ends_with('}'), "{spelled}");
        assert!(span.start.line >= 1 && span.start.column >= 1 && span.start.line <= span.end.line);
    }
}

fn asked(compiled: &Policy) {
    let account = "111122223333".parse().expect("an account");
    let context =
        MapContext::new().with("aws:PrincipalTag/team", "*").with_many("aws:TagKeys", ["a"]);
    let request = Request {
        caller: Caller {
            account: &account,
            arn: "arn:aws:iam::111122223333:user/alice",
            kind: CallerKind::User { id: "AIDAQ3EGVEXAMPLEALICE" },
        },
        action: "secretsmanager:GetSecretValue",
        resource: Some("arn:aws:secretsmanager:us-east-1:111122223333:secret:app/db-a1b2c3"),
        resource_account: &account,
        context: &context,
    };
    let attached = [Attached { id: "it", policy: compiled }];
    for policies in [
        Policies { identity: &attached, ..Policies::default() },
        Policies { resource: &attached, ..Policies::default() },
    ] {
        let decision = decide(&request, &policies);
        let why = explain(&request, &policies);
        assert_eq!(why.decision == "allowed", decision.is_allow());
        let denied = why.statements.iter().any(|it| it.applies && it.effect == "Deny");
        assert_eq!(why.decision == "explicitDeny", denied);
    }
}

const GRAMMARS: [Grammar; 9] = [
    Grammar::Boundary,
    Grammar::Endpoint,
    Grammar::Identity,
    Grammar::Key,
    Grammar::Resource,
    Grammar::ResourceControl,
    Grammar::ServiceControl,
    Grammar::Session,
    Grammar::Trust,
];

/// The longest text that can be read.
const LONGEST: usize = 8 * 20_480;
