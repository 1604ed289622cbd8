# SPDX-License-Identifier: Apache-2.0
"""Real database servers for the benchmark, each in a throwaway directory with a writer that never pauses."""

import os
import pwd
import signal
import subprocess
import threading
import time
from pathlib import Path

from harness import BenchError, tool


class Writer:
    """A client that writes numbers in a thread of its own and notes the time of each acknowledgement."""

    def __init__(self, command, statement, environment):
        self._client = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=environment
        )
        self._statement = statement
        self._acknowledged = [time.monotonic()]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self):
        number = 0
        while not self._stopped.is_set():
            number += 1
            self._client.stdin.write(self._statement(number) + "\n")
            self._client.stdin.flush()
            if not self._client.stdout.readline():
                return
            self._acknowledged.append(time.monotonic())

    def longest_pause(self, since):
        """The longest time between two acknowledgements since a moment, in seconds; waits until the writer goes on."""
        count = len(self._acknowledged)
        deadline = time.monotonic() + 60
        while len(self._acknowledged) < count + 2:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise BenchError("the writer stands still: " + " ".join(map(str, self._client.args)))
            time.sleep(0.001)
        times = [t for t in self._acknowledged if t >= since - 0.5]
        return max(b - a for a, b in zip(times, times[1:]))

    def stop(self):
        self._stopped.set()
        self._thread.join(timeout=10)
        self._client.kill()
        self._client.wait()


class MariaDB:
    """A MariaDB server in a directory of its own."""

    name = "mariadb"

    def __init__(self, bench):
        self.environment = bench.environment
        self.data = bench.scratch / "mariadb"
        self.socket = self.data / "s.sock"
        server = tool("mariadbd", "mariadb-server")
        user = pwd.getpwnam("mysql")
        self.data.mkdir()
        os.chown(self.data, user.pw_uid, user.pw_gid)
        options = ["--no-defaults", "--user=mysql", f"--datadir={self.data}", "--innodb-use-native-aio=0"]
        options += [f"--tmpdir={self.data}"]
        subprocess.run(
            [tool("mariadb-install-db", "mariadb-server"), *options, "--skip-test-db"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.server = subprocess.Popen(
            [server, *options, f"--socket={self.socket}", "--skip-networking", "--skip-log-bin"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.client = [tool("mariadb", "mariadb-client"), "--no-defaults", f"--socket={self.socket}", "--batch"]
        self.client += ["--skip-column-names", "--unbuffered"]
        deadline = time.monotonic() + 60
        while self.execute("SELECT 1", check=False) != 0:
            if time.monotonic() > deadline or self.server.poll() is not None:
                raise BenchError("MariaDB does not start")
            time.sleep(0.1)
        self.execute("CREATE DATABASE bench; CREATE TABLE bench.numbers (number INT) ENGINE=InnoDB")

    def execute(self, statements, check=True):
        result = subprocess.run(
            self.client + ["--execute", statements], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=check
        )
        return result.returncode

    def writer(self):
        return Writer(
            self.client, lambda n: f"INSERT INTO bench.numbers VALUES ({n}); SELECT {n};", self.environment
        )

    def stop(self):
        self.server.kill()
        self.server.wait()


class Redis:
    """A Redis server in a directory of its own; it keeps its data as RDB."""

    name = "redis"

    def __init__(self, bench):
        self.environment = bench.environment
        self.data = bench.scratch / "redis"
        self.data.mkdir()
        socket = self.data / "s.sock"
        self.server = subprocess.Popen(
            [tool("redis-server", "redis-server"), "--port", "0", "--unixsocket", str(socket), "--dir", str(self.data)]
            + ["--save", "3600 1"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while not socket.exists():
            if time.monotonic() > deadline or self.server.poll() is not None:
                raise BenchError("Redis does not start")
            time.sleep(0.01)
        self.client = [tool("redis-cli", "redis-tools"), "-s", str(socket)]

    def writer(self):
        return Writer(self.client, lambda n: f"RPUSH numbers {n}", self.environment)

    def stop(self):
        self.server.kill()
        self.server.wait()


class PostgreSQL:
    """A PostgreSQL cluster in a directory of its own."""

    name = "postgresql"

    def __init__(self, bench):
        self.environment = bench.environment
        self.data = bench.scratch / "postgresql"
        user = pwd.getpwnam("postgres")
        self.data.mkdir(mode=0o700)
        os.chown(self.data, user.pw_uid, user.pw_gid)
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
        if not programs:
            raise BenchError("initdb is missing: apt-get install postgresql")
        options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([programs[-1] / "initdb", "-D", self.data, "--auth=trust"], check=True, **options, **quiet)
        settings = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self.data}"]
        self.server = subprocess.Popen([programs[-1] / "postgres", "-D", self.data, *settings], **options, **quiet)
        self.client = [programs[-1] / "psql", "-X", "-q", "-A", "-t", "-h", self.data, "-U", "postgres"]
        deadline = time.monotonic() + 60
        while self.execute("SELECT 1") != 0:
            if time.monotonic() > deadline or self.server.poll() is not None:
                raise BenchError("PostgreSQL does not start")
            time.sleep(0.1)
        self.execute("CREATE TABLE numbers (number int)")

    def execute(self, statement):
        return subprocess.run(
            self.client + ["-c", statement], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ).returncode

    def writer(self):
        return Writer(self.client, lambda n: f"INSERT INTO numbers VALUES ({n}) RETURNING number;", self.environment)

    def stop(self):
        self.server.send_signal(signal.SIGQUIT)
        self.server.wait()
