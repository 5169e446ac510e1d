//! What a decision costs: `cargo bench -p strongroom-policy`.
//!
//! A session of a role with ten policies of three to six statements each, a resource policy, a key
//! policy and a session policy. Nothing is found early: what allows stands last.

use base::AccountId;
use std::hint::black_box;
use std::time::{Duration, Instant};
use strongroom_policy::engine::{
    Attached, Caller, CallerKind, Door, Grammar, Malformed, MapContext, Policies, Policy, Request,
    decide, explain,
};

const BATCHES: u32 = 40;
const ROUNDS: u32 = 5_000;
const SECRET: &str = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-AbCdEf";
const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// Prints the time of one `act` in the fastest batch: what it costs when nothing else runs.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
#[expect(clippy::print_stdout, reason = "a bench tells")]
fn measure<T>(what: &str, mut act: impl FnMut() -> T) {
    let mut best = Duration::MAX;
    for _ in 0..BATCHES {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            black_box(act());
        }
        best = best.min(start.elapsed());
    }
    println!("{what:<52} {:>8} ns", (best / ROUNDS).as_nanos());
}

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let account: AccountId = "111122223333".parse()?;
    let context = MapContext::new()
        .with("aws:PrincipalTag/team", "prod")
        .with("aws:ResourceTag/team", "prod")
        .with("aws:SecureTransport", "true")
        .with("aws:SourceIp", "203.0.113.9");
    let role_arn = "arn:aws:iam::111122223333:role/app";
    let kind = CallerKind::RoleSession { role_arn, role_id: "AROAQ3EGVEXAMPLE0123A" };
    let arn = "arn:aws:sts::111122223333:assumed-role/app/s1";
    let read = Request {
        caller: Caller { account: &account, arn, kind },
        action: "secretsmanager:GetSecretValue",
        resource: Some(SECRET),
        resource_account: &account,
        context: &context,
    };
    let open = Request { action: "kms:Decrypt", resource: Some(KEY), ..read };

    let held = (0..10).map(held).collect::<Result<Vec<_>, _>>()?;
    let identity: Vec<_> = held.iter().map(|policy| Attached { id: "held", policy }).collect();
    let session = Policy::compile(SESSION, Grammar::Session)?;
    let session = [Attached { id: "session", policy: &session }];
    let secret = Policy::compile(OWN, Grammar::Resource)?;
    let secret = [Attached { id: "secret", policy: &secret }];
    let key = Policy::compile(OWN, Grammar::Key)?;
    let key = [Attached { id: "key", policy: &key }];
    let of_secret = Policies {
        resource: &secret,
        identity: &identity,
        session: Some(&session),
        ..Policies::default()
    };
    let of_key = Policies { resource: &key, door: Door::Key { grant: false }, ..of_secret };
    if !decide(&read, &of_secret).is_allow() || !decide(&open, &of_key).is_allow() {
        return Err("the policies must allow".into());
    }

    measure("decide: a secret, 10 + 2 policies", || decide(&read, &of_secret));
    measure("decide: its key, 10 + 2 policies", || decide(&open, &of_key));
    measure("decide: both", || (decide(&read, &of_secret), decide(&open, &of_key)));
    measure("explain: a secret, 10 + 2 policies", || explain(&read, &of_secret));
    let text = held_text(9);
    measure("compile: a policy of 4 statements", || Policy::compile(&text, Grammar::Identity));
    Ok(())
}

fn held(index: usize) -> Result<Policy, Malformed> {
    Policy::compile(&held_text(index), Grammar::Identity)
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
            "Condition":{{"Bool":{{"aws:SecureTransport":"true"}}}}}}"#
    );
    let others = [
        r#"{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:ListBucket"],"Resource":"arn:aws:s3:::data/*"}"#,
        r#"{"Effect":"Allow","Action":["ec2:Describe*","rds:Describe*"],"Resource":"*"}"#,
        r#"{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#,
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
    {"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:role/other","444455556666"]},
     "Action":"secretsmanager:GetSecretValue","Resource":"*"},
    {"Effect":"Deny","Principal":"*","Action":"*","Resource":"*",
     "Condition":{"NotIpAddress":{"aws:SourceIp":["203.0.113.0/24","198.51.100.0/24"]}}}]}"#;
