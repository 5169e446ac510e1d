//! Who could: everybody once, however many there are, and nothing that was left over.

use super::{ACCOUNT, Desk};
use crate::who_can::{Page, Question, Unknown, page};
use kms::exposure::Granted;
use policy::engine::{Attached, Door, Grammar, Policy};

fn question() -> Question<'static> {
    Question {
        action: "s3:GetObject",
        resource: None,
        owner: None,
        region: None,
        policies: &[],
        door: Door::Resource,
        of_service: false,
        keys: &Unknown,
        grants: &[],
        only_if: None,
    }
}

async fn asked(desk: &Desk, asked: &[Question<'_>], after: Option<&str>) -> Page {
    let mut txn = store::begin(&desk.backend);
    page(&mut txn, asked, &[], after).await.expect("whole")
}

async fn with_users(count: usize) -> Desk {
    let desk = Desk::open().await;
    let text =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    desk.done("CreateGroup", "GroupName=all").await;
    let put = format!("GroupName=all&PolicyName=own&PolicyDocument={text}");
    desk.done("PutGroupPolicy", &put).await;
    for number in 0..count {
        desk.done("CreateUser", &format!("UserName=u{number:03}")).await;
        desk.done("AddUserToGroup", &format!("GroupName=all&UserName=u{number:03}")).await;
    }
    desk
}

#[tokio::test]
async fn everybody_once_page_by_page() {
    let desk = with_users(230).await;
    let trust = format!(
        r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:AssumeRole"}}}}"#
    );
    desk.done("CreateRole", &format!("RoleName=app&AssumeRolePolicyDocument={trust}")).await;
    let first = asked(&desk, &[question()], None).await;
    // The root, and users: the role is looked at, and can't.
    assert_eq!(first.found.len(), 200);
    let next = first.next.expect("more");
    let second = asked(&desk, &[question()], Some(&next)).await;
    assert_eq!((second.found.len(), &second.next), (31, &None));
    let mut arns: Vec<_> =
        first.found.iter().chain(&second.found).map(|it| &it.principal).collect();
    arns.dedup();
    assert_eq!(arns.len(), 231);
    assert_eq!(arns.first().map(|it| it.as_str()), Some("arn:aws:iam::111122223333:root"));
}

#[tokio::test]
async fn every_question_must_be_answered_with_yes() {
    let desk = with_users(2).await;
    let key = "arn:aws:kms:us-east-1:111122223333:key/k";
    let text = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/u000"},"Action":"kms:Decrypt","Resource":"*"}}"#;
    let policy = Policy::compile(text, Grammar::Key).expect("a policy");
    let user = desk.done("GetUser", "UserName=u001").await;
    let id = user.get("UserId").expect("shown").to_owned();
    let grants = [Granted { id: "g".into(), grantee: id, constraints: vec!["c".into()] }];
    let account = ACCOUNT.parse().expect("valid");
    let lock = Question {
        action: "kms:Decrypt",
        resource: Some(key),
        owner: Some(&account),
        policies: &[Attached { id: "default", policy: &policy }],
        door: Door::Key { grant: false },
        ..question()
    };
    for (grants, expected) in
        [(&[][..], vec![("u000", true)]), (&grants[..], vec![("u000", true), ("u001", false)])]
    {
        let page = asked(&desk, &[question(), Question { grants, ..lock }], None).await;
        let name = |it: &str| it.rsplit('/').next().unwrap_or_default().to_owned();
        let found: Vec<_> = page.found.iter().map(|it| (name(&it.principal), it.always)).collect();
        let expected: Vec<_> = expected.into_iter().map(|it| (it.0.to_owned(), it.1)).collect();
        assert_eq!(found, expected);
    }
}
