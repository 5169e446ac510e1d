"""Private database servers, by Debian's programs: for tests that rotate passwords of real databases.

A server listens on the loopback only, has a folder of its own, and ends with the test or with this process. It
refuses to run as root, so where the tests do, it runs as nobody.
"""

import glob
import json
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading

from strongroom import BINARY

NOBODY = 65534
SETTINGS = """listen_addresses = '127.0.0.1'
unix_socket_directories = '{folder}'
fsync = off
log_statement = all
password_encryption = 'scram-sha-256'
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Postgres:
    """A PostgreSQL; with `authority`, it shows a certificate for `localhost`. Its administrator is `postgres`."""

    def __init__(self, authority=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="strongroom-postgres-"))
        self.programs = max(pathlib.Path(it).parent for it in glob.glob("/usr/lib/postgresql/*/bin/initdb"))
        self.password = secrets.token_hex(16)
        self.port = free_port()
        self.process = None
        self.log = []
        self.write("password", self.password)
        self.give(self.folder)
        initdb = ("--username=postgres", f"--pwfile={self.folder}/password", "--no-sync", "--auth-local=trust")
        self.run("initdb", *initdb, "--auth-host=scram-sha-256", "-D", f"{self.folder}/data")
        settings = SETTINGS.format(folder=self.folder)
        if authority:
            for name, path in zip(("pem", "key"), authority.issue("/CN=localhost", "subjectAltName=DNS:localhost\n")):
                self.write(f"server.{name}", pathlib.Path(path).read_text())
            settings += f"ssl = on\nssl_cert_file = '{self.folder}/server.pem'\nssl_key_file = '{self.folder}/server.key'\n"
        self.write("data/postgresql.conf", settings)

    def start(self):
        """Starts it, on the same port each time, and returns it when it is ready."""
        line = self.line("postgres", "-D", f"{self.folder}/data", "-p", str(self.port))
        self.process = subprocess.Popen(line, env=self.environment(), stderr=subprocess.PIPE, text=True)
        for text in self.process.stderr:
            self.log.append(text)
            if "ready to accept connections" in text:
                break
        else:
            raise RuntimeError("".join(self.log))
        threading.Thread(target=self.log.extend, args=(self.process.stderr,), daemon=True).start()
        return self

    def crash(self):
        """Ends it as a crash would, with all its connections."""
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, 3)
            self.process.wait()

    def stop(self):
        self.crash()
        shutil.rmtree(self.folder)

    def sql(self, statements):
        """Runs `statements` as the administrator, through the folder's socket; what they return, a row a line."""
        return self.psql(statements, host=self.folder, PGUSER="postgres").stdout.rstrip("\n")

    def accepts(self, user, password, statements="SELECT 1"):
        """Whether the login is accepted, through the network, and may do `statements`."""
        login = {"PGUSER": user, "PGPASSWORD": password}
        return self.psql(statements, host="127.0.0.1", check=False, **login).returncode == 0

    def secret(self, user, password, **more):
        """What a secret of that login says."""
        server = {"engine": "postgres", "host": "localhost", "port": self.port, "dbname": "postgres"}
        return {**server, "username": user, "password": password, **more}

    def psql(self, statements, host, check=True, **variables):
        line = [self.programs / "psql", "-XqAtw", "-v", "ON_ERROR_STOP=1", "-h", str(host), "-p", str(self.port)]
        environment = self.environment(PGDATABASE="postgres", **variables)
        return subprocess.run([*line, "-c", statements], env=environment, check=check, capture_output=True, text=True)

    def run(self, program, *arguments):
        line = self.line(program, *arguments)
        subprocess.run(line, env=self.environment(), check=True, capture_output=True)

    def line(self, program, *arguments):
        become = ("--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups") if os.geteuid() == 0 else ()
        return ["setpriv", *become, "--pdeathsig", "QUIT", "--", self.programs / program, *arguments]

    def environment(self, **more):
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self.folder), **more}

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        self.give(path)

    def give(self, path):
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)


