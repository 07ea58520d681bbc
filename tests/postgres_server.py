"""A PostgreSQL server of the tests' own, from the system's package: one for a run, one database for a test.

It listens on a socket in a folder of its own and nowhere else, and is ended by its process id. The server refuses
to run as root, so a run as root hands it to a user without rights. ``fsync`` is off: only tests may do that.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg

USERS: Final = ("postgres", "nobody")
"""Users without rights that a run as root hands the server to; the first that there is."""

READY_S: Final = 30.0
"""Seconds that the server may take until it answers."""

_SETTINGS: Final = {
    "listen_addresses": "''",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "autovacuum": "off",
    "lc_messages": "'C'",
}
SUPERUSER: Final = "danglian"


def programs() -> Path | None:
    """The folder of the newest server's programs, or None where no server of 15 or newer is installed."""
    found = [Path(path).resolve().parent for path in [shutil.which("initdb")] if path]
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    found += [path for path in reversed(versions) if int(path.parent.name) >= 15]
    return next((path for path in found if (path / "initdb").exists() and (path / "postgres").exists()), None)


class PostgresServer:
    """One server and the folder it lives in."""

    def __init__(self, bin_folder: Path, **settings: str) -> None:
        """Take the folder of the server's programs, and settings that differ from the tests' own."""
        self._bin = bin_folder
        self._settings = {**_SETTINGS, **settings}
        # Not under pytest's folder: that is closed to every other user, and the path of a socket must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="dl-pg-"))
        self.data = self.folder / "data"
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make the files of a new server."""
        user = self._user()
        if user is not None:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        # Another language than "C": in such a county the order of texts must be the bytes' all the same.
        flags = ("--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync")
        self._run(self._bin / "initdb", "--pgdata", self.data, *flags)
        lines = [f"{name} = {value}" for name, value in self._settings.items()]
        lines.append(f"unix_socket_directories = '{self.folder}'")
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write("\n".join([*lines, ""]))

    def start(self) -> None:
        """Start the server and return when it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._as_user(self._bin / "postgres", "-D", self.data), stdout=log, stderr=log, cwd=self.folder
            )
        until = time.monotonic() + READY_S
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT closes every connection and shuts down in order, SIGQUIT is a crash."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            process.wait(READY_S)

    def remove(self) -> None:
        """End the server and remove its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """Where a database of this server is."""
        return f"postgresql://{SUPERUSER}@/{database}?host={self.folder}"

    def database(self, template: str = "template0") -> str:
        """Make a database of its own and return its name."""
        name = f"t{uuid4().hex[:12]}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, sql: str, database: str = "postgres") -> None:
        """Run a statement as the server's owner."""
        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=5) as connection:
            connection.execute(sql.encode())

    def _user(self) -> pwd.struct_passwd | None:
        if os.geteuid() != 0:
            return None
        known = {user.pw_name: user for user in pwd.getpwall()}
        return next(known[name] for name in USERS if name in known)

    def _as_user(self, *command: str | Path) -> list[str]:
        user = self._user()
        handing_over = [] if user is None else ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}"]
        return [*handing_over, *(["--clear-groups"] if user else []), *map(str, command)]

    def _run(self, *command: str | Path) -> None:
        done = subprocess.run(self._as_user(*command), cwd=self.folder, capture_output=True, check=False, timeout=60)
        if done.returncode:
            raise AssertionError(done.stderr.decode(errors="replace"))
