//! What the next rotation of a secret would do, and what it lacks.

use super::super::Admin;
use super::super::answer::{Fault, Replied, ok};
use super::{Which, shown};
use functions::{By, Invocable, Uninvocable};
use rotators::Finding;
use secrets::rotation::Rotation;
use secrets::rotation::view::View;
use serde_json::{Value, json};
use store::Txn;

const SERVICE: &str = "secretsmanager.amazonaws.com";

impl Admin {
    pub(super) async fn rotation_plan(&self, which: &Which) -> Replied {
        let mut txn = store::begin(&*self.front.backend);
        let view = which.one(&mut txn, which.named()?).await?;
        let function = self.function(&mut txn, &view).await?;
        let known = matches!(function, Finding::Fine(_));
        let mut found = vec![function];
        if known {
            let ground = self.grounds.whole().await;
            found.extend(ground.plan(&view.inspection()).await);
        }
        found.push(window(view.rotation.as_ref()));
        let found: Vec<_> = found.iter().map(finding).collect();
        let (name, arn) = (&view.name, &view.arn);
        Ok(ok(&json!({ "Name": name, "Arn": arn, "Findings": found })))
    }

    /// Whether the function is there, and lets itself be invoked.
    async fn function(&self, txn: &mut Txn<'_>, view: &View) -> Result<Finding, Fault> {
        let Some(arn) = view.rotation.as_ref().and_then(|it| it.function.as_ref()) else {
            let hint = "name a function with `aws secretsmanager rotate-secret`";
            return Ok(missing("no function is named".to_owned(), hint));
        };
        let by = By { service: SERVICE, account: &view.place.account, arn: &view.arn };
        let elsewhere = self.remotes.elsewhere();
        Ok(match functions::may_be_invoked(txn, (arn, elsewhere), by).await {
            Ok(Invocable::Native(_)) => Finding::Fine(format!("`{arn}` is built in")),
            Ok(Invocable::Code { .. }) => {
                Finding::Fine(format!("`{arn}` is there, and may be invoked for this secret"))
            }
            Ok(Invocable::Elsewhere) => self.elsewhere(arn).await,
            Err(Uninvocable::Absent) => {
                missing(format!("there is no function `{arn}`"), "name another one, or make it")
            }
            Err(Uninvocable::Denied) if elsewhere.find(arn).is_some() => {
                let hint = "name the account in `accounts` of that `[[functions.remote]]`";
                missing(format!("`{arn}` is not for secrets of this account"), hint)
            }
            Err(Uninvocable::Denied) => {
                let hint = "`aws lambda add-permission --principal secretsmanager.amazonaws.com`";
                let fact = format!("the policy of `{arn}` doesn't let Secrets Manager invoke it");
                missing(fact, hint)
            }
            Err(Uninvocable::Store(error)) => return Err(error.into()),
        })
    }

    /// The same of a function that is somewhere else, which is asked.
    async fn elsewhere(&self, arn: &str) -> Finding {
        match self.remotes.try_out(arn).await {
            Ok(()) => Finding::Fine(format!("`{arn}` is somewhere else, and may be invoked there")),
            Err(told) => {
                let hint = "see `[[functions.remote]]`, and the function's policy where it is";
                missing(format!("`{arn}` can't be invoked: {told}"), hint)
            }
        }
    }
}

fn missing(fact: String, hint: &str) -> Finding {
    Finding::Missing(fact, hint.to_owned())
}

/// When it would be.
fn window(rotation: Option<&Rotation>) -> Finding {
    let Some(rotation) = rotation.filter(|it| it.enabled) else {
        return Finding::Fine(BY_HAND.to_owned());
    };
    Finding::Fine(match (rotation.due(), rotation.next_date()) {
        (Some(at), Some(by)) => format!("it is due at {}, and by {}", shown(at), shown(by)),
        (Some(at), None) => format!("it is due at {}", shown(at)),
        (None, _) if rotation.rules.is_none() => BY_HAND.to_owned(),
        (None, _) => "its schedule has no further window".to_owned(),
    })
}

const BY_HAND: &str = "it rotates when it is told to, and by no schedule";

fn finding(finding: &Finding) -> Value {
    match finding {
        Finding::Fine(fact) => json!({ "Kind": "fine", "Text": fact }),
        Finding::Missing(fact, hint) => json!({ "Kind": "missing", "Text": fact, "Hint": hint }),
        Finding::Statement(text) => json!({ "Kind": "statement", "Text": text }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Timestamp;
    use secrets::rotation::Next;

    #[test]
    fn the_window_is_told_as_it_stands() {
        let at = Timestamp::from_secs;
        let next = Next { opens: at(0), fires: at(10), closes: at(3600) };
        let rotation = Rotation { enabled: true, next: Some(next), ..Rotation::default() };
        let rules = serde_json::from_value(json!({ "days": 30 })).expect("rules");
        let due = "it is due at 1970-01-01T00:00:10Z, and by 1970-01-01T00:59:59Z";
        for (rotation, expected) in [
            (None, BY_HAND),
            (Some(Rotation { enabled: true, ..Rotation::default() }), BY_HAND),
            (
                Some(Rotation { enabled: true, rules, ..Rotation::default() }),
                "its schedule has no further window",
            ),
            (Some(rotation), due),
        ] {
            assert_eq!(window(rotation.as_ref()), Finding::Fine(expected.to_owned()));
        }
    }
}
