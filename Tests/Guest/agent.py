# SPDX-License-Identifier: Apache-2.0
"""The host's side of the guest: its agent, the driver's own shell in it, and QEMU."""

import base64
import itertools
import json
import socket
import time


class NoAnswer(Exception):
    """No answer came in time."""


class AgentError(Exception):
    """The agent answered with an error."""


class Lines:
    """A connection of text lines."""

    def __init__(self, connection):
        self._connection = connection
        self._buffer = b""

    def send(self, data):
        self._connection.settimeout(30)
        self._connection.sendall(data)

    def receive(self, deadline):
        while b"\n" not in self._buffer:
            rest = deadline - time.monotonic()
            if rest <= 0:
                raise NoAnswer
            self._connection.settimeout(rest)
            try:
                data = self._connection.recv(65536)
            except socket.timeout:
                raise NoAnswer from None
            if not data:
                raise NoAnswer("the connection is closed")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


class Agent:
    """qemu-ga over virtio-serial."""

    _numbers = itertools.count(1000)

    def __init__(self, connection):
        self._lines = Lines(connection)

    def sync(self, timeout):
        """Waits until an agent answers, and skips answers to earlier requests."""
        deadline = time.monotonic() + timeout
        while True:
            number = next(self._numbers)
            self._send("guest-sync-delimited", {"id": number}, b"\xff")
            try:
                while True:
                    line = self._lines.receive(min(deadline, time.monotonic() + 1))
                    answer = _parse(line.rpartition(b"\xff")[2])
                    if answer.get("return") == number:
                        return
            except NoAnswer:
                if time.monotonic() >= deadline:
                    raise NoAnswer(f"no agent answered within {timeout} s") from None

    def ask(self, command, timeout=60, **arguments):
        """The agent's answer to a command."""
        self._send(command, {key.replace("_", "-"): value for key, value in arguments.items()})
        deadline = time.monotonic() + timeout
        while True:
            answer = _parse(self._lines.receive(deadline))
            if "error" in answer:
                raise AgentError(answer["error"]["desc"])
            if "return" in answer:
                return answer["return"]

    def send(self, command):
        """Asks without waiting for the answer."""
        self._send(command, {})

    def _send(self, command, arguments, before=b""):
        request = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self._lines.send(before + json.dumps(request).encode() + b"\n")


class Shell:
    """The root shell of the driver in the guest."""

    def __init__(self, connection):
        self._lines = Lines(connection)
        self._numbers = itertools.count(time.monotonic_ns())

    def run(self, command, timeout=30):
        """The exit status and the output of a command."""
        number = str(next(self._numbers))
        self._lines.send(f"{number} {base64.b64encode(command.encode()).decode()}\n".encode())
        deadline = time.monotonic() + timeout
        while True:
            words = self._lines.receive(deadline).decode(errors="replace").split()
            if words and words[0] == number:
                output = base64.b64decode(words[2]).decode(errors="replace") if len(words) > 2 else ""
                return int(words[1]), output

    def text(self, command, timeout=30):
        """The output of a command, without the newline at its end."""
        return self.run(command, timeout)[1].rstrip("\n")

    def wait(self, timeout):
        """Waits until the shell answers."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self.run("true", timeout=1)
            except NoAnswer:
                if time.monotonic() >= deadline:
                    raise NoAnswer(f"no shell answered within {timeout} s") from None


class Monitor:
    """QEMU's machine protocol."""

    def __init__(self, connection):
        self._lines = Lines(connection)
        self._lines.receive(time.monotonic() + 60)
        self.ask("qmp_capabilities")

    def ask(self, command, timeout=120, **arguments):
        request = {"execute": command, "arguments": {key.replace("_", "-"): v for key, v in arguments.items()}}
        self._lines.send(json.dumps(request).encode() + b"\n")
        deadline = time.monotonic() + timeout
        while True:
            answer = _parse(self._lines.receive(deadline))
            if "error" in answer:
                raise AgentError(answer["error"]["desc"])
            if "return" in answer:
                return answer["return"]

    def human(self, line):
        """Runs a command of the human monitor; any output is an error."""
        words = self.ask("human-monitor-command", command_line=line)
        if words.strip():
            raise AgentError(f"{line}: {words.strip()}")


def _parse(line):
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
