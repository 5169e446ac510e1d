"""Table: checkable statements about Secrets Manager that are certain, each by its number.

A fresh secret is `t/one` with value `a`, made with token T1. Every answer is also checked for what all
answers have in common (rows 23 and 25) by `Wire`.
"""

import datetime
import json
import re
import string

import pytest

from strongroom import JSON, blob, token

ROWS = {}

# Certain statements that can't be shown yet, and why.
LATER = {
    **dict.fromkeys([19, 20], "needs users with policies, and enforced resource policies"),
    **dict.fromkeys([50, 124, 125, 126, 127, 128, 129], "needs customer managed keys"),
    65: "needs policies on tags",
    **dict.fromkeys([*range(78, 92), 139], "needs rotation"),
    **dict.fromkeys(range(100, 109), "needs replication"),
    130: "needs access across accounts",
    131: "needs secrets owned by a service",
}

CERTAIN = [
    *range(1, 7), *range(9, 12), *range(13, 21), *range(23, 30), *range(32, 69), *range(70, 117),
    118, 119, 120, *range(122, 135), *range(139, 143),
]  # fmt: skip

NOT_FOUND = "Secrets Manager can't find the specified secret."
NO_LABEL = "Secrets Manager can't find the specified secret value for staging label: "
NO_VERSION = "Secrets Manager can't find the specified secret value for VersionId: "
MARKED = (
    "You can't perform this operation on the secret because it was marked for deletion."
)
PUBLIC = "You can not attach a resource policy that grants Public access to your secret."
INVALID_NAME = (
    "Invalid name. Must be a valid name containing alphanumeric characters, or any of the "
    "following: -/_+=.@!"
)


def row(number):
    def register(test):
        assert number not in ROWS
        ROWS[number] = test
        return test

    return register


def test_every_certain_row_is_shown_or_listed():
    assert sorted([*ROWS, *LATER]) == sorted(CERTAIN)


def refused(answer, kind, message=None, *, ends=None):
    """A client error: status 400, bare type name, exact message."""
    assert (answer.status, answer.type) == (400, kind), answer.body
    if message is not None:
        assert answer.message == message
    if ends is not None:
        assert answer.message.endswith(ends), answer.message


def now():
    return datetime.datetime.now(datetime.timezone.utc).timestamp()


# Creation


@row(1)
def create_answers_arn_name_and_version(wire):
    first = token()
    made = wire.call("CreateSecret", Name="t/one", SecretString="a", ClientRequestToken=first)
    assert set(made) == {"ARN", "Name", "VersionId"}
    assert (made["Name"], made["VersionId"]) == ("t/one", first)


@row(2)
def create_without_value_makes_no_version(wire):
    made = wire.call("CreateSecret", Name="t/one", ClientRequestToken=token())
    assert set(made) == {"ARN", "Name"}
    shown = wire.call("DescribeSecret", SecretId="t/one")
    assert not {"VersionIdsToStages", "RotationEnabled"} & set(shown)


@row(3)
def a_secret_without_value_has_no_current_version(wire):
    wire.call("CreateSecret", Name="t/one", ClientRequestToken=token())
    answer = wire.fault("GetSecretValue", SecretId="t/one")
    refused(answer, "ResourceNotFoundException", NO_LABEL + "AWSCURRENT")


@row(4)
def arns_end_in_six_characters(wire):
    arn, _ = wire.secret()
    pattern = r"arn:aws:secretsmanager:[a-z0-9-]+:\d{12}:secret:t/one-[A-Za-z0-9]{6}"
    assert re.fullmatch(pattern, arn)
    assert arn.split(":")[3:5] == [wire.region, wire.keys.account]


@row(5)
def a_name_is_taken(wire):
    wire.secret()
    answer = wire.fault(
        "CreateSecret", Name="t/one", SecretString="a", ClientRequestToken=token()
    )
    text = "The operation failed because the secret t/one already exists."
    refused(answer, "ResourceExistsException", text)


@row(6)
def the_same_creation_again_succeeds(wire):
    arn, first = wire.secret()
    again = wire.call("CreateSecret", Name="t/one", SecretString="a", ClientRequestToken=first)
    assert (again["ARN"], again["VersionId"]) == (arn, first)
    assert wire.stages() == {first: {"AWSCURRENT"}}


@row(9)
def names_have_an_alphabet(wire):
    answer = wire.fault("CreateSecret", Name="bad name", ClientRequestToken=token())
    refused(answer, "ValidationException")
    assert answer.json == {"__type": "ValidationException", "message": INVALID_NAME}


