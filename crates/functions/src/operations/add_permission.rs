//! AddPermission: lets somebody invoke a function, by one more statement of its policy.

use super::SOURCE;
use crate::names::{LATEST, is_letter};
use crate::permissions::{self, Principal, Statement, policies};
use crate::{Error, limits, lookup};
use base::Uuid;
use policy::engine::Values;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use std::collections::BTreeMap;
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, Text};

input! {
    /// Whom, to what, and under which conditions.
    pub struct AddPermission {
        function_name: Text,
        statement_id: Text,
        action: Text,
        principal: Text,
        source_arn: Text,
        function_url_auth_type: Text,
        invoked_via_function_url: Boolean,
        source_account: Text,
        #[serde(skip_serializing)]
        event_source_token: Text,
        qualifier: Text,
        revision_id: Text,
        #[serde(rename(deserialize = "PrincipalOrgID", serialize = "principalOrgID"))]
        principal_org_id: Text,
    }
}

/// The statement.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    statement: String,
}

impl Operation for AddPermission {
    const NAME: &'static str = "AddPermission";
    const SOURCE: &'static str = SOURCE;
    const RECORDED: &'static str = "AddPermission20150331v2";
    const ACTION: Action = Action("lambda:AddPermission");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::function(found, self.function_name.as_ref());
        limits::qualifier(found, self.qualifier.as_ref());
        let id = self.statement_id.as_ref();
        found.required("statementId", id);
        found.length("statementId", id, 1..=100);
        found.pattern("statementId", id, "([a-zA-Z0-9-_]+)", |it| it.bytes().all(is_letter));
        let action = self.action.as_ref();
        found.required("action", action);
        found.pattern("action", action, "(lambda:[*]|lambda:[a-zA-Z]+|[*])", is_action);
        let principal = self.principal.as_ref();
        found.required("principal", principal);
        let unspaced = |it: &str| !it.is_empty() && !it.contains(char::is_whitespace);
        found.pattern("principal", principal, r"[^\s]+", unspaced);
        let digits = |it: &str| it.len() == 12 && it.bytes().all(|it| it.is_ascii_digit());
        found.pattern("sourceAccount", self.source_account.as_ref(), r"\d{12}", digits);
        let arn = r"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)";
        let is_arn = |it: &str| it.starts_with("arn:aws") && it.matches(':').count() >= 5;
        found.pattern("sourceArn", self.source_arn.as_ref(), arn, is_arn);
        let kinds = ["NONE", "AWS_IAM"];
        found.one_of("functionUrlAuthType", self.function_url_auth_type.as_ref(), &kinds);
        let token = self.event_source_token.as_ref();
        found.length("eventSourceToken", token, 0..=256);
        found.length("principalOrgID", self.principal_org_id.as_ref(), 12..=34);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        match key {
            "lambda:functionurlauthtype" => {
                self.function_url_auth_type.as_ref().map(|it| Values::one(it.as_str()))
            }
            "lambda:principal" => self.principal.as_ref().map(|it| Values::one(it.as_str())),
            _ => None,
        }
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let named = (self.function_name.as_ref(), self.qualifier.as_ref());
        let (permit, found) = lookup::admit(call, txn, self, named).await?;
        if found.qualifier.as_deref() == Some(LATEST) {
            let text = "We currently do not support adding policies for $LATEST.";
            return Err(Error::Invalid(text.to_owned()));
        }
        let kept = found.changeable()?;
        let former = found.policy.as_deref();
        let revision = former.map_or(kept.revision.as_str(), |it| it.revision());
        if self.revision_id.as_ref().is_some_and(|it| it.as_str() != revision) {
            return Err(Error::Revision("GetPolicy"));
        }
        let statement = self.statement(&kept.arn);
        let sid = self.statement_id.as_ref().map_or("", Text::as_str);
        let revision = Uuid::random(call.entropy).to_string();
        let policy = permissions::with(txn, former, (sid, &statement), revision).await?;
        txn.save(&policies(), &kept.place(), &policy)?;
        Ok(Answer::new(permit, Output { statement }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "statement": output.statement }))
    }
}

impl AddPermission {
    /// The statement, in JSON.
    fn statement(&self, arn: &str) -> String {
        fn text(it: Option<&Text>) -> &str {
            it.map_or("", Text::as_str)
        }
        let named = text(self.principal.as_ref());
        let root = format!("arn:aws:iam::{named}:root");
        let principal = match named {
            "*" => Principal::Everyone("*"),
            _ if named.len() == 12 && named.bytes().all(|it| it.is_ascii_digit()) => {
                Principal::Of(BTreeMap::from([("AWS", root.as_str())]))
            }
            _ if named.starts_with("arn:") => Principal::Of(BTreeMap::from([("AWS", named)])),
            _ => Principal::Of(BTreeMap::from([("Service", named)])),
        };
        let statement = Statement {
            sid: text(self.statement_id.as_ref()),
            effect: "Allow",
            principal,
            action: text(self.action.as_ref()),
            resource: arn,
            condition: self.condition_of_statement(),
        };
        // Texts and maps of texts serialise always.
        serde_json::to_string(&statement).unwrap_or_default()
    }

    fn condition_of_statement(&self) -> BTreeMap<&'static str, BTreeMap<&'static str, &str>> {
        let url = self.invoked_via_function_url.map(Boolean::get);
        let url = url.map(|it| if it { "true" } else { "false" });
        let given = [
            ("StringEquals", "AWS:SourceAccount", self.source_account.as_ref().map(Text::as_str)),
            (
                "StringEquals",
                "aws:PrincipalOrgID",
                self.principal_org_id.as_ref().map(Text::as_str),
            ),
            (
                "StringEquals",
                "lambda:EventSourceToken",
                self.event_source_token.as_ref().map(Text::as_str),
            ),
            (
                "StringEquals",
                "lambda:FunctionUrlAuthType",
                self.function_url_auth_type.as_ref().map(Text::as_str),
            ),
            ("Bool", "lambda:InvokedViaFunctionUrl", url),
            ("ArnLike", "AWS:SourceArn", self.source_arn.as_ref().map(Text::as_str)),
        ];
        let mut condition: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for (operator, key, value) in given {
            if let Some(value) = value {
                condition.entry(operator).or_default().insert(key, value);
            }
        }
        condition
    }
}

fn is_action(text: &str) -> bool {
    let name = text.strip_prefix("lambda:");
    let letters = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphabetic());
    text == "*" || name.is_some_and(|it| it == "*" || letters(it))
}
