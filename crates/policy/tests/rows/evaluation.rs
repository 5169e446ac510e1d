//! Table: what the policies say to a request, case by case as specified. The numbers are the
//! specification's.

use crate::support::*;
use strongroom_policy::PolicyKind as Kind;
use strongroom_policy::Reason::{self, Explicit, Implicit};
use strongroom_policy::engine::Pins;

const ALLOW: Option<Reason> = None;
const IB: Option<Reason> = Some(Implicit(Kind::Identity));
const RB: Option<Reason> = Some(Implicit(Kind::Resource));
const NO_BOUNDARY: Option<Reason> = Some(Implicit(Kind::PermissionsBoundary));
const NO_SESSION: Option<Reason> = Some(Implicit(Kind::Session));
const NO_SCP: Option<Reason> = Some(Implicit(Kind::ServiceControl));
const NO_TRUST: Option<Reason> = Some(Implicit(Kind::RoleTrust));
const NO_ENDPOINT: Option<Reason> = Some(Implicit(Kind::Endpoint));
const ED_IDENTITY: Option<Reason> = Some(Explicit(Kind::Identity));
const ED_RESOURCE: Option<Reason> = Some(Explicit(Kind::Resource));
const ED_RCP: Option<Reason> = Some(Explicit(Kind::ResourceControl));
const ED_TRUST: Option<Reason> = Some(Explicit(Kind::RoleTrust));

const ID: &str = r#"{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*"}"#;
const ID_DENY: &str =
    r#"{"Effect":"Deny","Action":"secretsmanager:GetSecretValue","Resource":"*"}"#;
const OTHER: &str = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
const ALL: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
const EVERYONE: &str = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;

/// A statement of a resource policy, for `effect`, about `principal` under `AWS`.
fn rp(effect: &str, principal: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Principal":{{"AWS":"{principal}"}},
            "Action":["secretsmanager:*","kms:*"],"Resource":"*"}}"#
    )
}

fn allow(principal: &str) -> String {
    rp("Allow", principal)
}