@row(10)
def names_have_at_most_512_characters(wire):
    answer = wire.fault("CreateSecret", Name="n" * 513, ClientRequestToken=token())
    refused(answer, "ValidationException")
    wire.call("CreateSecret", Name="n" * 512, ClientRequestToken=token())


@row(11)
def tokens_have_at_least_32_characters(wire):
    answer = wire.fault("CreateSecret", Name="t/one", ClientRequestToken="short")
    text = (
        "1 validation error detected: Value 'short' at 'clientRequestToken' failed to satisfy "
        "constraint: Member must have length greater than or equal to 32"
    )
    refused(answer, "ValidationException", text)


@row(13)
def values_are_not_empty(wire):
    wire.secret()
    answer = wire.fault(
        "PutSecretValue", SecretId="t/one", SecretString="", ClientRequestToken=token()
    )
    text = (
        "1 validation error detected: Value at 'secretString' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1"
    )
    refused(answer, "ValidationException", text)


@row(14)
def values_have_at_most_65536_characters(wire):
    wire.secret("t/full", SecretString="v" * 65_536)
    assert len(wire.call("GetSecretValue", SecretId="t/full")["SecretString"]) == 65_536
    long = {"SecretString": "v" * 65_537, "ClientRequestToken": token()}
    assert wire.fault("CreateSecret", Name="t/over", **long).status == 400


# The form of answers


@row(15)
def unknown_secrets_are_a_400(wire):
    answer = wire.fault("DescribeSecret", SecretId="t/none")
    refused(answer, "ResourceNotFoundException", NOT_FOUND)
    assert answer.json["Message"] == NOT_FOUND


@row(16)
def modelled_errors_have_a_type_and_a_message(wire):
    wire.secret()
    answers = [
        wire.fault("DescribeSecret", SecretId="t/none"),
        wire.fault("CreateSecret", Name="t/one", ClientRequestToken=token()),
        wire.fault("PutSecretValue", SecretId="t/one", ClientRequestToken=token()),
        wire.fault("DeleteSecret", SecretId="t/one", RecoveryWindowInDays=1),
    ]
    for answer in answers:
        assert set(answer.json) == {"__type", "Message"}
        assert re.fullmatch("[A-Za-z]+", answer.type)


@row(17)
def an_object_is_not_a_string(wire):
    answer = wire.fault("DescribeSecret", SecretId={})
    text = "Start of structure or map found where not expected."
    refused(answer, "SerializationException", text)


@row(18)
def strangers_are_denied_before_their_request_is_checked(wire):
    arn, _ = wire.secret()
    stranger = wire.server.wire(wire.region, wire.server.new_account())
    answer = stranger.fault(
        "PutSecretValue", SecretId=arn, SecretString="b", ClientRequestToken="short"
    )
    refused(answer, "AccessDeniedException")


@row(23)
def every_answer_has_a_request_id_and_a_content_type(wire):
    for operation, members, status in [
        ("ListSecrets", {}, 200),
        ("DescribeSecret", {"SecretId": "t/none"}, 400),
        ("DescribeSecret", {"SecretId": ""}, 400),
        ("DescribeSecret", {"SecretId": 1}, 400),
    ]:
        answer = wire.ask(operation, members)
        assert answer.status == status
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", request_id(answer))
        assert answer.headers["content-type"] == JSON


def request_id(answer):
    return answer.headers["x-amzn-requestid"]


@row(24)
def dates_are_numbers(wire):
    wire.secret()
    made = [wire.call("DescribeSecret", SecretId="t/one")["CreatedDate"]]
    for n in range(3):
        wire.put(str(n))
        made.append(wire.call("GetSecretValue", SecretId="t/one")["CreatedDate"])
    assert all(isinstance(it, (int, float)) for it in made)
    assert any(it % 1 for it in made), f"no date has a fraction of a second: {made}"


@row(25)
def nothing_is_null(wire):
    wire.secret(Description="d", Tags=[])
    wire.call("CreateSecret", Name="t/empty", ClientRequestToken=token())
    # `call` refuses an answer with a null anywhere.
    wire.call("DescribeSecret", SecretId="t/one")
    wire.call("DescribeSecret", SecretId="t/empty")
    wire.call("GetResourcePolicy", SecretId="t/one")
    wire.call("ListSecrets")
    wire.call("ListSecretVersionIds", SecretId="t/one", IncludeDeprecated=True)
    wire.call("BatchGetSecretValue", SecretIdList=["t/one", "t/empty", "t/none"])


