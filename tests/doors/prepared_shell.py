"""The shell's commands from a process that has imported everything: each runs in a process of its own, forked from it.

Most of what a command costs is what it imports. Its arguments, its environment, its output and its end are those of a
process that was started for it, as others are by which the tests see that a start goes well, too.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import runpy
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Self

from simulator.processes import Process, environment

ROOT = Path(__file__).parents[2]
IMPORTED = (
    "azure.identity.aio",
    "hubwarden.arm.estate",
    "hubwarden.cli",
    "hubwarden.config.loading",
    "hubwarden.ledger.work_queue",
    "hubwarden.reconcile.asked",
    "hubwarden.reconcile.run",
)
READY = re.compile("READY$")


class PreparedShell:
    """Such a process, for commands that trust that authority: aiohttp reads SSL_CERT_FILE when it is imported."""

    def __init__(self, certificate: str) -> None:
        self._room = tempfile.TemporaryDirectory(prefix="hubwarden-shell-")
        self._place = str(Path(self._room.name) / "socket")
        self._process = Process(
            "shell",
            [sys.executable, "-m", "tests.doors.prepared_shell", self._place],
            directory=ROOT,
            variables={"SSL_CERT_FILE": certificate},
        )

    def start(self) -> Self:
        """Returns when commands may come."""
        try:
            self._process.wait_for(READY, 180)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Ends it; commands that still run go on."""
        self._process.stop(60)
        self._room.cleanup()

    async def run(self, arguments: Sequence[str], variables: Mapping[str, str]) -> tuple[int, bytes, bytes]:
        """Runs a command with these variables to its end: its exit code, its output, and its errors."""
        with tempfile.TemporaryDirectory(dir=self._room.name) as directory:
            told = {"arguments": arguments, "environment": environment(variables), "directory": directory}
            reader, writer = await asyncio.open_unix_connection(self._place)
            writer.write(json.dumps(told).encode() + b"\n")
            code = await reader.read()
            writer.close()
            await writer.wait_closed()
            assert code, f"the command has no exit code:\n{self._process.said()}"
            return int(code), (Path(directory) / "1").read_bytes(), (Path(directory) / "2").read_bytes()


_prepared: dict[str, PreparedShell] = {}
"""By the certificate that they trust."""


async def run(arguments: Sequence[str], variables: Mapping[str, str]) -> tuple[int, bytes, bytes]:
    """Runs a command with these variables to its end: its exit code, its output, and its errors.

    One that is told of no certificate, and so has nothing to say to an Azure, is a process that is started for it.
    """
    if certificate := variables.get("SSL_CERT_FILE"):
        if certificate not in _prepared:
            _prepared[certificate] = PreparedShell(certificate).start()
        return await _prepared[certificate].run(arguments, variables)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hubwarden", *arguments),
        cwd=ROOT,
        env=environment(variables),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out, errors


def end() -> None:
    """Ends what commands were forked from."""
    while _prepared:
        _prepared.popitem()[1].stop()


def main(place: str) -> None:
    """Waits for commands, until whoever started it is gone; then, in a process forked for it, becomes one."""
    for name in IMPORTED:
        import_module(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how its children end
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen()
        sys.stdout.write("READY\n")
        sys.stdout.flush()
        told = _next(listener)
    if told is not None:
        _become(told)


def _next(listener: socket.socket) -> dict[str, Any] | None:
    """Returns in a new process, what it is to do; or in the old one, None, when nobody wants anything any more."""
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        with connection:
            if os.fork() > 0:
                continue
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            with connection.makefile() as asked:
                told: dict[str, Any] = json.loads(asked.readline())
            if (command := os.fork()) == 0:
                return told
            code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
            connection.sendall(str(code).encode())
            os._exit(0)
    return None


def _become(told: dict[str, Any]) -> None:
    for number in (1, 2):
        file = os.open(Path(told["directory"]) / str(number), os.O_WRONLY | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(told["environment"])
    sys.argv[1:] = told["arguments"]
    runpy.run_module("hubwarden", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
