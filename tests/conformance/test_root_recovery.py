"""A root key that is lost: shares printed once, typed in any case, bring every value back."""

import os
import pty
import termios
import time

import pytest

from strongroom import BINARY, Server


@pytest.fixture
def server(tmp_path):
    running = Server(tmp_path)
    yield running
    running.stop()


def put(server, shares):
    paths = []
    for number, share in enumerate(shares):
        path = server.folder / f"share-{number}"
        path.write_text(share)
        paths += ["--share", str(path)]
    return paths


def use(server, shares):
    return server.run("root-key", "recovery", "use", *put(server, shares), check=False)


def test_three_of_five_open_what_nobody_else_can(server):
    secrets = server.start().client("us-east-1")
    secrets.create_secret(Name="s", SecretString="canary-4711")
    made = server.run("root-key", "recovery", "create", "--shares", "5", "--threshold", "3")
    shares = made.stdout.split()
    assert len(shares) == 5 and "shown only now" in made.stderr
    assert server.run("root-key", "recovery", "create", "--threshold", "9", check=False).returncode == 3
    # A Region that comes later has a partition key that comes later.
    server.client("eu-west-1").create_secret(Name="late", SecretString="canary-4712")
    assert use(server, shares[:3]).returncode == 3, "the server runs"
    told = (server.data / "journal").rglob("*")
    assert not any(shares[0].encode() in it.read_bytes() for it in told if it.is_file())
    server.stop()

    other = Server(server.folder / "other")
    other.folder.mkdir()
    other.start()
    foreign = other.run("root-key", "recovery", "create").stdout.split()
    other.stop()

    kept = use(server, shares[:3])
    assert "root.key` exists already" in kept.stderr
    (server.data / "root.key").unlink()
    assert "by its shares" in server.refuses_to_start()
    for given, expected in [
        (shares[:2], "2 of 3 shares were given"),
        ([*shares[:2], shares[1]], "share 2 was given twice"),
        ([*shares[:2], foreign[2]], "share 3 belongs to other shares"),
        ([*shares[:2], shares[2][:-1]], "a letter of it is wrong"),
    ]:
        refused = use(server, given)
        assert refused.returncode == 3 and expected in refused.stderr, refused.stderr
        assert "hint: " in refused.stderr
        assert not (server.data / "root.key").exists()

    done = use(server, [it.lower().replace("-", " ") for it in shares[2:]])
    assert done.returncode == 0, done.stderr
    server.start()
    for region, name, value in [("us-east-1", "s", "canary-4711"), ("eu-west-1", "late", "canary-4712")]:
        assert server.client(region).get_secret_value(SecretId=name)["SecretString"] == value


class Terminal:
    """A command at a terminal of its own, as a person sees it."""

    def __init__(self, *line):
        child, self.end = pty.fork()
        if child == 0:
            os.execv(line[0], line)
        self.child, self.seen = child, b""

    def read_to(self, prompt):
        """Waits for `prompt` and until what is typed is not shown any more."""
        before = len(self.seen)
        while prompt.encode() not in self.seen[before:]:
            self.seen += os.read(self.end, 4096)
        deadline = time.monotonic() + 60
        while termios.tcgetattr(self.end)[3] & termios.ECHO:
            assert time.monotonic() < deadline, "what is typed is shown"
            os.sched_yield()

    def type(self, text):
        os.write(self.end, f"{text}\n".encode())

    def close(self):
        """All that was shown, the exit code, and whether typing is shown again."""
        try:
            while part := os.read(self.end, 4096):
                self.seen += part
        except OSError:
            pass  # so the end of a terminal is told
        shows = bool(termios.tcgetattr(self.end)[3] & termios.ECHO)
        os.close(self.end)
        _, status = os.waitpid(self.child, 0)
        return self.seen.decode(), os.waitstatus_to_exitcode(status), shows


def test_shares_are_typed_without_being_shown(server):
    server.start().client("us-east-1").create_secret(Name="s", SecretString="canary-4711")
    made = server.run("root-key", "recovery", "create", "--shares", "3", "--threshold", "2")
    shares = made.stdout.split()
    server.stop()
    (server.data / "root.key").unlink()
    terminal = Terminal(str(BINARY), "root-key", "recovery", "use", "--data", str(server.data))
    first, second = "share 1 of 2: ", "share 2 of 2: "
    # A slip of the finger, and the same share again, are told, and asked for once more.
    for prompt, typed in [
        (first, shares[0][:-1]),
        (first, shares[0].lower()),
        (second, shares[0]),
        (second, f"  {shares[2]} "),
    ]:
        terminal.read_to(prompt)
        terminal.type(typed)
    shown, code, shows = terminal.close()
    assert code == 0 and shows, shown
    assert "a letter of it is wrong" in shown and "share 1 was given twice" in shown
    assert str(server.data / "root.key") in shown
    for part in {it for share in shares for it in share.split("-") if len(it) > 3}:
        assert part.lower() not in shown.lower(), shown
    server.start()
    assert server.client("us-east-1").get_secret_value(SecretId="s")["SecretString"] == "canary-4711"


def test_a_terminal_that_goes_away_leaves_nothing(server):
    server.start()
    server.run("root-key", "recovery", "create", "--shares", "3", "--threshold", "2")
    server.stop()
    (server.data / "root.key").unlink()
    terminal = Terminal(str(BINARY), "root-key", "recovery", "use", "--data", str(server.data))
    terminal.read_to("share 1 of 2: ")
    os.write(terminal.end, b"\x04")  # the end of what is typed
    shown, code, shows = terminal.close()
    assert code == 3 and shows, shown
    assert not (server.data / "root.key").exists()
