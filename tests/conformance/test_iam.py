"""The life of everything IAM keeps, through unmodified boto3: each answer as AWS's reference shows it."""

import json

import pytest
from botocore.exceptions import ClientError

ALLOW = {"Effect": "Allow", "Action": "secretsmanager:ListSecrets", "Resource": "*"}
AWS_POLICY = "arn:aws:iam::aws:policy/SecretsManagerReadWrite"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(account):
    principal = {"AWS": f"arn:aws:iam::{account}:root"}
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def code(call, **members):
    with pytest.raises(ClientError) as caught:
        call(**members)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def iam(server, region):
    """IAM of an account of its own, so that lists hold only what the test has made."""
    keys = server.new_account()
    client = server.client(region, service="iam", keys=keys)
    client.account = keys.account
    return client


def names(page, key):
    return [next(it[n] for n in it if n.endswith("Name")) for it in page[key]]


def test_users(iam):
    account = iam.account
    made = iam.create_user(UserName="Ada", Path="/eng/", Tags=[{"Key": "team", "Value": "db"}])["User"]
    assert made["Arn"] == f"arn:aws:iam::{account}:user/eng/Ada"
    assert (made["UserId"][:4], made["Tags"]) == ("AIDA", [{"Key": "team", "Value": "db"}])
    assert code(iam.create_user, UserName="ADA") == ("EntityAlreadyExists", 409)
    iam.tag_user(UserName="Ada", Tags=[{"Key": "Team", "Value": "os"}, {"Key": "b", "Value": ""}])
    assert iam.list_user_tags(UserName="Ada")["Tags"] == [
        {"Key": "Team", "Value": "os"},
        {"Key": "b", "Value": ""},
    ]
    iam.untag_user(UserName="Ada", TagKeys=["B"])
    iam.update_user(UserName="Ada", NewUserName="ada", NewPath="/")
    user = iam.get_user(UserName="ada")["User"]
    assert user["Arn"] == f"arn:aws:iam::{account}:user/ada"
    assert (user["UserId"], user["Tags"]) == (made["UserId"], [{"Key": "Team", "Value": "os"}])
    assert code(iam.get_user, UserName="bob") == ("NoSuchEntity", 404)
    iam.create_user(UserName="bob", Path="/eng/")
    assert names(iam.list_users(PathPrefix="/eng/"), "Users") == ["bob"]
    pages = [it for it in iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 1})]
    assert [names(it, "Users") for it in pages][:2] != [[], []] and len(pages) >= 2

    iam.put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=document(ALLOW))
    assert iam.list_user_policies(UserName="ada")["PolicyNames"] == ["p"]
    inline = iam.get_user_policy(UserName="ada", PolicyName="p")
    assert inline["PolicyDocument"]["Statement"] == [ALLOW]
    iam.attach_user_policy(UserName="ada", PolicyArn=AWS_POLICY)
    attached = iam.list_attached_user_policies(UserName="ada")["AttachedPolicies"]
    assert attached == [{"PolicyName": "SecretsManagerReadWrite", "PolicyArn": AWS_POLICY}]
    iam.put_user_permissions_boundary(UserName="ada", PermissionsBoundary=AWS_POLICY)
    boundary = iam.get_user(UserName="ada")["User"]["PermissionsBoundary"]
    assert boundary["PermissionsBoundaryArn"] == AWS_POLICY
    iam.delete_user_permissions_boundary(UserName="ada")
    assert "PermissionsBoundary" not in iam.get_user(UserName="ada")["User"]
    assert code(iam.delete_user, UserName="ada") == ("DeleteConflict", 409)
    iam.delete_user_policy(UserName="ada", PolicyName="p")
    iam.detach_user_policy(UserName="ada", PolicyArn=AWS_POLICY)
    iam.delete_user(UserName="ada")
    assert code(iam.get_user, UserName="ada") == ("NoSuchEntity", 404)


