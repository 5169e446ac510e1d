"""Functions that misbehave, uploaded and invoked by unmodified boto3: what they get, and what everyone else keeps."""

import base64
import io
import itertools
import json
import os
import random
import shutil
import zipfile

import pytest

from strongroom import Server
from test_access import refused
from test_lambda import World, package
from test_oidc import Production
from test_rotation_functions import PYTHON, start

REGION = "eu-west-1"
_numbers = itertools.count(1)
CODE = """
import glob, json, os, signal, sys

def loop(event, context):
    while True: pass

def stubborn(event, context):
    for it in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(it, signal.SIG_IGN)
    print("I stay")
    while True: signal.pause()

def hungry(event, context):
    held = []
    while True: held.append(bytearray(16 << 20))

def forking(event, context):
    count = 0
    try:
        while True:
            if os.fork() == 0:
                signal.pause()
            count += 1
    except OSError as error:
        return {"error": type(error).__name__, "count": count}

def telling(event, context):
    print("my key is", os.environ["AWS_SECRET_ACCESS_KEY"])
    print("as JSON:", json.dumps({"token": os.environ["AWS_SESSION_TOKEN"]}), file=sys.stderr)
    raise RuntimeError(os.environ["AWS_SECRET_ACCESS_KEY"])

def key(event, context):
    return {"key": os.environ["AWS_SECRET_ACCESS_KEY"]}

def reach(event, context):
    def what(act):
        try:
            return "did: " + str(act())[:200]
        except Exception as error:
            return type(error).__name__
    found = {}
    for path in event["read"]:
        found["read " + path] = what(lambda: os.listdir(path) if os.path.isdir(path) else open(path, "rb").read())
    for path in event["write"]:
        found["write " + path] = what(lambda: open(path, "w").write("x"))
    return found

def environments(event, context):
    seen = []
    for path in glob.glob("/proc/[0-9]*/environ") + ["/proc/%d/environ" % event["server"]]:
        try:
            seen.append(open(path, "rb").read().decode(errors="replace"))
        except OSError:
            pass
    return seen

def opening(event, context):
    held = []
    try:
        while True: held.append(open("/dev/null"))
    except OSError as error:
        return {"error": error.errno, "count": len(held)}

def large(event, context):
    return "x" * event["bytes"]

def filling(event, context):
    try:
        with open("/tmp/x", "wb") as out:
            for _ in range(700): out.write(bytes(1 << 20))
    except OSError as error:
        return error.errno

def flood(event, context):
    for number in range(4000): print("y" * 1000)
    print("the last line")

def fine(event, context):
    return "fine"
"""


@pytest.fixture(scope="module")
def walls(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("walls"))
    os.environ["OF_THE_SERVER"] = "canary-of-the-environment"
    try:
        start(server)
        yield Walls(server)
        assert server.process.poll() is None, "the server died of it"
    finally:
        del os.environ["OF_THE_SERVER"]
        server.stop()


class Walls(World):
    def __init__(self, server):
        super().__init__(server, REGION)

    def made(self, handler, code=CODE, **more):
        name = f"{handler}-{next(_numbers)}"
        members = {"Runtime": PYTHON, "Handler": f"app.{handler}", "Code": {"ZipFile": package(**{"app.py": code})}}
        self.create(name, **members | {"Timeout": 20} | more)
        return name

    def ask(self, name, event=None, **more):
        answer = self.functions.invoke(FunctionName=name, Payload=json.dumps(event or {}), LogType="Tail", **more)
        return answer, json.loads(answer["Payload"].read())

    def run(self, handler, event=None, **more):
        return self.ask(self.made(handler, **more), event)

    def failure(self, handler, **more):
        answer, said = self.run(handler, **more)
        assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
        return said


@pytest.mark.parametrize("handler", ["loop", "stubborn"])
def test_it_never_ends(walls, handler):
    said = walls.failure(handler, Timeout=1)
    assert said.keys() == {"errorMessage"}
    assert said["errorMessage"].endswith(" Task timed out after 1.00 seconds")


def test_it_eats_memory(walls):
    said = walls.failure("hungry")
    assert said["errorType"] in ("MemoryError", "Runtime.ExitError")


def test_it_forks_without_end(walls):
    _, said = walls.run("forking")
    assert said["error"] in ("BlockingIOError", "OSError") and 0 < said["count"] <= 1024
    assert walls.run("fine")[1] == "fine"


