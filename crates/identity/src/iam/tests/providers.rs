//! OpenID Connect providers.

use super::Desk;

const ARN: &str = "OpenIDConnectProviderArn=arn:aws:iam::{A}:oidc-provider/id.example.org/x";
const CREATE: &str = "Url=https://id.example.org/x&ClientIDList.member.1=sts.amazonaws.com";

#[tokio::test]
async fn a_providers_life() {
    let desk = Desk::open().await;
    let thumbprint = "ThumbprintList.member.1=ABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCD";
    let tags = "Tags.member.1.Key=team&Tags.member.1.Value=ci";
    let made =
        desk.done("CreateOpenIDConnectProvider", &format!("{CREATE}&{thumbprint}&{tags}")).await;
    let arn = "arn:aws:iam::111122223333:oidc-provider/id.example.org/x";
    assert_eq!(made.get("OpenIDConnectProviderArn"), Some(arn));
    assert_eq!(made.get("Value"), Some("ci"));
    let record = desk.paper.last();
    assert_eq!(record["requestParameters"]["clientIDList"][0], "sts.amazonaws.com");
    assert_eq!(record["responseElements"]["openIDConnectProviderArn"], arn);

    desk.done("AddClientIDToOpenIDConnectProvider", &format!("{ARN}&ClientID=ci")).await;
    desk.done("AddClientIDToOpenIDConnectProvider", &format!("{ARN}&ClientID=ci")).await;
    let tag = format!("{ARN}&Tags.member.1.Key=a&Tags.member.1.Value=b");
    desk.done("TagOpenIDConnectProvider", &tag).await;
    let tags = desk.done("ListOpenIDConnectProviderTags", ARN).await;
    assert_eq!(tags.all("Key"), ["a", "team"], "sorted");
    let got = desk.done("GetOpenIDConnectProvider", ARN).await;
    assert_eq!(got.get("Url"), Some("id.example.org/x"), "without its scheme");
    assert_eq!(got.get("CreateDate"), Some("2026-01-31T10:00:00Z"));
    let audiences = "<member>sts.amazonaws.com</member><member>ci</member>";
    assert_eq!(got.get("ClientIDList"), Some(audiences));
    let digits = "<member>abcdefabcdefabcdefabcdefabcdefabcdefabcd</member>";
    assert_eq!(got.get("ThumbprintList"), Some(digits));

    let gone = format!("{ARN}&ClientID=sts.amazonaws.com");
    desk.done("RemoveClientIDFromOpenIDConnectProvider", &gone).await;
    desk.done("UntagOpenIDConnectProvider", &format!("{ARN}&TagKeys.member.1=TEAM")).await;
    let other = "ThumbprintList.member.1=0123456789012345678901234567890123456789";
    desk.done("UpdateOpenIDConnectProviderThumbprint", &format!("{ARN}&{other}")).await;
    let got = desk.done("GetOpenIDConnectProvider", ARN).await;
    assert_eq!(got.get("ClientIDList"), Some("<member>ci</member>"));
    assert_eq!(got.all("Key"), ["a"]);
    assert!(got.text.contains("0123456789012345678901234567890123456789"), "{}", got.text);

    assert_eq!(desk.done("ListOpenIDConnectProviders", "").await.all("Arn"), [arn]);
    let summary = desk.done("GetAccountSummary", "").await;
    assert!(summary.text.contains("<key>Providers</key><value>1</value>"), "{}", summary.text);
    desk.done("DeleteOpenIDConnectProvider", ARN).await;
    desk.done("DeleteOpenIDConnectProvider", ARN).await;
    assert!(desk.done("ListOpenIDConnectProviders", "").await.all("Arn").is_empty());
}

#[tokio::test]
async fn what_is_refused() {
    let desk = Desk::open().await;
    desk.done("CreateOpenIDConnectProvider", CREATE).await;
    let exists = "Provider with url https://id.example.org/x already exists.";
    let missing =
        "OpenIDConnect Provider not found for arn arn:aws:iam::{A}:oidc-provider/id.example.org";
    let no_url = Some(("ValidationError", 400, "Invalid Open ID Connect Provider URL"));
    let unknown = ARN.trim_end_matches("/x");
    let foreign =
        "OpenIDConnectProviderArn=arn:aws:iam::444455556666:oidc-provider/id.example.org/x";
    let foreign_text = "OpenIDConnect Provider not found for arn arn:aws:iam::444455556666:oidc-provider/id.example.org/x";
    let arn = Some(("ValidationError", 400, "Invalid ARN:  Could not be parsed!"));
    let digits = "a".repeat(40);
    let member = |it| format!("&ThumbprintList.member.{it}={digits}");
    let thumbprints = (1..=6).map(member).collect::<Vec<_>>().concat();
    let member = |it| format!("&ClientIDList.member.{it}=c{it}");
    let many = (1..=101).map(member).collect::<Vec<_>>().concat();
    let quota = "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100";
    let most = "A provider can have 5 thumbprints at most.";
    desk.expect(&[
        ("CreateOpenIDConnectProvider", CREATE, Some(("EntityAlreadyExists", 409, exists))),
        ("CreateOpenIDConnectProvider", "Url=https://id.example.org/x/", None), // another one
        ("CreateOpenIDConnectProvider", "Url=http://id.example.org/x", no_url),
        ("CreateOpenIDConnectProvider", "Url=https://aws", no_url),
        ("CreateOpenIDConnectProvider", "Url=id.example.org", no_url),
        (
            "CreateOpenIDConnectProvider",
            &format!("Url=https://a.example{many}"),
            Some(("LimitExceeded", 409, quota)),
        ),
        (
            "UpdateOpenIDConnectProviderThumbprint",
            &format!("{ARN}{thumbprints}"),
            Some(("InvalidInput", 400, most)),
        ),
        ("GetOpenIDConnectProvider", unknown, Some(("NoSuchEntity", 404, missing))),
        ("GetOpenIDConnectProvider", foreign, Some(("NoSuchEntity", 404, foreign_text))),
        ("GetOpenIDConnectProvider", "OpenIDConnectProviderArn=arn:aws:iam::{A}:role/x", arn),
    ])
    .await;
    for number in 2..100 {
        let form = format!("Url=https://n{number}.example.org");
        desk.done("CreateOpenIDConnectProvider", &form).await;
    }
    let quota = "Cannot exceed quota for OpenIdConnectProvidersPerAccount: 100";
    let full = Some(("LimitExceeded", 409, quota));
    desk.expect(&[("CreateOpenIDConnectProvider", "Url=https://n100.example.org", full)]).await;
}

#[tokio::test]
async fn tags_of_a_provider_decide() {
    let tagged = r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"ci"}}}"#;
    let desk = Desk::open().await;
    desk.done("CreateOpenIDConnectProvider", CREATE).await;
    let desk = desk.allowed(tagged);
    assert_eq!(desk.call("GetOpenIDConnectProvider", ARN).await.error().expect("denied").1, 403);
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let desk = desk.allowed(all);
    let tag = format!("{ARN}&Tags.member.1.Key=team&Tags.member.1.Value=ci");
    desk.done("TagOpenIDConnectProvider", &tag).await;
    desk.allowed(tagged).done("GetOpenIDConnectProvider", ARN).await;
}