class MariaDb(Postgres):
    """A MariaDB, without TLS. Its administrator is `admin`, from everywhere."""

    def __init__(self):  # noqa: super().__init__ makes another server
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="strongroom-mariadb-"))
        self.password = secrets.token_hex(16)
        self.port = free_port()
        self.process = None
        self.log = []
        self.give(self.folder)
        install = ("--auth-root-authentication-method=normal", "--skip-test-db", f"--datadir={self.folder}/data")
        self.run("/usr/bin/mariadb-install-db", "--no-defaults", *install)
        made = f"CREATE USER IF NOT EXISTS admin@'%' IDENTIFIED BY '{self.password}';\n"
        self.write("first.sql", f"{made}GRANT ALL ON *.* TO admin@'%' WITH GRANT OPTION;\n")

    def start(self):
        """Starts it, on the same port each time, and returns it when it is ready."""
        settings = {"datadir": "data", "socket": "s", "pid-file": "pid", "init-file": "first.sql"}
        settings = [f"--{name}={self.folder}/{value}" for name, value in settings.items()]
        settings += [f"--port={self.port}", "--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin"]
        line = self.line("/usr/sbin/mariadbd", "--no-defaults", *settings)
        self.process = subprocess.Popen(line, env=self.environment(), stderr=subprocess.PIPE, text=True)
        for text in self.process.stderr:
            self.log.append(text)
            if "ready for connections" in text:
                break
        else:
            raise RuntimeError("".join(self.log))
        threading.Thread(target=self.log.extend, args=(self.process.stderr,), daemon=True).start()
        return self

    def crash(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def sql(self, statements):
        return self.client("admin", self.password, statements).stdout.rstrip("\n")

    def accepts(self, user, password, statements="SELECT 1"):
        return self.client(user, password, statements, check=False).returncode == 0

    def secret(self, user, password, **more):
        server = {"engine": "mariadb", "host": "localhost", "port": self.port}
        return {**server, "username": user, "password": password, **more}

    def client(self, user, password, statements, check=True):
        line = ["/usr/bin/mariadb", "--no-defaults", "-BN", "--protocol=tcp", "-h127.0.0.1", f"-P{self.port}"]
        line += ["--skip-ssl", f"-u{user}", "-e", statements]
        environment = self.environment(MYSQL_PWD=password)
        return subprocess.run(line, env=environment, check=check, capture_output=True, text=True)

    def line(self, program, *arguments):
        become = ("--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups") if os.geteuid() == 0 else ()
        return ["setpriv", *become, "--pdeathsig", "QUIT", "--", program, *arguments]


class Mongo:
    """A MongoDB 3.6 of Ubuntu, if `cargo xtask test` could fetch it; with `authority`, it shows a certificate for
    `localhost` to those who ask for TLS. Its administrator is `admin`."""

    ROOT = pathlib.Path(BINARY).parent.parent / "peers/mongo/root"
    LIBRARIES = (ROOT / "lib/x86_64-linux-gnu", ROOT / "usr/lib/x86_64-linux-gnu")
    SETTINGS = ("--auth", "--bind_ip=127.0.0.1", "--nounixsocket", "--wiredTigerCacheSizeGB=0.25")

    def __init__(self, authority=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="strongroom-mongo-"))
        self.password = secrets.token_hex(16)
        self.port = free_port()
        self.settings = [*self.SETTINGS, f"--port={self.port}", f"--dbpath={self.folder}"]
        self.settings.append("--wiredTigerEngineConfigString=log=(file_max=1MB,prealloc=false)")
        if authority:
            issued = authority.issue("/CN=localhost", "subjectAltName=DNS:localhost\n")
            certificate = self.folder / "server.pem"
            certificate.write_text("".join(pathlib.Path(it).read_text() for it in issued))
            self.settings += ["--sslMode=requireSSL", f"--sslPEMKeyFile={certificate}"]
        self.authority = authority

    @classmethod
    def is_here(cls):
        return (cls.ROOT / "usr/bin/mongod").is_file()

    def start(self):
        """Starts it, and returns it when its administrator has been made."""
        line = ["setpriv", "--pdeathsig", "KILL", "--", *self.program("mongod"), *self.settings]
        self.process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        log = []
        for text in self.process.stdout:
            log.append(text)
            if "waiting for connections on port" in text:
                break
        else:
            raise RuntimeError("".join(log))
        threading.Thread(target=log.extend, args=(self.process.stdout,), daemon=True).start()
        admin = {"user": "admin", "pwd": self.password, "roles": ["root"]}
        self.shell(f"db.getSiblingDB('admin').createUser({json.dumps(admin)})")
        return self

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)

    def run(self, script):
        """Runs `script` as the administrator; what it prints."""
        return self.shell(self.login("admin", self.password) + script)

    def accepts(self, user, password, script="1", database="admin"):
        """Whether the login is accepted, and may do `script`."""
        login = self.login(user, password, database)
        return self.shell(login + script, check=False) is not None

    def secret(self, user, password, **more):
        """What a secret of that login says."""
        server = {"engine": "mongo", "host": "localhost", "port": self.port}
        return {**server, "username": user, "password": password, **more}

    def login(self, user, password, database="admin"):
        who = ", ".join(map(json.dumps, (user, password)))
        return f"if (!db.getSiblingDB({json.dumps(database)}).auth({who})) quit(9); "

    def shell(self, script, check=True):
        line = [*self.program("mongo"), "--quiet", "--norc", "--host=localhost", f"--port={self.port}"]
        if self.authority:
            line += ["--ssl", f"--sslCAFile={self.authority.certificate}"]
        told = subprocess.run([*line, "--eval", script], env={"HOME": str(self.folder)}, capture_output=True, text=True)
        if told.returncode and check:
            raise RuntimeError(told.stdout + told.stderr)
        return None if told.returncode else told.stdout.strip()

    def program(self, name):
        paths = ":".join(map(str, self.LIBRARIES))
        return [self.LIBRARIES[0] / "ld-linux-x86-64.so.2", "--library-path", paths, self.ROOT / "usr/bin" / name]