def test_it_tells_its_key(walls):
    _, told = walls.run("key")
    answer, said = walls.run("telling")
    assert said["errorMessage"] == "[hidden]" and "FunctionError" in answer
    log = walls.server.stderr.read_text()
    assert "my key is [hidden]" in log and '"token": "[hidden]"' in log
    held = [it for it in walls.server.folder.rglob("*") if it.is_file() and told["key"].encode() in it.read_bytes()]
    assert held == [], "an answer is kept nowhere"


def test_it_reaches_for_files(walls):
    name = walls.made("fine", code=CODE + "# another one's code")
    walls.ask(name)
    data = walls.server.data
    other = next((data / "functions" / "unpacked").iterdir())
    read = [str(it) for it in (data, data / "admin.sock", data / "functions", other, "/home", "/etc/shadow")]
    write = [str(data / "x"), "/var/task/x", "/etc/x", "/usr/x", "/x"]
    _, found = walls.run("reach", {"read": read, "write": write})
    reached = {what: how for what, how in found.items() if how.startswith("did")}
    assert reached == {}, reached


def test_it_looks_at_the_environment_of_others(walls):
    _, seen = walls.run("environments", {"server": walls.server.process.pid})
    assert not any("canary-of-the-environment" in it for it in seen)


def test_it_opens_many_files(walls):
    _, said = walls.run("opening")
    assert said["error"] == 24 and 100 < said["count"] <= 4096


def test_it_answers_too_much(walls):
    name = walls.made("large")
    assert len(walls.ask(name, {"bytes": 6 << 20})[1]) == 6 << 20
    answer, said = walls.ask(name, {"bytes": (6 << 20) + 200})
    assert answer["FunctionError"] == "Unhandled"
    assert said["errorType"] == "Function.ResponseSizeTooLarge" and "6291556 bytes" in said["errorMessage"]


def test_it_fills_its_folder(walls):
    assert walls.run("filling")[1] in (27, 28)


def test_it_floods_the_log(walls):
    before = walls.server.stderr.stat().st_size
    answer, _ = walls.run("flood")
    assert "FunctionError" not in answer
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert len(tail) == 4096 and "the last line" in tail and "REPORT RequestId" in tail
    assert walls.server.stderr.stat().st_size - before < 3 << 20
    assert " lines are not told" in walls.server.stderr.read_text()


def test_it_never_starts(walls):
    said = walls.failure("fine", code="raise SystemExit(7)")
    assert said["errorType"] == "Runtime.ExitError" and "exit status 7" in said["errorMessage"]
    said = walls.failure("fine", code="import nothing_of_this_name")
    assert said["errorType"] == "Runtime.ImportModuleError"
    assert walls.run("fine")[1] == "fine"


def test_one_that_fits_into_no_bound(tmp_path):
    server = Production(tmp_path)
    try:
        server.start("[functions]\nmemory_mb = 700\n")
        walls = Walls(server)
        name = walls.made("fine", MemorySize=256)
        refused(lambda: walls.ask(name), "ServiceException")
        told = "may have 768 MB, memory and temporary folder together, and all functions 700 MB"
        assert told in server.stderr.read_text()
    finally:
        server.stop()


def test_a_backup_has_the_code(walls, tmp_path):
    name = walls.made("fine", code=CODE + f"# {random.Random(1).randbytes(90_000).hex()}")
    file = tmp_path / "today.backup"
    walls.server.run("backup", str(file))
    second = Server(tmp_path)
    second.run("restore", str(file))
    shutil.copy2(walls.server.data / "root.key", second.data / "root.key")
    try:
        start(second)
        functions = second.client(REGION, service="lambda", keys=walls.server.keys)
        assert functions.invoke(FunctionName=name)["Payload"].read() == b'"fine"'
    finally:
        second.stop()


def test_packages_are_sealed(walls):
    canary = "canary-in-a-package-" * 5
    sealed = walls.made("fine", code=f"# {canary}\n{CODE}")
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("app.py", f"# {canary}\n{CODE}")
    walls.functions.update_function_code(FunctionName=sealed, ZipFile=stored.getvalue())
    found = lambda: [it for it in walls.server.data.rglob("*") if it.is_file() and canary.encode() in it.read_bytes()]  # noqa: E731
    assert found() == []
    walls.ask(sealed)
    assert {it.parents[1].name for it in found()} == {"unpacked"}
