//! What it costs to ask whether somebody may read a secret: `cargo bench -p strongroom-secrets`.
//!
//! A session of a role with ten policies of three to six statements each and a session policy; a secret with
//! a policy of its own, under a customer key with its policy. Rows are those of the embedded store, as a
//! server reads them: the generation that says whether the caller's policies are still what they were, the
//! secret's policy, the key and what is granted on it. The policies themselves are compiled before, as they
//! are after a caller's first request. Nothing is found early: what allows stands last.

use base::{Region, SystemEntropy, Timestamp, Uuid};
use envelope::{Key, Keyring, LocalRoot, Roots};
use policy::engine::{Attached, Grammar, MapContext, Policy};
use serde_json::json;
use service::{Access, Action, Call, Caller, Held, Kind, Ports, Session, Source, Target, Turns};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::Backend;
use store::backends::embedded::{Embedded, Options};
use testkit::{PaperTrail, signed};

const BATCHES: u32 = 40;
const ROUNDS: u32 = 5_000;
const SECRET: &str = "arn:aws:secretsmanager:us-east-1:111122223333:secret:prod/db-AbCdEf";
const READ: Action = Action("secretsmanager:GetSecretValue");
const OPEN: Action = Action("kms:Decrypt");

type Failure = Box<dyn std::error::Error>;

/// Prints the time of one `act` in the fastest batch: what it costs when nothing else runs.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
#[expect(clippy::print_stdout, reason = "a bench tells")]
async fn measure<T>(
    what: &str,
    mut act: impl AsyncFnMut() -> Result<T, Failure>,
) -> Result<(), Failure> {
    let mut best = Duration::MAX;
    for _ in 0..BATCHES {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            black_box(act().await?);
        }
        best = best.min(start.elapsed());
    }
    println!("{what:<52} {:>8} ns", (best / ROUNDS).as_nanos());
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let store = Embedded::open(folder.path(), Options::default())?;
    let (entropy, now) = (SystemEntropy, Timestamp::from_secs(1_800_000_000));
    let root = LocalRoot::new("bench", Key::random(&entropy))?;
    let keyring = Keyring::new(Roots::only(Arc::new(root)));
    kms::initialize(&store, &keyring, &entropy, now).await?;
    let (region, source): (Region, _) = ("us-east-1".parse()?, source());
    let (caller, access) = (caller()?, access()?);
    let call = |caller, access| -> Result<Call<'_>, Failure> {
        let proof = signed(now, b"").ok_or("not signed")?;
        let when = (now, Uuid::random(&entropy));
        Ok(Call::new(proof, (caller, access), (&region, &source), when, (&entropy, &keyring)))
    };
    let (owner, all) = (testkit::caller("111122223333")?, testkit::administrator()?);
    let key = key(&call(&owner, &all)?, &store).await?;

    let call = call(&caller, &access)?;
    let own = Policy::compile(OWN, Grammar::Resource)?;
    let own = [Attached { id: "secret", policy: &own }];
    let tags = MapContext::new().with("aws:ResourceTag/team", "prod");
    let target =
        Target { policies: &own, keys: &tags, ..Target::of(&caller.account, Some(SECRET)) };
    let context =
        [("SecretARN", SECRET), ("SecretVersionId", "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE")];
    let forwarded = call.forwarded("secretsmanager.amazonaws.com");
    let place = kms::Place::in_region(&caller.account, &region);

    measure("the generation of the caller's policies", async || {
        let mut txn = store::begin(&store);
        Ok(identity::generation(&mut txn, &caller.account).await?)
    })
    .await?;
    measure("the secret, 10 + 2 policies", async || Ok(call.authorize(READ, target)?)).await?;
    measure("its key, 10 + 2 policies", async || {
        let mut txn = store::begin(&store);
        let (key, _) = kms::resolve(&mut txn, place, &key).await?;
        Ok(kms::authorize(&forwarded, &mut txn, (&key, None), OPEN, &context).await?)
    })
    .await?;
    measure("all of it, in one transaction", async || {
        let mut txn = store::begin(&store);
        let generation = identity::generation(&mut txn, &caller.account).await?;
        let permit = call.authorize(READ, target)?;
        let (key, _) = kms::resolve(&mut txn, place, &key).await?;
        let second = kms::authorize(&forwarded, &mut txn, (&key, None), OPEN, &context).await?;
        Ok((generation, permit, second))
    })
    .await
}

