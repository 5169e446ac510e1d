"""LookupEvents over the audit journal, through unmodified boto3 and the AWS CLI.

Names of the tests' cases are rows of the specification of integrations, section 10.
"""

import datetime
import json

import pytest

from strongroom import Keys, Server
from test_access import allow, policy, refused
from test_aws_cli import aws  # noqa: F401, a fixture

SECRET = "AWS::SecretsManager::Secret"


class World:
    """A Region with a story: who did what, in order."""

    def __init__(self, server, region):
        self.server, self.region = server, region
        self.secrets = server.client(region)
        self.trail = server.client(region, service="cloudtrail")
        self.arn = self.secrets.create_secret(Name="app/db", SecretString="canary-1")["ARN"]
        self.secrets.get_secret_value(SecretId="app/db")
        self.secrets.get_secret_value(SecretId=self.arn)
        refused(lambda: self.secrets.get_secret_value(SecretId="none"), "ResourceNotFoundException")

    def look(self, **more):
        return self.trail.lookup_events(**more)["Events"]

    def having(self, key, value, **more):
        return self.look(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}], **more)

    def names(self, *words, **more):
        return [it["EventName"] for it in self.having(*words, **more)]


@pytest.fixture
def world(server, region):
    return World(server, region)


def test_events_are_listed_newest_first_with_their_record(world):
    events = world.look()
    assert [it["EventName"] for it in events] == ["GetSecretValue"] * 3 + ["CreateSecret"]
    failed, by_arn, by_name, created = events
    keys = world.server.keys
    record = json.loads(created["CloudTrailEvent"])
    assert record["eventID"] == created["EventId"]
    assert record["requestParameters"]["name"] == "app/db" and "canary" not in created["CloudTrailEvent"]
    assert created["EventTime"].strftime("%Y-%m-%dT%H:%M:%SZ") == record["eventTime"]
    assert created["EventSource"] == record["eventSource"] == "secretsmanager.amazonaws.com"
    assert (created["ReadOnly"], by_name["ReadOnly"]) == ("false", "true")
    assert created["AccessKeyId"] == keys.key_id and created["Username"] == "admin"
    resources = [(it["ResourceType"], it["ResourceName"]) for it in created["Resources"]]
    assert resources == [(SECRET, "app/db"), (SECRET, world.arn)]
    assert [it["ResourceName"] for it in by_arn["Resources"]] == [world.arn]
    assert json.loads(failed["CloudTrailEvent"])["errorCode"] == "ResourceNotFoundException"
    # The lookup itself has left a record, too.
    assert world.look()[0]["EventName"] == "LookupEvents"


def test_each_attribute_finds_what_has_it(world):
    created = world.having("EventName", "CreateSecret")[0]
    for key, value, expected in [
        ("EventId", created["EventId"], ["CreateSecret"]),
        ("EventName", "GetSecretValue", ["GetSecretValue"] * 3),
        ("EventName", "getsecretvalue", []),
        ("ReadOnly", "false", ["CreateSecret"]),
        # A secret is the same by its name and by its ARN.
        ("ResourceName", "app/db", ["GetSecretValue"] * 2 + ["CreateSecret"]),
        ("ResourceName", world.arn, ["GetSecretValue"] * 2 + ["CreateSecret"]),
        ("ResourceName", "app", []),
        ("ResourceType", SECRET, ["GetSecretValue"] * 3 + ["CreateSecret"]),
        ("EventSource", "secretsmanager.amazonaws.com", ["GetSecretValue"] * 3 + ["CreateSecret"]),
        ("EventSource", "kms.amazonaws.com", []),
        ("AccessKeyId", "AKIANOBODY", []),
        ("Username", "nobody", []),
    ]:
        assert world.names(key, value) == expected, (key, value)
    mine = world.having("AccessKeyId", world.server.keys.key_id)
    assert mine[-1] == created
    assert world.having("Username", "admin")[-1] == created


def test_pages_and_time(world):
    attribute = [{"AttributeKey": "ResourceType", "AttributeValue": SECRET}]
    pages = world.trail.get_paginator("lookup_events").paginate(
        LookupAttributes=attribute, PaginationConfig={"PageSize": 1}
    )
    pages = [it["Events"] for it in pages]
    assert [len(it) for it in pages] == [1] * 4
    whole = world.look(LookupAttributes=attribute)
    assert sum(pages, []) == whole
    at = whole[-1]["EventTime"]
    second = datetime.timedelta(seconds=1)
    # Both ends count (whole seconds), whatever has happened in the same one.
    assert whole[-1] in world.look(StartTime=at, EndTime=at, LookupAttributes=attribute)
    assert whole[-1] in world.look(EndTime=at, LookupAttributes=attribute)
    assert whole[-1] not in world.look(EndTime=at - second, LookupAttributes=attribute)
    assert world.look(StartTime=at + 86400 * second, LookupAttributes=attribute) == []
    assert world.look(EventCategory="insight") == []