fn check(cases: impl IntoIterator<Item = (&'static str, Ask, Option<Reason>)>) {
    for (row, ask, expected) in cases {
        assert_eq!(ask.refusal(), expected, "row {row}");
        // The same matching code says why.
        ask.explain(|why| {
            assert_eq!(why.decision == "allowed", expected == ALLOW, "row {row}");
            for it in &why.statements {
                let parts = it.action && it.resource && it.principal;
                let holds = it.conditions.iter().all(|it| it.holds);
                assert_eq!(it.applies, parts && holds, "row {row}: {it:?}");
            }
        });
    }
}

#[test]
fn one_account() {
    let alice = ALICE.arn();
    let root = "arn:aws:iam::111122223333:root";
    check([
        ("1", gsv(ALICE), IB),
        ("2", gsv(ALICE).identity(ID), ALLOW),
        ("3", gsv(ALICE).resource(&allow(&alice)), ALLOW),
        ("4 id", gsv(ALICE).resource(&allow(A)), IB),
        ("4 root", gsv(ALICE).resource(&allow(root)), IB),
        ("5", gsv(ALICE).resource(&allow(root)).identity(ID), ALLOW),
        ("6", gsv(ALICE).resource(&allow("*")), ALLOW),
        ("7", gsv(ALICE).identity(ID).resource(&rp("Deny", &alice)), ED_RESOURCE),
        ("8", gsv(ALICE).identity(ID_DENY).resource(&allow(&alice)), ED_IDENTITY),
        ("9", gsv(ALICE).boundary(OTHER).resource(&allow(&alice)), ALLOW),
        ("10", gsv(ALICE).boundary(OTHER).identity(ID), NO_BOUNDARY),
        ("11", gsv(ALICE).boundary(ID), IB),
        ("20", gsv(ALICE).identity(ID).level(&[ALL]).level(&[OTHER]), NO_SCP),
        ("20 both", gsv(ALICE).identity(ID).level(&[ALL]).level(&[OTHER, ID]), ALLOW),
        ("20 above", gsv(ALICE).identity(ID).level(&[OTHER]).level(&[ALL]), NO_SCP),
        ("20 empty level", gsv(ALICE).identity(ID).level(&[]), NO_SCP),
        (
            "20 deny",
            gsv(ALICE).identity(ID).level(&[ALL, ID_DENY]),
            Some(Explicit(Kind::ServiceControl)),
        ),
        ("21", gsv(ALICE).identity(ID), ALLOW), // the management account has no levels
        ("23", gsv(Whom::Root(A)), ALLOW),
        ("23 deny", gsv(Whom::Root(A)).resource(&rp("Deny", root)), ED_RESOURCE),
        ("23 capped", gsv(Whom::Root(A)).level(&[OTHER]), NO_SCP),
    ]);
}

#[test]
fn sessions() {
    let (role, s1) = ("arn:aws:iam::111122223333:role/team/app", S1.arn());
    let by_arn = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*",
        "Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/team/*"}}}"#;
    let lenient = by_arn.replace("ArnLike", "ArnLikeIfExists");
    let named = by_arn.replace(r#""Principal":"*""#, &format!(r#""Principal":{{"AWS":"{role}"}}"#));
    check([
        ("12", gsv(S1).resource(&allow(role)), ALLOW),
        ("13", gsv(S1).resource(&allow(role)).boundary(OTHER), NO_BOUNDARY),
        ("13 session", gsv(S1).resource(&allow(role)).session(OTHER), NO_SESSION),
        ("14", gsv(S1).resource(&allow(&s1)).boundary(OTHER), ALLOW),
        ("14 session", gsv(S1).resource(&allow(&s1)).session(OTHER), ALLOW),
        ("15", gsv(Whom::Session(A, "s2")).resource(&allow(&s1)), IB),
        ("16", gsv(S1).identity(ID).session(OTHER), NO_SESSION),
        ("16 one of two", gsv(S1).identity(ID).session(OTHER).session(ID), ALLOW),
        ("17", gsv(S1).session(ID), IB),
        ("everyone under a cap", gsv(S1).resource(&allow("*")).boundary(OTHER), NO_BOUNDARY),
        ("everyone of an ARN", gsv(S1).resource(by_arn).boundary(OTHER), ALLOW),
        ("everyone, perhaps", gsv(S1).resource(&lenient).boundary(OTHER), NO_BOUNDARY),
        ("a role and its ARN", gsv(S1).resource(&named).boundary(OTHER), NO_BOUNDARY),
        ("18", gsv(Whom::Federated).identity(ID), NO_SESSION),
        ("18 with policy", gsv(Whom::Federated).identity(ID).session(ID), ALLOW),
        ("18 named", gsv(Whom::Federated).resource(&allow(&Whom::Federated.arn())), ALLOW),
        ("18 user named", gsv(Whom::Federated).resource(&allow(&ALICE.arn())), NO_SESSION),
    ]);
}

#[test]
fn not_principal() {
    let but = |listed: &str| {
        format!(
            r#"{{"Effect":"Deny","NotPrincipal":{{"AWS":[{listed}]}},"Action":"*","Resource":"*"}}"#
        )
    };
    let role = r#""arn:aws:iam::111122223333:role/team/app""#;
    let (session, account) = (format!("\"{}\"", S1.arn()), format!("\"{A}\""));
    let alice = format!("\"{}\"", ALICE.arn());
    let whole = but(&[role, &session, &account].join(","));
    let user = but(&[&*alice, &account].join(","));
    let allow_but = r#"{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/bob"},
        "Action":"*","Resource":"*"}"#;
    check([
        ("19", gsv(BOB).identity(ID).resource(&but(&[role, &account].join(","))), ED_RESOURCE),
        (
            "19 session",
            gsv(S1).identity(ID).resource(&but(&[role, &account].join(","))),
            ED_RESOURCE,
        ),
        (
            "19 no account",
            gsv(S1).identity(ID).resource(&but(&[role, &session].join(","))),
            ED_RESOURCE,
        ),
        ("19 whole", gsv(S1).identity(ID).resource(&whole), ALLOW),
        ("19 bounded", gsv(S1).identity(ID).boundary(ID).resource(&whole), ED_RESOURCE),
        ("19 user", gsv(ALICE).identity(ID).resource(&user), ALLOW),
        ("19 user alone", gsv(ALICE).identity(ID).resource(&but(&alice)), ED_RESOURCE),
        ("19 everyone", gsv(ALICE).identity(ID).resource(&but("\"*\"")), ALLOW),
        ("19 allow", gsv(ALICE).resource(allow_but), ALLOW),
        ("19 allow listed", gsv(BOB).resource(allow_but), IB),
    ]);
}