@row(26)
def a_fresh_secret_shows_nothing_it_does_not_have(wire):
    _, first = wire.secret()
    shown = wire.call("DescribeSecret", SecretId="t/one")
    assert shown["VersionIdsToStages"] == {first: ["AWSCURRENT"]}
    absent = {
        "KmsKeyId", "Tags", "RotationEnabled", "LastAccessedDate", "DeletedDate", "PrimaryRegion",
        "ReplicationStatus", "OwningService",
    }  # fmt: skip
    assert not absent & set(shown)


# Reading


@row(27)
def the_value_comes_back(wire):
    arn, first = wire.secret()
    found = wire.call("GetSecretValue", SecretId="t/one")
    assert found.pop("CreatedDate") <= now() + 1
    assert found == {
        "ARN": arn,
        "Name": "t/one",
        "VersionId": first,
        "SecretString": "a",
        "VersionStages": ["AWSCURRENT"],
    }


@row(28)
def bytes_come_back_as_base64(wire):
    wire.call(
        "CreateSecret", Name="t/one", SecretBinary=blob(b"\0\1"), ClientRequestToken=token()
    )
    found = wire.call("GetSecretValue", SecretId="t/one")
    assert found["SecretBinary"] == "AAE="
    assert "SecretString" not in found


@row(29)
def arns_work_with_and_without_suffix(wire):
    arn, _ = wire.secret()
    whole = wire.call("GetSecretValue", SecretId=arn)
    assert wire.call("GetSecretValue", SecretId=arn[:-7]) == whole


@row(32)
def names_are_case_sensitive(wire):
    wire.secret()
    answer = wire.fault("DescribeSecret", SecretId="T/ONE")
    refused(answer, "ResourceNotFoundException", NOT_FOUND)


# Versions and labels


def two_versions(wire):
    """T1 and T2, of which T2 is current."""
    _, first = wire.secret()
    return first, wire.put("b")["VersionId"]


def three_versions(wire):
    first, second = two_versions(wire)
    return first, second, wire.put("c")["VersionId"]


@row(33)
def a_new_value_is_current_and_the_old_one_previous(wire):
    _, first = wire.secret()
    second = token()
    made = wire.put("b", second)
    assert (made["VersionId"], made["VersionStages"]) == (second, ["AWSCURRENT"])
    assert wire.stages() == {second: {"AWSCURRENT"}, first: {"AWSPREVIOUS"}}


@row(34)
def the_version_before_the_previous_has_no_label(wire):
    first, second, third = three_versions(wire)
    assert wire.stages() == {third: {"AWSCURRENT"}, second: {"AWSPREVIOUS"}}
    assert first not in wire.stages()


@row(35)
def a_version_without_label_is_readable(wire):
    first, _, _ = three_versions(wire)
    found = wire.call("GetSecretValue", SecretId="t/one", VersionId=first)
    assert found["SecretString"] == "a"
    assert "VersionStages" not in found


@row(36)
def versions_without_label_are_listed_on_demand(wire):
    first, second, third = three_versions(wire)
    assert set(listed(wire)) == {second, third}
    every = listed(wire, IncludeDeprecated=True)
    assert set(every) == {first, second, third}
    assert "VersionStages" not in every[first]


def listed(wire, **members):
    answer = wire.call("ListSecretVersionIds", SecretId="t/one", **members)
    return {it["VersionId"]: it for it in answer["Versions"]}


@row(37)
def pending_versions_leave_the_current_one(wire):
    _, first = wire.secret()
    second = token()
    made = wire.put("b", second, VersionStages=["AWSPENDING"])
    assert made["VersionStages"] == ["AWSPENDING"]
    assert wire.stages() == {first: {"AWSCURRENT"}, second: {"AWSPENDING"}}


@row(38)
def the_first_version_is_always_current(wire):
    wire.call("CreateSecret", Name="t/one", ClientRequestToken=token())
    made = wire.put("a", VersionStages=["X"])
    assert set(made["VersionStages"]) == {"X", "AWSCURRENT"}


@row(39)
def the_same_put_again_succeeds(wire):
    _, first = wire.secret()
    assert wire.put("a", first)["VersionId"] == first
    assert set(listed(wire, IncludeDeprecated=True)) == {first}


@row(40)
def labels_of_a_repeated_put_are_added(wire):
    _, first = wire.secret()
    made = wire.put("a", first, VersionStages=["REPLAY"])
    assert set(made["VersionStages"]) == {"REPLAY", "AWSCURRENT"}


@row(41)
def a_token_stands_for_one_value(wire):
    arn, first = wire.secret()
    answer = wire.fault(
        "PutSecretValue", SecretId="t/one", SecretString="z", ClientRequestToken=first
    )
    text = (
        f"You can't use ClientRequestToken {first} because that value is already in use for a "
        f"version of secret {arn}."
    )
    refused(answer, "ResourceExistsException", text)
    assert wire.call("GetSecretValue", SecretId="t/one")["SecretString"] == "a"