def test_what_is_refused(world):
    one = {"AttributeKey": "EventName", "AttributeValue": "GetSecretValue"}
    first = world.trail.lookup_events(MaxResults=1, LookupAttributes=[one])
    token = first["NextToken"]
    now = datetime.datetime.now(datetime.timezone.utc)
    later = now + datetime.timedelta(seconds=5)
    for _row, error, ask in [
        (26, "InvalidLookupAttributesException", {"LookupAttributes": [one, one]}),
        (0, "InvalidLookupAttributesException", {"LookupAttributes": [one | {"AttributeKey": "Name"}]}),
        (0, "InvalidLookupAttributesException", {"LookupAttributes": [one | {"AttributeValue": "x" * 2001}]}),
        (27, "InvalidMaxResultsException", {"MaxResults": 51}),
        (27, "InvalidMaxResultsException", {"MaxResults": 0}),
        (0, "InvalidTimeRangeException", {"StartTime": later, "EndTime": now}),
        (0, "InvalidEventCategoryException", {"EventCategory": "management"}),
        (0, "InvalidNextTokenException", {"NextToken": token}),
        (0, "InvalidNextTokenException", {"NextToken": token[2:], "LookupAttributes": [one]}),
        (0, "InvalidNextTokenException", {"NextToken": token, "LookupAttributes": [one], "EndTime": later}),
    ]:
        client = world.server.client(world.region, service="cloudtrail", parameter_validation=False)
        refused(lambda: client.lookup_events(**ask), error)
    # How many may change from page to page.
    rest = world.look(NextToken=token, LookupAttributes=[one], MaxResults=50)
    assert [it["EventName"] for it in rest] == ["GetSecretValue"] * 2


def test_an_account_sees_its_own_records_of_one_region(world, stranger):
    elsewhere = world.server.client(f"{world.region}9", service="cloudtrail")
    assert [it["EventName"] for it in elsewhere.lookup_events()["Events"]] == []
    theirs = world.server.client(world.region, service="cloudtrail", keys=stranger)
    event = world.having("EventName", "CreateSecret")[0]["EventId"]
    attribute = [{"AttributeKey": "EventId", "AttributeValue": event}]
    assert theirs.lookup_events(LookupAttributes=attribute)["Events"] == []
    assert theirs.lookup_events()["Events"][0]["EventName"] == "LookupEvents"
    iam = world.server.client("us-east-1", service="iam")
    iam.create_user(UserName=f"reader-{world.region}")
    key = iam.create_access_key(UserName=f"reader-{world.region}")["AccessKey"]
    keys = Keys(world.server.keys.account, key["AccessKeyId"], key["SecretAccessKey"])
    reader = world.server.client(world.region, service="cloudtrail", keys=keys)
    message = refused(lambda: reader.lookup_events())
    assert "not authorized to perform: cloudtrail:LookupEvents" in message
    allowed = policy(allow("cloudtrail:LookupEvents", "*"))
    iam.put_user_policy(UserName=f"reader-{world.region}", PolicyName="look", PolicyDocument=allowed)
    # What was denied stands there, too.
    assert reader.lookup_events()["Events"][0]["Username"] == f"reader-{world.region}"


def test_the_command_line(aws, world):
    having = "AttributeKey=EventName,AttributeValue=CreateSecret"
    words = ["--lookup-attributes", having, "--region", world.region]
    found = aws("cloudtrail", "lookup-events", *words)
    assert [it["EventName"] for it in found["Events"]] == ["CreateSecret"]


def test_a_kill_loses_nothing_that_can_be_looked_up(tmp_path):
    server = Server(tmp_path).start()
    try:
        for number in range(3):
            server.client("us-east-1").create_secret(Name=f"s/{number}", SecretString="x")
            server.process.kill()
            server.process.wait()
            server.start()
        attribute = {"AttributeKey": "EventName", "AttributeValue": "CreateSecret"}
        trail = server.client("us-east-1", service="cloudtrail")
        events = trail.lookup_events(LookupAttributes=[attribute])["Events"]
        names = [{it["ResourceName"] for it in event["Resources"]} & {"s/0", "s/1", "s/2"} for event in events]
        assert names == [{"s/2"}, {"s/1"}, {"s/0"}]
    finally:
        server.stop()