#[test]
fn organizations_services_and_endpoints() {
    let outside = r#"{"Effect":"Deny","Principal":"*","Action":"secretsmanager:GetSecretValue",
        "Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-a"}}}"#;
    let service = r#"{"Effect":"Allow","Principal":{"Service":"backup.amazonaws.com"},"Action":"*",
        "Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}}"#;
    let both = || gsv(CAROL).identity(ID).resource(&allow(B));
    let backup = || gsv(Whom::Service("backup.amazonaws.com"));
    let deny_all = r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#;
    let me = || gsv(ALICE).action("sts:GetCallerIdentity").on_nothing();
    check([
        ("22", both().resource_control(outside).with("aws:PrincipalOrgID", "o-b"), ED_RCP),
        ("22 none", both().resource_control(outside), ED_RCP),
        ("22 inside", both().resource_control(outside).with("aws:PrincipalOrgID", "o-a"), ALLOW),
        ("24 A", backup().resource(service).with("aws:SourceAccount", A), ALLOW),
        ("24 B", backup().resource(service).with("aws:SourceAccount", B), RB),
        (
            "24 other",
            gsv(Whom::Service("s3.amazonaws.com")).resource(service).with("aws:SourceAccount", A),
            RB,
        ),
        ("24 account", backup().resource(&allow(A)), RB),
        ("24 identity", backup().identity(ID), RB),
        ("25", me().identity(deny_all), ALLOW),
        ("25 token", me().action("sts:GetSessionToken"), ALLOW),
        ("25 token denied", me().action("sts:GetSessionToken").identity(deny_all), ED_IDENTITY),
        ("endpoint silent", gsv(ALICE).identity(ID).endpoint(&allow(B)), NO_ENDPOINT),
        ("endpoint", gsv(ALICE).identity(ID).endpoint(EVERYONE), ALLOW),
        (
            "endpoint denies",
            gsv(ALICE).identity(ID).endpoint(&rp("Deny", "*")),
            Some(Explicit(Kind::Endpoint)),
        ),
    ]);
}

#[test]
fn which_denial_is_named() {
    let deny = rp("Deny", "*");
    let rcp = r#"{"Effect":"Deny","Principal":"*","Action":"secretsmanager:*","Resource":"*"}"#;
    let identity = || gsv(S1).identity(ID_DENY);
    let session = || identity().session(ID_DENY);
    let boundary = || session().boundary(ID_DENY);
    let resource = || boundary().resource(&deny);
    let endpoint = || resource().endpoint(&deny);
    check([
        ("identity", identity(), ED_IDENTITY),
        ("session", session(), Some(Explicit(Kind::Session))),
        ("boundary", boundary(), Some(Explicit(Kind::PermissionsBoundary))),
        ("resource", resource(), ED_RESOURCE),
        ("endpoint", endpoint(), Some(Explicit(Kind::Endpoint))),
        ("rcp", endpoint().resource_control(rcp), ED_RCP),
        (
            "scp",
            endpoint().resource_control(rcp).level(&[ID_DENY]),
            Some(Explicit(Kind::ServiceControl)),
        ),
        ("none allows", gsv(S1).session(OTHER).boundary(OTHER), NO_BOUNDARY),
        ("nor the endpoint", gsv(S1).session(OTHER).endpoint(&allow(B)), NO_ENDPOINT),
        ("nor the organization", gsv(S1).endpoint(&allow(B)).level(&[OTHER]), NO_SCP),
    ]);
}

