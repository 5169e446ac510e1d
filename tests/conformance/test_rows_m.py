"""Table: checkable statements that are probable, each by its number. They may need correcting."""

import pytest

from strongroom import token

ROWS = {}

# Probable statements that can't be shown yet, and why.
LATER = {
    **dict.fromkeys([135, 136, 137], "needs replication across accounts"),
    138: "needs a hundred versions and a clock to move: shown by the service's own tests",
}

PROBABLE = [7, 8, 12, 21, 22, 30, 31, 69, 117, 121, 135, 136, 137, 138]


def row(number):
    def register(test):
        assert number not in ROWS
        ROWS[number] = test
        return test

    return register


def refused(answer, kind, message=None):
    assert (answer.status, answer.type) == (400, kind), answer.body
    if message is not None:
        assert answer.message == message


def test_every_probable_row_is_shown_or_listed():
    assert sorted([*ROWS, *LATER]) == sorted(PROBABLE)


@row(7)
def another_value_under_the_same_token_collides(wire):
    arn, first = wire.secret()
    answer = wire.fault(
        "CreateSecret", Name="t/one", SecretString="b", ClientRequestToken=first
    )
    refused(answer, "ResourceExistsException")
    assert first in answer.message
    assert arn in answer.message


@row(8)
def a_value_is_text_or_bytes(wire):
    answer = wire.fault(
        "CreateSecret",
        Name="t/one",
        SecretString="a",
        SecretBinary="AAE=",
        ClientRequestToken=token(),
    )
    text = (
        "You can't specify both a binary secret value and a string secret value in the same "
        "secret."
    )
    refused(answer, "InvalidParameterException", text)


@row(12)
def a_value_needs_a_token(wire):
    answer = wire.fault("CreateSecret", Name="t/one", SecretString="a")
    text = "You must provide a ClientRequestToken value. We recommend a UUID-type value."
    refused(answer, "InvalidRequestException", text)


@row(21)
def an_unknown_operation_is_told_without_message(wire):
    answer = wire.fault("Nope")
    assert (answer.status, answer.json) == (400, {"__type": "UnknownOperationException"})


@row(22)
def half_a_body_is_no_body(wire):
    answer = wire.send("ListSecrets", b"{")
    refused(answer, "SerializationException")


@row(30)
def a_name_like_an_arn_with_suffix_is_not_found(wire):
    arn, _ = wire.secret("x-abcdef")
    assert wire.call("DescribeSecret", SecretId=arn)["Name"] == "x-abcdef"
    answer = wire.fault("DescribeSecret", SecretId=arn[:-7])
    refused(answer, "ResourceNotFoundException")


@row(31)
def a_name_with_suffix_is_not_found(wire):
    arn, _ = wire.secret()
    answer = wire.fault("DescribeSecret", SecretId=arn.rpartition(":")[2])
    refused(answer, "ResourceNotFoundException")


@row(69)
def the_window_is_checked_before_force(wire):
    wire.secret()
    answer = wire.fault(
        "DeleteSecret",
        SecretId="t/one",
        RecoveryWindowInDays=5,
        ForceDeleteWithoutRecovery=True,
    )
    text = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
    refused(answer, "InvalidParameterException", text)


@row(117)
def a_page_token_is_ours_or_refused(wire):
    refused(wire.fault("ListSecrets", NextToken="garbage"), "InvalidNextTokenException")


@row(121)
def a_password_is_long_enough_for_its_classes(wire):
    answer = wire.fault("GetRandomPassword", PasswordLength=3)
    text = "Password length is too short based on the required types."
    refused(answer, "InvalidParameterException", text)
    short = wire.call("GetRandomPassword", PasswordLength=3, RequireEachIncludedType=False)
    assert len(short["RandomPassword"]) == 3


@pytest.mark.parametrize("number", sorted(ROWS), ids=str)
def test_row(number, wire):
    ROWS[number](wire)