@row(42)
def a_put_needs_a_value(wire):
    wire.secret()
    answer = wire.fault("PutSecretValue", SecretId="t/one", ClientRequestToken=token())
    text = "You must provide either SecretString or SecretBinary."
    refused(answer, "InvalidRequestException", text)


@row(43)
def an_empty_list_of_labels_is_refused(wire):
    wire.secret()
    answer = wire.fault(
        "PutSecretValue",
        SecretId="t/one",
        SecretString="b",
        ClientRequestToken=token(),
        VersionStages=[],
    )
    text = (
        "1 validation error detected: Value '[]' at 'versionStages' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1"
    )
    refused(answer, "ValidationException", text)


@row(44)
def other_labels_stay_where_they_are(wire):
    _, first = wire.secret()
    label(wire, "X", MoveToVersionId=first)
    wire.put("b")
    assert wire.stages()[first] == {"X", "AWSPREVIOUS"}


def label(wire, name, **members):
    return wire.call(
        "UpdateSecretVersionStage", SecretId="t/one", VersionStage=name, **members
    )


@row(45)
def a_label_sits_on_one_version(wire):
    _, first = wire.secret()
    label(wire, "X", MoveToVersionId=first)
    second = wire.put("b", VersionStages=["X"])["VersionId"]
    assert wire.stages() == {first: {"AWSCURRENT"}, second: {"X"}}


@row(46)
def a_secret_has_at_most_20_labels(wire):
    wire.secret()
    wire.put("b", VersionStages=[f"L{n}" for n in range(19)])
    answer = wire.fault(
        "PutSecretValue",
        SecretId="t/one",
        SecretString="c",
        ClientRequestToken=token(),
        VersionStages=["L19"],
    )
    refused(answer, "LimitExceededException")
    assert sum(len(labels) for labels in wire.stages().values()) == 20


# Changes


@row(47)
def a_new_description_makes_no_version(wire):
    _, first = wire.secret()
    made = wire.call(
        "UpdateSecret", SecretId="t/one", Description="said", ClientRequestToken=token()
    )
    assert set(made) == {"ARN", "Name"}
    shown = wire.call("DescribeSecret", SecretId="t/one")
    assert shown["Description"] == "said"
    assert shown["VersionIdsToStages"] == {first: ["AWSCURRENT"]}


@row(48)
def an_update_makes_the_value_current(wire):
    _, first = wire.secret()
    second = token()
    made = wire.call(
        "UpdateSecret", SecretId="t/one", SecretString="b", ClientRequestToken=second
    )
    assert made["VersionId"] == second
    assert wire.stages() == {second: {"AWSCURRENT"}, first: {"AWSPREVIOUS"}}


@row(49)
def an_update_needs_a_fresh_token(wire):
    _, first = wire.secret()
    answer = wire.fault(
        "UpdateSecret", SecretId="t/one", SecretString="z", ClientRequestToken=first
    )
    refused(answer, "ResourceExistsException")


@row(51)
def current_moves_back(wire):
    first, second = two_versions(wire)
    label(wire, "AWSCURRENT", MoveToVersionId=first, RemoveFromVersionId=second)
    assert wire.stages() == {first: {"AWSCURRENT"}, second: {"AWSPREVIOUS"}}


@row(52)
def moving_a_label_names_where_it_is(wire):
    first, second = two_versions(wire)
    answer = wire.fault(
        "UpdateSecretVersionStage",
        SecretId="t/one",
        VersionStage="AWSCURRENT",
        MoveToVersionId=first,
    )
    text = (
        "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently "
        f"attached to version {second}, so you must explicitly reference that version in "
        "RemoveFromVersionId."
    )
    refused(answer, "InvalidParameterException", text)


@row(53)
def current_is_never_removed(wire):
    _, second = two_versions(wire)
    answer = wire.fault(
        "UpdateSecretVersionStage",
        SecretId="t/one",
        VersionStage="AWSCURRENT",
        RemoveFromVersionId=second,
    )
    text = (
        "You can only move staging label AWSCURRENT to a different secret version. It can\u2019t be "
        "completely removed."
    )
    refused(answer, "InvalidParameterException", text)


@row(54)
def a_free_label_needs_no_source(wire):
    _, first = wire.secret()
    made = label(wire, "X", MoveToVersionId=first)
    assert set(made) == {"ARN", "Name"}
    assert wire.stages() == {first: {"AWSCURRENT", "X"}}


