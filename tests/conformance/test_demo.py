"""`strongroom demo rotation`: passwords of a real PostgreSQL change under logins, and no login fails."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from strongroom import BINARY

LINE = [BINARY, "demo", "rotation"]


@pytest.fixture
def scratch():
    """A folder for what is temporary, that the database's user can pass through."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="strongroom-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def environment(scratch):
    return {**os.environ, "TMPDIR": str(scratch)}


def nothing_is_left(scratch):
    lines = (it.read_bytes() for it in pathlib.Path("/proc").glob("[0-9]*/cmdline"))
    assert [it for it in lines if str(scratch).encode() in it] == []
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("strategy", ("single", "alternating"))
def test_no_login_fails_while_passwords_change(strategy, scratch):
    arguments = ("--strategy", strategy, "--seconds", "8", "--every", "1500ms", "--workers", "4", "--json")
    done = subprocess.run([*LINE, *arguments], env=environment(scratch), capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, ""), done
    (told,) = json.loads(done.stdout)["Strategies"]
    assert (told["Strategy"], told["Failures"]) == (strategy, 0)
    assert told["Rotations"] >= 3 and told["Logins"] > 100, told
    # With a single user there is a moment in which the value that was read is old: AWS prescribes to read it again.
    assert strategy == "single" or told["Retried"] == 0, told
    nothing_is_left(scratch)


def test_an_interrupt_ends_it_in_order(scratch):
    shown = subprocess.Popen(
        [*LINE, "--seconds", "600", "--every", "1s", "--workers", "2"],
        env=environment(scratch),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        first = shown.stderr.readline()
        assert first.startswith("single user: rotation 1 in "), first
        # As a terminal does it: to the whole group.
        os.killpg(shown.pid, signal.SIGINT)
        out, _ = shown.communicate(timeout=60)
    finally:
        shown.kill()
    assert shown.returncode == 0
    assert [it.split()[0] for it in out.splitlines()] == ["STRATEGY", "single"], out
    nothing_is_left(scratch)


def test_wrong_usage_starts_nothing(scratch):
    for arguments in (("--every", "10ms"), ("--seconds", "0"), ("--workers", "65"), ("--strategy", "both")):
        done = subprocess.run([*LINE, *arguments], env=environment(scratch), capture_output=True, text=True)
        assert done.returncode == 2, done
    nothing_is_left(scratch)
