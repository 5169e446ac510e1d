"""Instance profiles and last uses through unmodified boto3."""

import datetime

from strongroom import Keys, Server
from test_access import iam, name, policy, refused, trust, user  # noqa: F401 (fixtures)


def test_an_instance_profile_has_one_role(iam, user, name):  # noqa: F811
    trusted = f"arn:aws:iam::{user.account}:user/{name}"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(trusted))
    tags = [{"Key": "team", "Value": "a"}]
    iam.create_instance_profile(InstanceProfileName=name, Path="/x/", Tags=tags)
    iam.get_waiter("instance_profile_exists").wait(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    profile = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    assert profile["Arn"] == f"arn:aws:iam::{user.account}:instance-profile/x/{name}"
    assert (profile["Tags"], [it["RoleName"] for it in profile["Roles"]]) == (tags, [name])
    assert profile["Roles"][0]["AssumeRolePolicyDocument"]["Statement"]
    listed = iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"]
    assert [it["InstanceProfileName"] for it in listed] == [name]
    pages = iam.get_paginator("list_instance_profiles").paginate(PathPrefix="/x/")
    assert name in [it["InstanceProfileName"] for page in pages for it in page["InstanceProfiles"]]

    said = "Cannot delete entity, must remove roles from instance profile first."
    assert refused(lambda: iam.delete_role(RoleName=name), "DeleteConflict") == said
    iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=name)
    iam.delete_instance_profile(InstanceProfileName=name)
    iam.delete_role(RoleName=name)
    missing = refused(
        lambda: iam.get_instance_profile(InstanceProfileName=name), "NoSuchEntity"
    )
    assert missing == f"Instance Profile {name} cannot be found."


def test_last_uses_are_told(tmp_path):
    """They are written behind the answers; a stop writes what is left."""
    server = Server(tmp_path)
    try:
        server.start()
        iam = server.client("eu-west-1", service="iam")  # noqa: F811
        iam.create_user(UserName="ada")
        made = iam.create_access_key(UserName="ada")["AccessKey"]
        ada = Keys(server.keys.account, made["AccessKeyId"], made["SecretAccessKey"])
        unused = iam.get_access_key_last_used(AccessKeyId=ada.key_id)["AccessKeyLastUsed"]
        assert unused == {"ServiceName": "N/A", "Region": "N/A"}
        arn = f"arn:aws:iam::{ada.account}:user/ada"
        role = iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust(arn))["Role"]
        assert iam.get_role(RoleName="app")["Role"]["RoleLastUsed"] == {}
        sts = server.client("eu-west-1", service="sts", keys=ada)
        session = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="s1")["Credentials"]
        keys = Keys.of_session(ada.account, session)
        server.client("eu-north-1", service="sts", keys=keys).get_caller_identity()
        server.stop()

        server.start()
        iam = server.client("eu-west-1", service="iam")
        told = iam.get_access_key_last_used(AccessKeyId=ada.key_id)
        used = told["AccessKeyLastUsed"]
        assert (told["UserName"], used["ServiceName"], used["Region"]) == (
            "ada",
            "sts",
            "eu-west-1",
        )
        now = datetime.datetime.now(datetime.UTC)
        assert abs(now - used["LastUsedDate"]) < datetime.timedelta(minutes=5)
        last = iam.get_role(RoleName="app")["Role"]["RoleLastUsed"]
        assert (last["Region"], last["LastUsedDate"] <= now) == ("eu-north-1", True)
    finally:
        server.stop()


def test_an_operators_key_is_one_of_two(server):
    body = {"AccountId": server.keys.account, "UserName": "operated"}
    answers = [server.admin_answer("POST", "/v1/access-keys", body) for _ in range(3)]
    assert [it.status for it in answers[2:]] == [409], answers[2].body
    assert answers[2].json["Error"] == "Cannot exceed quota for AccessKeysPerUser: 2"
    assert all(it.status < 300 for it in answers[:2])