@row(55)
def a_version_that_loses_its_last_label_is_deprecated(wire):
    _, first = wire.secret()
    pending = wire.put("b", VersionStages=["AWSPENDING"])["VersionId"]
    label(wire, "AWSPENDING", RemoveFromVersionId=pending)
    assert wire.stages() == {first: {"AWSCURRENT"}}
    assert set(listed(wire)) == {first}
    assert set(listed(wire, IncludeDeprecated=True)) == {first, pending}


@row(56)
def version_and_label_must_agree(wire):
    first, _ = two_versions(wire)
    answer = wire.fault(
        "GetSecretValue", SecretId="t/one", VersionId=first, VersionStage="AWSCURRENT"
    )
    text = "You provided a VersionStage that is not associated to the provided VersionId."
    refused(answer, "InvalidRequestException", text)


@row(57)
def an_unknown_label_is_not_found(wire):
    wire.secret()
    answer = wire.fault("GetSecretValue", SecretId="t/one", VersionStage="NOPE")
    refused(answer, "ResourceNotFoundException", NO_LABEL + "NOPE")


@row(58)
def an_unknown_version_is_not_found(wire):
    wire.secret()
    unused = token()
    answer = wire.fault("GetSecretValue", SecretId="t/one", VersionId=unused)
    refused(answer, "ResourceNotFoundException", NO_VERSION + unused)


@row(59)
def reading_the_value_marks_the_day(wire):
    wire.secret()
    assert "LastAccessedDate" not in wire.call("DescribeSecret", SecretId="t/one")
    assert "LastAccessedDate" not in wire.call("DescribeSecret", SecretId="t/one")
    before = now() // 86_400
    wire.call("GetSecretValue", SecretId="t/one")
    after = now() // 86_400
    read = wire.call("DescribeSecret", SecretId="t/one")["LastAccessedDate"]
    assert read in (before * 86_400, after * 86_400)


@row(60)
def versions_name_the_default_key(wire):
    _, first = wire.secret()
    assert listed(wire)[first]["KmsKeyIds"] == ["DefaultEncryptionKey"]


# Tags


def tags(wire):
    shown = wire.call("DescribeSecret", SecretId="t/one").get("Tags")
    return shown if shown is None else {it["Key"]: it["Value"] for it in shown}


def tag(wire, **pairs):
    given = [{"Key": key, "Value": value} for key, value in pairs.items()]
    return wire.call("TagResource", SecretId="t/one", Tags=given)


def changed(wire):
    return wire.call("DescribeSecret", SecretId="t/one")["LastChangedDate"]


@row(61)
def tagging_answers_an_empty_object(wire):
    wire.secret()
    before = changed(wire)
    assert tag(wire, k="v") == {}
    assert changed(wire) > before
    assert tags(wire) == {"k": "v"}


@row(62)
def untagging_is_no_change(wire):
    wire.secret()
    tag(wire, k="v")
    before = changed(wire)
    assert wire.call("UntagResource", SecretId="t/one", TagKeys=["k"]) == {}
    assert changed(wire) == before
    assert tags(wire) == {}


@row(63)
def untagging_an_unknown_key_succeeds(wire):
    wire.secret()
    assert wire.call("UntagResource", SecretId="t/one", TagKeys=["none"]) == {}


@row(64)
def tagging_again_replaces(wire):
    wire.secret()
    tag(wire, k="v", other="o")
    tag(wire, k="w")
    assert tags(wire) == {"k": "w", "other": "o"}


# Deletion


def scheduled(wire):
    arn, first = wire.secret(Tags=[{"Key": "k", "Value": "v"}])
    wire.call("DeleteSecret", SecretId="t/one")
    return arn, first


@row(66)
def deletion_waits_30_days(wire):
    wire.secret()
    gone = wire.call("DeleteSecret", SecretId="t/one")
    assert set(gone) == {"ARN", "Name", "DeletionDate"}
    assert abs(gone["DeletionDate"] - now() - 30 * 86_400) < 60
    assert abs(wire.call("DescribeSecret", SecretId="t/one")["DeletedDate"] - now()) < 60


@row(67)
def the_window_is_7_to_30_days(wire):
    wire.secret()
    text = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
    for days in (6, 31):
        answer = wire.fault("DeleteSecret", SecretId="t/one", RecoveryWindowInDays=days)
        refused(answer, "InvalidParameterException", text)
    wire.call("DeleteSecret", SecretId="t/one", RecoveryWindowInDays=7)