#[test]
fn across_accounts() {
    let role = "arn:aws:iam::444455556666:role/team/app";
    let session = || gsv(Whom::Session(B, "s1"));
    check([
        ("26", gsv(CAROL).identity(ID), RB),
        ("27", session().resource(&allow(role)), IB),
        ("27 both", session().resource(&allow(role)).identity(ID), ALLOW),
        ("27 session", session().resource(&allow(&Whom::Session(B, "s1").arn())), IB),
        ("28", gsv(CAROL).resource(&allow(B)).identity(ID), ALLOW),
        ("28 everyone", gsv(CAROL).resource(&allow("*")).identity(ID), ALLOW),
        (
            "28 capped",
            gsv(CAROL).resource(&allow(&CAROL.arn())).identity(ID).boundary(OTHER),
            NO_BOUNDARY,
        ),
        ("29", gsv(CAROL).resource(&allow("*")), IB),
        ("root", gsv(Whom::Root(B)).resource(&allow(B)), ALLOW),
        ("root alone", gsv(Whom::Root(B)), RB),
        ("32", decrypt(CAROL).resource(&allow(A)).identity(ALL), RB),
        ("33", decrypt(CAROL).resource(&allow(B)).identity(ID), IB),
        ("34", decrypt(CAROL).resource(&allow(B)).identity(ALL), ALLOW),
    ]);
}

#[test]
fn a_name_means_who_had_it_at_saving() {
    let role = "arn:aws:iam::111122223333:role/team/app";
    let pins = |id: String| Pins::from_iter([(role.to_owned(), id)]);
    let dead = pins("AROADEADDEADDEADDEAD0".into());
    let bare = format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"{}"}},"Action":"*"}}"#, S1.id());
    let by_text = r#"{"Effect":"Allow","Principal":"*","Action":"*","Condition":{"ArnEquals":
        {"aws:PrincipalArn":"arn:aws:iam::111122223333:role/team/app"}}}"#;
    check([
        ("70 alive", gsv(S1).pinned(&allow(role), &pins(S1.id())), ALLOW),
        ("70", gsv(S1).pinned(&allow(role), &dead), IB),
        ("70 bare id", gsv(S1).resource(&bare), ALLOW),
        ("70 denied by text", gsv(S1).identity(ID).pinned(&rp("Deny", role), &dead), ALLOW),
        ("70 condition", gsv(S1).resource(by_text), ALLOW),
    ]);
}

#[test]
fn assuming_a_role() {
    let trust = |principal: &str, effect: &str| {
        format!(
            r#"{{"Effect":"{effect}","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"}}"#
        )
    };
    let external = r#"{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole",
        "Condition":{"StringEquals":{"sts:ExternalId":"Xq"}}}"#;
    let web = r#"{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/id.example.org"},
        "Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"id.example.org:sub":"ci"}}}"#;
    let allow = |principal: &str| trust(principal, "Allow");
    let token = || {
        assume(Whom::Web("arn:aws:iam::111122223333:oidc-provider/id.example.org"))
            .action("sts:AssumeRoleWithWebIdentity")
    };
    let carol = || assume(CAROL).identity(ALL).resource(external);
    let any = r#"{"Effect":"Allow","Principal":"*","Action":"sts:*"}"#;
    check([
        ("95", assume(ALICE).resource(&allow(&ALICE.arn())), ALLOW),
        ("96", assume(ALICE).resource(&allow(A)), IB),
        ("96 both", assume(ALICE).resource(&allow(A)).identity(ALL), ALLOW),
        ("97", assume(ALICE).resource(&allow(B)).identity(ALL), NO_TRUST),
        ("98", assume(S1).resource(&allow(&ALICE.arn())).identity(ALL), NO_TRUST),
        ("98 named", assume(S1).resource(&allow(ROLE)), ALLOW),
        ("99", carol(), NO_TRUST),
        ("99 wrong", carol().with("sts:ExternalId", "xq"), NO_TRUST),
        ("99 right", carol().with("sts:ExternalId", "Xq"), ALLOW),
        ("deny", assume(ALICE).resource(&[allow(A), trust(A, "Deny")].join(",")).identity(ALL), ED_TRUST),
        ("104", token().resource(web).with("id.example.org:sub", "dev"), NO_TRUST),
        ("104 right", token().resource(web).with("id.example.org:sub", "ci"), ALLOW),
        ("104 everyone is no provider", token().resource(any), NO_TRUST),
        (
            "104 everyone at an endpoint",
            token().resource(web).with("id.example.org:sub", "ci").endpoint(EVERYONE),
            ALLOW,
        ),
        ("a service", assume(Whom::Service("lambda.amazonaws.com")).resource(
            r#"{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}"#,
        ), ALLOW),
    ]);
}