def test_access_keys(iam):
    iam.create_user(UserName="ada")
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    assert (key["AccessKeyId"][:4], len(key["SecretAccessKey"]), key["Status"]) == (
        "AKIA",
        40,
        "Active",
    )
    iam.create_access_key(UserName="ada")
    assert code(iam.create_access_key, UserName="ada") == ("LimitExceeded", 409)
    iam.update_access_key(UserName="ada", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    listed = iam.list_access_keys(UserName="ada")["AccessKeyMetadata"]
    states = {it["AccessKeyId"]: it["Status"] for it in listed}
    assert len(states) == 2 and states[key["AccessKeyId"]] == "Inactive"
    assert code(iam.delete_user, UserName="ada") == ("DeleteConflict", 409)
    for each in states:
        iam.delete_access_key(UserName="ada", AccessKeyId=each)
    iam.delete_user(UserName="ada")


def test_groups(iam):
    group = iam.create_group(GroupName="Ops", Path="/a/")["Group"]
    assert (group["Arn"], group["GroupId"][:4]) == (
        f"arn:aws:iam::{iam.account}:group/a/Ops",
        "AGPA",
    )
    iam.create_user(UserName="ada")
    iam.add_user_to_group(GroupName="Ops", UserName="ada")
    assert names(iam.get_group(GroupName="Ops"), "Users") == ["ada"]
    assert names(iam.list_groups_for_user(UserName="ada"), "Groups") == ["Ops"]
    assert code(iam.delete_user, UserName="ada") == ("DeleteConflict", 409)
    iam.put_group_policy(GroupName="Ops", PolicyName="p", PolicyDocument=document(ALLOW))
    assert iam.list_group_policies(GroupName="Ops")["PolicyNames"] == ["p"]
    inline = iam.get_group_policy(GroupName="Ops", PolicyName="p")
    assert inline["PolicyDocument"]["Statement"] == [ALLOW]
    iam.attach_group_policy(GroupName="Ops", PolicyArn=AWS_POLICY)
    assert len(iam.list_attached_group_policies(GroupName="Ops")["AttachedPolicies"]) == 1
    iam.update_group(GroupName="Ops", NewGroupName="ops", NewPath="/")
    assert names(iam.list_groups(), "Groups") == ["ops"]
    assert code(iam.delete_group, GroupName="ops") == ("DeleteConflict", 409)
    iam.detach_group_policy(GroupName="ops", PolicyArn=AWS_POLICY)
    iam.delete_group_policy(GroupName="ops", PolicyName="p")
    iam.remove_user_from_group(GroupName="ops", UserName="ada")
    iam.delete_group(GroupName="ops")
    assert iam.list_groups()["Groups"] == []


def test_roles(iam):
    made = iam.create_role(
        RoleName="App",
        Path="/svc/",
        AssumeRolePolicyDocument=trust(iam.account),
        Description="reads",
        Tags=[{"Key": "team", "Value": "db"}],
    )["Role"]
    assert (made["Arn"], made["RoleId"][:4]) == (
        f"arn:aws:iam::{iam.account}:role/svc/App",
        "AROA",
    )
    assert "MaxSessionDuration" not in made
    iam.update_role(RoleName="App", Description="writes", MaxSessionDuration=7200)
    iam.update_assume_role_policy(RoleName="App", PolicyDocument=trust(iam.account))
    role = iam.get_role(RoleName="App")["Role"]
    assert (role["MaxSessionDuration"], role["Description"]) == (7200, "writes")
    assert iam.update_role_description(RoleName="App", Description="")["Role"]["RoleName"] == "App"
    iam.tag_role(RoleName="App", Tags=[{"Key": "x", "Value": "y"}])
    iam.untag_role(RoleName="App", TagKeys=["team"])
    assert iam.list_role_tags(RoleName="App")["Tags"] == [{"Key": "x", "Value": "y"}]
    iam.put_role_policy(RoleName="App", PolicyName="p", PolicyDocument=document(ALLOW))
    assert iam.list_role_policies(RoleName="App")["PolicyNames"] == ["p"]
    inline = iam.get_role_policy(RoleName="App", PolicyName="p")
    assert inline["PolicyDocument"]["Statement"] == [ALLOW]
    iam.attach_role_policy(RoleName="App", PolicyArn=AWS_POLICY)
    assert len(iam.list_attached_role_policies(RoleName="App")["AttachedPolicies"]) == 1
    iam.put_role_permissions_boundary(RoleName="App", PermissionsBoundary=AWS_POLICY)
    iam.delete_role_permissions_boundary(RoleName="App")
    listed = iam.list_roles(PathPrefix="/svc/")["Roles"]
    assert names({"Roles": listed}, "Roles") == ["App"]
    assert not {"RoleLastUsed", "PermissionsBoundary", "Tags"} & set(listed[0])
    assert code(iam.delete_role, RoleName="App") == ("DeleteConflict", 409)
    iam.detach_role_policy(RoleName="App", PolicyArn=AWS_POLICY)
    iam.delete_role_policy(RoleName="App", PolicyName="p")
    iam.delete_role(RoleName="App")
    assert code(iam.get_role, RoleName="App") == ("NoSuchEntity", 404)


def test_managed_policies(iam):
    made = iam.create_policy(
        PolicyName="Read", PolicyDocument=document(ALLOW), Tags=[{"Key": "a", "Value": "b"}]
    )["Policy"]
    arn = made["Arn"]
    assert (made["DefaultVersionId"], made["AttachmentCount"]) == ("v1", 0)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(ALLOW, ALLOW))
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    assert code(iam.delete_policy_version, PolicyArn=arn, VersionId="v2") == ("DeleteConflict", 409)
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    last = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(ALLOW), SetAsDefault=True)
    assert last["PolicyVersion"]["VersionId"] == "v3"
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [(it["VersionId"], it["IsDefaultVersion"]) for it in versions] == [
        ("v3", True),
        ("v2", False),
    ]
    got = iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]
    assert got["Document"]["Statement"] == [ALLOW, ALLOW]
    iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_policy(PolicyArn=arn, TagKeys=["a"])
    assert iam.list_policy_tags(PolicyArn=arn)["Tags"] == [{"Key": "c", "Value": "d"}]
    iam.create_user(UserName="ada")
    iam.attach_user_policy(UserName="ada", PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    entities = iam.list_entities_for_policy(PolicyArn=arn)
    assert names(entities, "PolicyUsers") == ["ada"]
    assert (entities["PolicyGroups"], entities["PolicyRoles"]) == ([], [])
    assert names(iam.list_policies(Scope="Local", OnlyAttached=True), "Policies") == ["Read"]
    assert iam.list_policies(Scope="AWS")["Policies"]
    assert code(iam.delete_policy, PolicyArn=arn) == ("DeleteConflict", 409)
    iam.detach_user_policy(UserName="ada", PolicyArn=arn)
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.delete_policy(PolicyArn=arn)
    assert code(iam.get_policy, PolicyArn=arn) == ("NoSuchEntity", 404)


def test_the_account(iam):
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(iam.account))
    iam.create_user(UserName="ada")
    iam.create_group(GroupName="g")
    iam.put_group_policy(GroupName="g", PolicyName="p", PolicyDocument=document(ALLOW))
    alias = f"alias-{iam.account}"
    iam.create_account_alias(AccountAlias=alias)
    assert iam.list_account_aliases()["AccountAliases"] == [alias]
    iam.delete_account_alias(AccountAlias=alias)
    assert iam.list_account_aliases()["AccountAliases"] == []
    summary = iam.get_account_summary()["SummaryMap"]
    assert (summary["Groups"], summary["Roles"], summary["AccessKeysPerUserQuota"]) == (1, 1, 2)
    details = iam.get_account_authorization_details()
    assert names(details, "GroupDetailList") == ["g"] and names(details, "RoleDetailList") == ["r"]
    inline = details["GroupDetailList"][0]["GroupPolicyList"]
    assert inline[0]["PolicyDocument"]["Statement"] == [ALLOW]