@row(68)
def a_window_and_force_exclude_each_other(wire):
    wire.secret()
    answer = wire.fault(
        "DeleteSecret",
        SecretId="t/one",
        RecoveryWindowInDays=7,
        ForceDeleteWithoutRecovery=True,
    )
    text = (
        "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
    )
    refused(answer, "InvalidParameterException", text)


@row(70)
def a_marked_secret_is_not_readable(wire):
    scheduled(wire)
    answer = wire.fault("GetSecretValue", SecretId="t/one")
    refused(answer, "InvalidRequestException", MARKED)


@row(71)
def a_marked_secret_is_not_writable(wire):
    scheduled(wire)
    answer = wire.fault(
        "PutSecretValue", SecretId="t/one", SecretString="b", ClientRequestToken=token()
    )
    refused(answer, "InvalidRequestException", MARKED)


@row(72)
def a_marked_secret_is_described(wire):
    arn, _ = scheduled(wire)
    assert wire.call("DescribeSecret", SecretId="t/one")["ARN"] == arn


@row(73)
def a_marked_name_stays_taken(wire):
    scheduled(wire)
    answer = wire.fault(
        "CreateSecret", Name="t/one", SecretString="a", ClientRequestToken=token()
    )
    text = (
        "You can't create this secret because a secret with this name is already scheduled for "
        "deletion."
    )
    refused(answer, "InvalidRequestException", text)


@row(74)
def marked_secrets_are_listed_on_demand(wire):
    scheduled(wire)
    assert wire.call("ListSecrets")["SecretList"] == []
    (shown,) = wire.call("ListSecrets", IncludePlannedDeletion=True)["SecretList"]
    assert shown["Name"] == "t/one"
    assert "DeletedDate" in shown


@row(75)
def a_marked_secret_comes_back_whole(wire):
    arn, first = scheduled(wire)
    assert wire.call("RestoreSecret", SecretId="t/one") == {"ARN": arn, "Name": "t/one"}
    assert "DeletedDate" not in wire.call("DescribeSecret", SecretId="t/one")
    assert wire.call("GetSecretValue", SecretId="t/one")["SecretString"] == "a"
    assert wire.stages() == {first: {"AWSCURRENT"}}
    assert tags(wire) == {"k": "v"}


@row(76)
def force_frees_the_name(wire):
    arn, _ = scheduled(wire)
    gone = wire.call("DeleteSecret", SecretId="t/one", ForceDeleteWithoutRecovery=True)
    assert gone["ARN"] == arn
    answer = wire.fault("DescribeSecret", SecretId="t/one")
    refused(answer, "ResourceNotFoundException", NOT_FOUND)
    assert wire.secret()[0] != arn


@row(77)
def force_succeeds_without_a_secret(wire):
    wire.call("DeleteSecret", SecretId="t/none", ForceDeleteWithoutRecovery=True)
    answer = wire.fault("DeleteSecret", SecretId="t/none")
    refused(answer, "ResourceNotFoundException", NOT_FOUND)


# Resource policies


