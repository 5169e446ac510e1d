//! Groups and their users.

use super::Desk;

#[tokio::test]
async fn a_groups_life() {
    let desk = Desk::open().await;
    let made = desk.done("CreateGroup", "GroupName=Devs&Path=/x/").await;
    assert_eq!(made.get("Arn"), Some("arn:aws:iam::111122223333:group/x/Devs"));
    assert!(made.get("GroupId").is_some_and(|it| it.starts_with("AGPA") && it.len() == 21));
    for name in ["ada", "bob", "eve"] {
        desk.done("CreateUser", &format!("UserName={name}")).await;
        desk.done("AddUserToGroup", &format!("GroupName=devs&UserName={name}")).await;
    }
    desk.done("AddUserToGroup", "GroupName=devs&UserName=ADA").await;
    let page = desk.done("GetGroup", "GroupName=devs&MaxItems=2").await;
    assert_eq!((page.all("UserName"), page.get("IsTruncated")), (vec!["ada", "bob"], Some("true")));
    let marker = page.get("Marker").expect("more");
    let page = desk.done("GetGroup", &format!("GroupName=devs&Marker={marker}")).await;
    assert_eq!((page.all("UserName"), page.get("IsTruncated")), (vec!["eve"], Some("false")));
    let missing = Some(("NoSuchEntity", 404, "The group with name devs cannot be found."));
    let conflict = "Cannot delete entity, must remove referenced objects first.";
    desk.expect(&[
        (
            "CreateGroup",
            "GroupName=DEVS",
            Some(("EntityAlreadyExists", 409, "Group with name DEVS already exists.")),
        ),
        (
            "AddUserToGroup",
            "GroupName=devs&UserName=nobody",
            Some(("NoSuchEntity", 404, "The user with name nobody cannot be found.")),
        ),
        ("DeleteGroup", "GroupName=devs", Some(("DeleteConflict", 409, conflict))),
        ("DeleteUser", "UserName=ada", Some(("DeleteConflict", 409, conflict))),
        ("UpdateUser", "UserName=ada&NewUserName=ida", None),
        ("UpdateGroup", "GroupName=devs&NewGroupName=ops&NewPath=/", None),
        ("GetGroup", "GroupName=devs", missing),
        ("RemoveUserFromGroup", "GroupName=OPS&UserName=bob", None),
    ])
    .await;
    let listed = desk.done("ListGroupsForUser", "UserName=ida").await;
    assert_eq!(listed.get("Arn"), Some("arn:aws:iam::111122223333:group/ops"));
    assert_eq!(desk.done("GetGroup", "GroupName=ops").await.all("UserName"), ["eve", "ida"]);
    desk.expect(&[
        ("RemoveUserFromGroup", "GroupName=ops&UserName=ida", None),
        ("RemoveUserFromGroup", "GroupName=ops&UserName=eve", None),
        ("DeleteGroup", "GroupName=ops", None),
        ("DeleteUser", "UserName=ida", None),
        (
            "DeleteGroup",
            "GroupName=ops",
            Some(("NoSuchEntity", 404, "The group with name ops cannot be found.")),
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_a_group_may_do_its_users_may() {
    let desk = Desk::open().await;
    let made = desk.done("CreateUser", "UserName=ada").await;
    let mut ada = desk.caller.clone();
    ada.user_name = "ada".to_owned();
    ada.principal_id = made.get("UserId").expect("an id").to_owned();
    desk.done("CreateGroup", "GroupName=Devs").await;
    desk.done("AddUserToGroup", "GroupName=devs&UserName=ada").await;
    desk.done(
        "AttachGroupPolicy",
        "GroupName=devs&PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess",
    )
    .await;
    assert_eq!(desk.gathered(&ada).await.expect("there").identity.len(), 1);
    desk.done("UpdateGroup", "GroupName=devs&NewGroupName=Ops").await;
    assert_eq!(desk.gathered(&ada).await.expect("there").identity.len(), 1, "renamed");
    desk.done("RemoveUserFromGroup", "GroupName=ops&UserName=ada").await;
    assert_eq!(desk.gathered(&ada).await.expect("there").identity.len(), 0);
}

#[tokio::test]
async fn a_user_has_ten_groups_at_most() {
    let desk = Desk::open().await;
    desk.done("CreateUser", "UserName=ada").await;
    for number in 0..=10 {
        desk.done("CreateGroup", &format!("GroupName=g{number}")).await;
        let form = format!("GroupName=g{number}&UserName=ada");
        let limit = Some(("LimitExceeded", 409, "Cannot exceed quota for GroupsPerUser: 10"));
        desk.expect(&[("AddUserToGroup", &form, limit.filter(|_| number == 10))]).await;
    }
}