#[test]
fn keys() {
    let default = allow(A);
    let describe = r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:Describe*","Resource":"*"}"#;
    let via = r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:Decrypt","Resource":"*","Condition":
        {"StringEquals":{"kms:ViaService":"secretsmanager.us-east-1.amazonaws.com","kms:CallerAccount":"111122223333"}}}"#;
    let alias = r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:us-east-1:111122223333:alias/app"}"#;
    let by_alias = r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":
        {"ForAnyValue:StringEquals":{"kms:ResourceAliases":"alias/app"}}}"#;
    let secret = r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":
        {"StringEquals":{"kms:EncryptionContext:SecretARN":"arn:aws:secretsmanager:us-east-1:111122223333:secret:app/db-a1b2c3"}}}"#;
    // What SecretsManagerReadWrite has of keys.
    let managed = r#"{"Sid":"BasePermissions","Effect":"Allow","Resource":"*","Action":
        ["secretsmanager:*","kms:DescribeKey","kms:ListAliases","kms:ListKeys"]}"#;
    let carol_b = || decrypt(Whom::Session(B, "s1")).granted().resource(&default);
    let mine = || decrypt(ALICE).resource(via).with("kms:CallerAccount", A);
    let dead = r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*"}"#;
    check([
        (
            "64",
            decrypt(ALICE)
                .resource(&default)
                .identity(secret)
                .with("kms:EncryptionContext:SecretARN", SECRET),
            ALLOW,
        ),
        (
            "64 other",
            decrypt(ALICE)
                .resource(&default)
                .identity(secret)
                .with("kms:EncryptionContext:SecretARN", KEY),
            IB,
        ),
        ("79", decrypt(ALICE).resource(&default).identity(managed), IB),
        (
            "80",
            mine()
                .identity(managed)
                .with("kms:ViaService", "secretsmanager.us-east-1.amazonaws.com"),
            ALLOW,
        ),
        ("112", decrypt(ALICE).resource(&allow(B)).identity(ALL), RB),
        ("112 root", decrypt(Whom::Root(A)).resource(&allow(B)), RB),
        ("113", decrypt(ALICE).resource(&default), IB),
        ("114", decrypt(ALICE).resource(&default).identity(ALL), ALLOW),
        ("115", decrypt(ALICE).resource(&allow(&ALICE.arn())), ALLOW),
        ("116", decrypt(ALICE).resource(describe).identity(ALL), RB),
        ("117", decrypt(ALICE).action("kms:PutKeyPolicy").resource(describe).identity(ALL), RB),
        (
            "117 kept",
            decrypt(ALICE).action("kms:PutKeyPolicy").resource(&default).identity(ALL),
            ALLOW,
        ),
        ("118", mine().identity(ALL), RB),
        (
            "118 forwarded",
            mine().with("kms:ViaService", "secretsmanager.us-east-1.amazonaws.com"),
            ALLOW,
        ),
        ("133", carol_b(), ALLOW),
        (
            "133 denied",
            carol_b().identity(r#"{"Effect":"Deny","Action":"kms:*","Resource":"*"}"#),
            ED_IDENTITY,
        ),
        ("133 capped", carol_b().session(OTHER), NO_SESSION),
        ("134", decrypt(ALICE).granted().resource(&rp("Deny", "*")), ED_RESOURCE),
        ("134 silent", decrypt(ALICE).granted().resource(&allow(B)), ALLOW),
        ("135", decrypt(ALICE).resource(&default).identity(alias), IB),
        (
            "136",
            decrypt(ALICE)
                .resource(&default)
                .identity(by_alias)
                .with_many("kms:ResourceAliases", &["alias/x", "alias/app"]),
            ALLOW,
        ),
        ("136 none", decrypt(ALICE).resource(&default).identity(by_alias), IB),
        ("without resource", decrypt(ALICE).resource(dead), RB),
    ]);
}