def policy(principal, effect="Allow", **more):
    statement = {
        "Effect": effect,
        "Principal": principal,
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
        **more,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


def own(wire):
    return {"AWS": f"arn:aws:iam::{wire.keys.account}:root"}


def attach(wire, text, **members):
    return wire.call("PutResourcePolicy", SecretId="t/one", ResourcePolicy=text, **members)


@row(92)
def policies_come_back_pretty_printed(wire):
    wire.secret()
    attach(wire, policy(own(wire)))
    found = wire.call("GetResourcePolicy", SecretId="t/one")["ResourcePolicy"]
    principal = f"arn:aws:iam::{wire.keys.account}:root"
    assert found == (
        '{\n  "Version" : "2012-10-17",\n  "Statement" : [ {\n    "Effect" : "Allow",\n'
        f'    "Principal" : {{\n      "AWS" : "{principal}"\n    }},\n'
        '    "Action" : "secretsmanager:GetSecretValue",\n    "Resource" : "*"\n  } ]\n}'
    )


@row(93)
def a_secret_without_policy_shows_none(wire):
    wire.secret()
    assert "ResourcePolicy" not in wire.call("GetResourcePolicy", SecretId="t/one")


@row(94)
def public_policies_are_blocked_on_demand(wire):
    wire.secret()
    answer = wire.fault(
        "PutResourcePolicy",
        SecretId="t/one",
        ResourcePolicy=policy("*"),
        BlockPublicPolicy=True,
    )
    refused(answer, "PublicPolicyException", PUBLIC)
    attach(wire, policy("*"))


@row(95)
def public_policies_do_not_validate(wire):
    found = wire.call("ValidateResourcePolicy", ResourcePolicy=policy("*"))
    assert found == {
        "PolicyValidationPassed": False,
        "ValidationErrors": [
            {"CheckName": "BlockPublicPolicyCheck", "ErrorMessage": PUBLIC},
        ],
    }


@row(96)
def narrow_policies_validate(wire):
    found = wire.call("ValidateResourcePolicy", ResourcePolicy=policy(own(wire)))
    assert found == {"PolicyValidationPassed": True, "ValidationErrors": []}


@row(97)
def principals_must_exist(wire):
    wire.secret()
    nobody = {"AWS": f"arn:aws:iam::{wire.keys.account}:role/nobody"}
    answer = wire.fault(
        "PutResourcePolicy", SecretId="t/one", ResourcePolicy=policy(nobody)
    )
    text = "This resource policy contains an unsupported principal."
    refused(answer, "MalformedPolicyDocumentException", text)


@row(98)
def only_the_default_policy_exists(wire):
    wire.secret()
    other = {"SecretId": "t/one", "PolicyName": "other"}
    put = wire.fault("PutResourcePolicy", ResourcePolicy=policy(own(wire)), **other)
    refused(put, "InvalidParameterException")
    refused(wire.fault("DeleteResourcePolicy", **other), "InvalidParameterException")
    refused(wire.fault("GetResourcePolicy", **other), "ResourceNotFoundException")


@row(99)
def the_policy_is_listed_by_name(wire):
    wire.secret()
    attach(wire, policy(own(wire)))
    found = wire.call("ListResourcePolicies", SecretId="t/one")
    assert found["ResourcePolicies"] == [{"PolicyName": "default"}]


# Lists


def names(wire, *filters, **members):
    given = [{"Key": key, "Values": values} for key, values in filters]
    members |= {"Filters": given} if given else {}
    return [it["Name"] for it in wire.call("ListSecrets", **members)["SecretList"]]


def create(wire, *wanted, **members):
    for name in wanted:
        wire.secret(name, **members)


@row(109)
def names_are_found_by_prefix(wire):
    create(wire, "DatabaseSecret", "databaseSecret", "MyData")
    assert names(wire, ("name", ["Data"])) == ["DatabaseSecret"]


@row(110)
def an_exclamation_mark_negates(wire):
    create(wire, "/x", "y", "y/z")
    assert sorted(names(wire, ("name", ["!/"]))) == ["y", "y/z"]


@row(111)
def descriptions_are_found_by_their_words(wire):
    create(wire, "t/one", Description="Description of my secret")
    create(wire, "t/two", Description="Another one")
    assert names(wire, ("description", ["My Description"])) == ["t/one"]


@row(112)
def filters_intersect_and_values_unite(wire):
    create(wire, "a/1", "b/1", Tags=[{"Key": "team", "Value": "x"}])
    create(wire, "a/2")
    assert sorted(names(wire, ("name", ["a", "b"]))) == ["a/1", "a/2", "b/1"]
    assert names(wire, ("name", ["a"]), ("tag-key", ["team"])) == ["a/1"]


@row(113)
def pages_show_each_secret_once(wire):
    create(wire, "a", "b", "c")
    seen, members = [], {}
    while True:
        page = wire.call("ListSecrets", MaxResults=1, **members)
        seen += [it["Name"] for it in page["SecretList"]]
        if len(seen) == 1:
            assert len(page["SecretList"]) == 1
            assert "NextToken" in page
        if "NextToken" not in page:
            break
        members = {"NextToken": page["NextToken"]}
    assert sorted(seen) == ["a", "b", "c"]


@row(114)
def pages_have_at_most_100_entries(wire):
    refused(wire.fault("ListSecrets", MaxResults=101), "ValidationException")
    unknown = [{"Key": "nope", "Values": ["x"]}]
    refused(wire.fault("ListSecrets", Filters=unknown), "ValidationException")


@row(115)
def entries_have_their_own_member_for_versions(wire):
    _, first = wire.secret()
    (shown,) = wire.call("ListSecrets")["SecretList"]
    assert shown["SecretVersionsToStages"] == {first: ["AWSCURRENT"]}
    assert not {"VersionIdsToStages", "ReplicationStatus"} & set(shown)


@row(116)
def lists_are_sorted_on_demand(wire):
    create(wire, "b", "c", "a")
    assert names(wire, SortBy="name", SortOrder="desc") == ["c", "b", "a"]
    assert names(wire, SortBy="name", SortOrder="asc") == ["a", "b", "c"]


@row(118)
def a_batch_tells_what_it_could_not_read(wire):
    arn, _ = wire.secret()
    found = wire.call("BatchGetSecretValue", SecretIdList=["t/one", "t/none"])
    (value,) = found["SecretValues"]
    assert (value["ARN"], value["SecretString"]) == (arn, "a")
    assert found["Errors"] == [
        {"SecretId": "t/none", "ErrorCode": "ResourceNotFoundException", "Message": NOT_FOUND}
    ]


@row(119)
def a_batch_is_by_ids_or_by_filters(wire):
    wire.secret()
    filters = [{"Key": "name", "Values": ["t"]}]
    both = wire.fault("BatchGetSecretValue", SecretIdList=["t/one"], Filters=filters)
    refused(both, "InvalidParameterException")
    paged = wire.fault("BatchGetSecretValue", SecretIdList=["t/one"], MaxResults=5)
    refused(paged, "InvalidParameterException")
    many = wire.fault("BatchGetSecretValue", SecretIdList=[f"s{n}" for n in range(21)])
    refused(many, "ValidationException")


# Passwords


@row(120)
def a_password_has_every_class(wire):
    for _ in range(20):
        made = wire.call("GetRandomPassword")
        assert set(made) == {"RandomPassword"}
        made = made["RandomPassword"]
        assert len(made) == 32
        classes = [string.ascii_lowercase, string.ascii_uppercase, string.digits]
        for wanted in [*classes, string.punctuation]:
            assert set(made) & set(wanted), made
        assert " " not in made


@row(122)
def a_password_has_at_most_4096_characters(wire):
    answer = wire.fault("GetRandomPassword", PasswordLength=4097)
    refused(answer, "ValidationException")
    assert "at 'passwordLength'" in answer.message


@row(123)
def a_password_lacks_what_is_excluded(wire):
    made = wire.call(
        "GetRandomPassword",
        PasswordLength=4096,
        ExcludePunctuation=True,
        ExcludeCharacters="abc",
    )["RandomPassword"]
    assert len(made) == 4096
    assert not set(made) & set(string.punctuation + "abc")


# The trail


def records(wire, *filters):
    """The audit records of this test's Region."""
    lines = wire.server.run("trail", "tail", "--json", *filters).stdout.splitlines()
    every = [json.loads(line) for line in lines]
    return [it for it in every if it["awsRegion"] == wire.region]


@row(132)
def the_trail_never_shows_a_value(wire):
    arn, _ = wire.secret()
    wire.put("never-shown")
    (record,) = records(wire, "--event", "PutSecretValue")
    assert record["responseElements"] == {"arn": arn}
    assert record["requestParameters"]["secretId"] == "t/one"
    assert "secretString" not in record["requestParameters"]
    assert "never-shown" not in json.dumps(record)


@row(133)
def the_trail_shows_denials(wire):
    arn, _ = wire.secret()
    stranger = wire.server.wire(wire.region, wire.server.new_account())
    answer = stranger.fault("GetSecretValue", SecretId=arn)
    (record,) = records(wire, "--event", "GetSecretValue")
    assert (record["errorCode"], record["errorMessage"]) == ("AccessDenied", answer.message)
    assert record["userIdentity"]["accountId"] == stranger.keys.account


@row(134)
def the_trail_shows_each_secret_of_a_batch(wire):
    create(wire, "a", "b")
    wire.call("BatchGetSecretValue", SecretIdList=["a", "b"])
    found = records(wire, "--event", "GetSecretValue")
    service = "secretsmanager.amazonaws.com"
    assert [it["userAgent"] for it in found] == [service, service]
    assert sorted(it["requestParameters"]["secretId"] for it in found) == ["a", "b"]


# What widely used clients send


@row(140)
def a_token_of_zeros_is_a_token(wire):
    zeros = "00000000-0000-0000-0000-000000000001"
    assert wire.secret(ClientRequestToken=zeros)[1] == zeros


@row(141)
def a_single_version_has_no_previous(wire):
    wire.secret()
    answer = wire.fault("GetSecretValue", SecretId="t/one", VersionStage="AWSPREVIOUS")
    refused(answer, "ResourceNotFoundException", NO_LABEL + "AWSPREVIOUS")


@row(142)
def a_finished_rotation_keeps_its_pending_label(wire):
    _, first = wire.secret()
    pending = wire.put("b", VersionStages=["AWSPENDING"])["VersionId"]
    label(wire, "AWSCURRENT", MoveToVersionId=pending, RemoveFromVersionId=first)
    assert wire.stages() == {pending: {"AWSCURRENT", "AWSPENDING"}, first: {"AWSPREVIOUS"}}


@pytest.mark.parametrize("number", sorted(ROWS), ids=str)
def test_row(number, wire):
    ROWS[number](wire)