/// A customer key with a policy of its own; its id.
async fn key(call: &Call<'_>, store: &dyn Backend) -> Result<String, Failure> {
    let row = kms::OPERATIONS.iter().find(|it| it.name == "CreateKey").ok_or("no CreateKey")?;
    let (trail, turns) = (PaperTrail::default(), Turns::default());
    let body = json!({ "Policy": OWN, "Tags": [{ "TagKey": "team", "TagValue": "prod" }] });
    let ports = Ports { backend: store, trail: &trail, turns: &turns };
    let reply = row.serve(call, body.to_string().as_bytes(), ports).await;
    let answer: serde_json::Value = serde_json::from_slice(reply.body.as_slice())?;
    let id = answer.pointer("/KeyMetadata/KeyId").and_then(serde_json::Value::as_str);
    Ok(id.ok_or_else(|| answer.to_string())?.to_owned())
}

fn source() -> Source {
    let (address, user_agent) = ("203.0.113.9".to_owned(), "bench".to_owned());
    Source { address, user_agent, ..Source::default() }
}

fn caller() -> Result<Caller, Failure> {
    let tags = BTreeMap::from([("team".to_owned(), "prod".to_owned())]);
    let at = Timestamp::from_secs(1_800_000_000);
    Ok(Caller {
        account: "111122223333".parse()?,
        arn: "arn:aws:sts::111122223333:assumed-role/app/s1".to_owned(),
        principal_id: "AROAQ3EGVEXAMPLE0123A:s1".to_owned(),
        user_name: "app".to_owned(),
        access_key_id: "ASIAEXAMPLE000000001".to_owned(),
        kind: Kind::RoleSession {
            role_arn: "arn:aws:iam::111122223333:role/app".to_owned(),
            role_id: "AROAQ3EGVEXAMPLE0123A".to_owned(),
        },
        session: Some(Session {
            issued: at,
            expires: at.plus(Duration::from_hours(1)),
            mfa: None,
            source_identity: None,
            provider: None,
            tags,
            transitive: Vec::new(),
            chained: false,
        }),
    })
}

fn access() -> Result<Access, Failure> {
    let held = |index| -> Result<Held, Failure> {
        let policy = Policy::compile(&held_text(index), Grammar::Identity)?;
        Ok(Held::new("held", Arc::new(policy)))
    };
    let session = Policy::compile(SESSION, Grammar::Session)?;
    Ok(Access {
        identity: (0..10).map(held).collect::<Result<_, _>>()?,
        session: Some(vec![Held::new("session", Arc::new(session))]),
        tags: BTreeMap::from([("team".to_owned(), "prod".to_owned())]),
        ..Access::default()
    })
}

/// Three to six statements. Those of the last policy allow what is asked.
fn held_text(index: usize) -> String {
    let of_secrets = if index == 9 { "prod/*" } else { "other/*" };
    let own = format!(
        r#"{{"Effect":"Allow","Action":["secretsmanager:DescribeSecret","secretsmanager:Get*"],
            "Resource":"arn:aws:secretsmanager:*:111122223333:secret:{of_secrets}",
            "Condition":{{"StringEquals":{{"aws:ResourceTag/team":"${{aws:PrincipalTag/team}}"}}}}}},
           {{"Effect":"Allow","Action":["kms:Decrypt","kms:DescribeKey"],
            "Resource":"arn:aws:kms:*:111122223333:key/*",
            "Condition":{{"StringLike":{{"kms:ViaService":"secretsmanager.*.amazonaws.com"}}}}}}"#
    );
    let others = [
        r#"{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:ListBucket"],"Resource":"arn:aws:s3:::data/*"}"#,
        r#"{"Effect":"Allow","Action":["ec2:Describe*","rds:Describe*"],"Resource":"*"}"#,
        r#"{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}"#,
        r#"{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:PutLogEvents"],"Resource":"*"}"#,
    ];
    let some: Vec<_> = others.iter().take(index % 4 + 1).copied().collect();
    format!(r#"{{"Version":"2012-10-17","Statement":[{},{own}]}}"#, some.join(","))
}

const SESSION: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["secretsmanager:*","kms:Decrypt"],"Resource":"*"},
    {"Effect":"Deny","Action":"secretsmanager:Delete*","Resource":"*"}]}"#;

const OWN: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Sid":"Root","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["secretsmanager:*","kms:*"],"Resource":"*"},
    {"Effect":"Allow","Principal":{"AWS":["777788889999","444455556666"]},
     "Action":"secretsmanager:GetSecretValue","Resource":"*"},
    {"Effect":"Deny","Principal":"*","Action":"*","Resource":"*",
     "Condition":{"Bool":{"aws:ViaAWSService":"false"},
                  "NotIpAddress":{"aws:SourceIp":["203.0.113.0/24","198.51.100.0/24"]}}}]}"#;
