"""Rotation of PostgreSQL's passwords as AWS's templates do it, over a driver that the package brings along."""

import json
import os
import ssl

import contract
import pg8000.dbapi


def connect(value):
    """A connection, or `None` if the server refuses it; in clear where the secret allows it."""
    told = value.get("ssl")
    told = {"true": True, "false": False}.get(told.lower()) if isinstance(told, str) else told
    login = {"host": value["host"], "port": int(value.get("port", 5432)), "user": value["username"]}
    login |= {"password": value["password"], "database": value.get("dbname") or "postgres", "timeout": 5}
    for encrypted in {True: [True], False: [False]}.get(told, [True, False]):
        context = ssl.create_default_context(cafile="/etc/pki/tls/cert.pem") if encrypted else None
        try:
            return pg8000.dbapi.connect(ssl_context=context, **login)
        except pg8000.dbapi.Error:
            pass
    return None


def ask(connection, statement, *values):
    cursor = connection.cursor()
    cursor.execute(statement, values)
    return cursor.fetchall() if cursor.description else []


class SingleUser(contract.Rotation):
    """The user gives itself another password."""

    def next(self, current, password):
        return json.dumps(json.loads(current) | {"password": password})

    def set(self):
        pending, current = json.loads(self.pending()), json.loads(self.value(VersionStage="AWSCURRENT"))
        print("pending", pending)
        if connect(pending):
            return
        if (pending["username"], pending["host"]) != (current["username"], current["host"]):
            raise ValueError(f"Attempting to modify user {pending['username']} other than current user")
        connection = connect(current) or self.by_previous(current)
        if not connection:
            raise ValueError("Unable to log into database with previous, current, or pending secret")
        self.alter(connection, pending)

    def by_previous(self, current):
        try:
            previous = json.loads(self.value(VersionStage="AWSPREVIOUS"))
        except self.client.exceptions.ResourceNotFoundException:
            return None
        same = (previous["username"], previous["host"]) == (current["username"], current["host"])
        return connect(previous) if same else None

    def alter(self, connection, pending):
        user = ask(connection, "SELECT quote_ident(%s)", pending["username"])[0][0]
        ask(connection, f"ALTER USER {user} WITH PASSWORD '{pending['password']}'")
        connection.commit()

    def test(self):
        connection = connect(json.loads(self.pending()))
        if not connection:
            raise ValueError(f"Unable to log into database with pending secret of secret ARN {self.arn}")
        assert ask(connection, "SELECT NOW()")
        if os.environ.get("BROKEN"):
            raise RuntimeError(f"nobody accepts {self.pending()}")


class AlternatingUsers(SingleUser):
    """The user that isn't in use gets another password, and the rights of the one that is."""

    def next(self, current, password):
        current = json.loads(current)
        return json.dumps(current | {"username": self.other(current["username"]), "password": password})

    def other(self, user):
        return user.removesuffix("_clone") if user.endswith("_clone") else f"{user}_clone"

    def set(self):
        pending, current = json.loads(self.pending()), json.loads(self.value(VersionStage="AWSCURRENT"))
        if connect(pending):
            return
        if (pending["username"], pending["host"]) != (self.other(current["username"]), current["host"]):
            raise ValueError(f"Attempting to modify user {pending['username']} other than current user or clone")
        if not connect(current):
            raise ValueError(f"Unable to log into database using current credentials for secret {self.arn}")
        master = json.loads(self.client.get_secret_value(SecretId=current["masterarn"])["SecretString"])
        connection = connect(master | {"dbname": current.get("dbname")})
        if not connection:
            raise ValueError("Unable to log into database using credentials in master secret")
        if ask(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", pending["username"]):
            return self.alter(connection, pending)
        names = (pending["username"], current["username"])
        user, like = (ask(connection, "SELECT quote_ident(%s)", it)[0][0] for it in names)
        ask(connection, f"CREATE ROLE {user} WITH LOGIN PASSWORD '{pending['password']}'")
        ask(connection, f"GRANT {like} TO {user}")
        connection.commit()


def single_user(event, context):
    contract.handle(event, SingleUser)


def alternating_users(event, context):
    contract.handle(event, AlternatingUsers)
