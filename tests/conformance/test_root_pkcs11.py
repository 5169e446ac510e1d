"""The root key in a token (SoftHSM): a server moved into it and out of it, a wrong PIN, a token that is gone."""

import os
import shutil
import subprocess

import pytest

from strongroom import BINARY, Server

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "4711-pin"


class Configured(Server):
    """A server with a configuration, which finds its tokens in its own folder."""

    def __init__(self, folder):
        super().__init__(folder)
        self.tokens = self.folder / "tokens"
        self.tokens.mkdir()
        self.data.mkdir(mode=0o700)
        conf = self.folder / "softhsm2.conf"
        conf.write_text(f"directories.tokendir = {self.tokens}\nlog.level = ERROR\n")
        self.variables = {**os.environ, "SOFTHSM2_CONF": str(conf)}
        line = ["softhsm2-util", "--init-token", "--free", "--label", "safe"]
        subprocess.run(
            [*line, "--pin", PIN, "--so-pin", "5678"], env=self.variables, check=True, capture_output=True
        )
        self.put_pin(PIN)

    def put_pin(self, pin):
        path = self.folder / "pin"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(pin)

    def token(self, key="root"):
        pin = self.folder / "pin"
        return (
            f'provider = "pkcs11"\nmodule = "{MODULE}"\ntoken = "safe"\nkey = "{key}"\npin = "{pin}"\n'
        )

    def line(self, root_key, previous=""):
        listen = f'[server]\ndata = "{self.data}"\nlisten = ["127.0.0.1:0"]\n'
        before = f"[root_key.previous]\n{previous}" if previous else ""
        config = self.folder / "config.toml"
        config.write_text(f"{listen}[root_key]\n{root_key}{before}")
        return [BINARY, "server", "--config", str(config)]

    def begin(self, root_key, previous=""):
        with open(self.stderr, "wb") as err:
            self.process = subprocess.Popen(
                self.line(root_key, previous),
                env=self.variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )  # fmt: skip
            for said in self.process.stderr:
                err.write(said)
                if b'"ready"' in said:
                    break
            else:
                raise AssertionError(f"no server:\n{self.stderr.read_text()}")
        self.endpoint = self.admin("GET", "/v1/status")["Endpoint"]
        if self.keys is None:
            self.keys = self.new_account()
        return self.client("us-east-1")

    def refuses(self, root_key, previous=""):
        line = self.line(root_key, previous)
        done = subprocess.run(line, env=self.variables, capture_output=True, text=True, timeout=60)
        assert done.returncode != 0
        return done.stderr


@pytest.fixture
def server(tmp_path):
    running = Configured(tmp_path)
    yield running
    running.stop()


def value(client):
    return client.get_secret_value(SecretId="s")["SecretString"]


def test_written_and_read_again_after_a_restart(server):
    secrets = server.begin(server.token())
    secrets.create_secret(Name="s", SecretString="canary-4711")
    server.stop()
    assert not (server.data / "root.key").exists()
    assert value(server.begin(server.token())) == "canary-4711"
    server.stop()

    server.put_pin("wrong")
    told = server.refuses(server.token())
    assert "refuses the PIN: it is wrong" in told and "hint: " in told
    server.put_pin(PIN)
    told = server.refuses(server.token("other"))
    assert "token `safe` holds no key `other`" in told
    kept = server.folder / "kept"
    shutil.move(server.tokens, kept)
    server.tokens.mkdir()
    assert "no token `safe` is there" in server.refuses(server.token())
    server.tokens.rmdir()
    shutil.move(kept, server.tokens)
    assert value(server.begin(server.token())) == "canary-4711"


def test_from_a_file_to_a_token_to_another_key_and_back(server):
    file = 'provider = "file"\n'
    secrets = server.begin(file)
    secrets.create_secret(Name="s", SecretString="canary-4711")
    server.stop()
    for to, former in [
        (server.token(), file),
        (server.token("second"), server.token()),
        (f'{file}path = "{server.folder}/new.key"\n', server.token("second")),
    ]:
        assert value(server.begin(to, former)) == "canary-4711"
        moved = server.run("root-key", "rotate").stdout.strip()
        assert moved.split(":")[0] in ("pkcs11", "file")
        assert value(server.client("us-east-1")) == "canary-4711"
        server.stop()
        # The former alone is not enough any more, and the new one is.
        assert "root key" in server.refuses(former)
        assert value(server.begin(to)) == "canary-4711"
        server.stop()