def test_identity_providers(iam):
    made = iam.create_open_id_connect_provider(
        Url="https://issuer.example/a",
        ClientIDList=["one"],
        ThumbprintList=["a" * 40],
        Tags=[{"Key": "a", "Value": "b"}],
    )
    arn = made["OpenIDConnectProviderArn"]
    assert arn == f"arn:aws:iam::{iam.account}:oidc-provider/issuer.example/a"
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="two")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="one")
    iam.update_open_id_connect_provider_thumbprint(
        OpenIDConnectProviderArn=arn, ThumbprintList=["b" * 40]
    )
    iam.tag_open_id_connect_provider(
        OpenIDConnectProviderArn=arn, Tags=[{"Key": "c", "Value": "d"}]
    )
    iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=arn, TagKeys=["a"])
    tags = iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)["Tags"]
    assert tags == [{"Key": "c", "Value": "d"}]
    shown = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (shown["Url"], shown["ClientIDList"]) == ("issuer.example/a", ["two"])
    assert shown["ThumbprintList"] == ["b" * 40]
    listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert listed == [{"Arn": arn}]
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_tags_of_instance_profiles(iam):
    tags = [{"Key": "a", "Value": "b"}]
    iam.create_instance_profile(InstanceProfileName="p", Tags=tags)
    iam.tag_instance_profile(InstanceProfileName="p", Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_instance_profile(InstanceProfileName="p", TagKeys=["a"])
    found = iam.list_instance_profile_tags(InstanceProfileName="p")["Tags"]
    assert found == [{"Key": "c", "Value": "d"}]
