//! The four steps of a function that isn't ours. Source: rotation.md §1.8 and §2.1.

use crate::engine::Ground;
use crate::port::Hidden;
use crate::trouble::{During, Trouble};
use async_trait::async_trait;
use base::Sensitive;
use rotators::Credential;
use secrets::rotation::Kind;
use secrets::rotation::work::{self, Assignment};
use serde_json::{Value, json};

const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];
const TEST: &str = "testSecret";
const FINISH: &str = "finishSecret";

/// Has the function of `of` take its steps, one after the other.
pub(crate) async fn carry_out(ground: &Ground, of: &Assignment) -> Result<(), Trouble> {
    let steps = if of.job.kind == Kind::Test { &[TEST][..] } else { &STEPS };
    for step in steps {
        During::<()>::during(work::holds(ground.work(), of).await, step)?;
        take(ground, of, step).await?;
    }
    if of.job.kind == Kind::Rotate && !work::is_current(ground.work(), of).await.during(FINISH)? {
        let told = "the function has returned, and AWSCURRENT is not on the new version".to_owned();
        return Err(Trouble::Function(FINISH, told));
    }
    work::finish(ground.work(), of, false).await.during(FINISH)
}

async fn take(ground: &Ground, of: &Assignment, step: &'static str) -> Result<(), Trouble> {
    let token = str::from_utf8(of.rotation_token.expose()).unwrap_or_default();
    let event = json!({
        "Step": step,
        "SecretId": of.arn,
        "ClientRequestToken": of.job.token.as_str(),
        "RotationToken": token,
    });
    let known = Known { ground, of };
    let done = ground.functions.invoke(of, event.to_string().into_bytes(), &known).await;
    done.map_err(|told| Trouble::Function(step, told))
}

/// The values that a function may read, and the one that it makes.
struct Known<'a> {
    ground: &'a Ground,
    of: &'a Assignment,
}

#[async_trait]
impl Hidden for Known<'_> {
    async fn texts(&self) -> Option<Vec<Sensitive>> {
        let values = work::values(self.ground.work(), self.of).await.ok()?;
        let masters = values.current.iter().filter_map(|it| Credential::parse(it).ok()?.master);
        let mut texts = Vec::new();
        for arn in masters {
            // One that can't be read here is one of another account, or none.
            texts.extend(work::current_of(self.ground.work(), self.of, &arn).await);
        }
        texts.extend([values.pending, values.current, values.previous].into_iter().flatten());
        Some(texts.into_iter().flat_map(secrets_in).collect())
    }
}

/// The value itself, and the texts in it if it is JSON, but for those that say where and who.
fn secrets_in(value: Sensitive) -> Vec<Sensitive> {
    let mut found = Vec::new();
    if let Ok(json) = serde_json::from_slice::<Value>(value.expose()) {
        gather(json, &mut found);
    }
    found.push(value);
    found
}

fn gather(json: Value, found: &mut Vec<Sensitive>) {
    match json {
        Value::String(text) if text.len() >= SHORTEST => found.push(Sensitive::from(text)),
        Value::Array(items) => items.into_iter().for_each(|it| gather(it, found)),
        Value::Object(members) => {
            let told = members.into_iter().filter(|it| !PLAIN.contains(&it.0.as_str()));
            told.for_each(|it| gather(it.1, found));
        }
        _ => (),
    }
}

/// What is shorter stands in everything that is printed.
const SHORTEST: usize = 4;
/// Members of a login that are no secrets.
const PLAIN: [&str; 7] = ["dbname", "engine", "host", "masterarn", "port", "ssl", "username"];
