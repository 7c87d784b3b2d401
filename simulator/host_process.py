"""A functions host seen from outside: started, asked how it is, lost and started again at the same address."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from simulator.processes import Process, ProcessError

ROOT = Path(__file__).parent.parent
READY = re.compile(r"READY (http://\S+)")
START_SECONDS = 120.0


class HostProcess:
    """One instance of a function app; its app settings are the variables."""

    def __init__(
        self,
        name: str,
        app: Path,
        variables: Mapping[str, str],
        *,
        timers: bool = False,
        simulator: str = "",
        lease: int | None = None,
        echo: Callable[[str], None] | None = None,
    ) -> None:
        self.name = name
        self.url = ""
        self._app = app.resolve()
        self._variables = dict(variables)
        self._options = [
            *(["--timers"] if timers else []),
            *(["--simulator", simulator] if simulator else []),
            *(["--lease", str(lease)] if lease else []),
        ]
        self._echo = echo
        self._process: Process | None = None
        self._killing = threading.Lock()

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None and self._process.running else None

    def start(self) -> str:
        """Starts it and returns its address, the same one each time.

        Raises ProcessError with the host's own words if the app cannot be run.
        """
        port = self.url.rpartition(":")[2] or "0"
        options = ["--app", str(self._app), "--name", self.name, "--port", port, "--with-parent", *self._options]
        self._process = Process(
            self.name,
            [sys.executable, "-m", "simulator.functions_host", *options],
            directory=ROOT,
            variables=self._variables,
            echo=self._echo,
        )
        try:
            self.url = self._process.wait_for(READY, START_SECONDS)[1]
        except ProcessError:
            self._process.kill()
            raise
        return self.url

    def stop(self) -> int:
        """Lets it finish what it has in hand; returns its exit code."""
        return self._process.stop() if self._process is not None else 0

    def kill(self) -> None:
        """Ends it in the middle of whatever it does, as when the platform loses an instance."""
        with self._killing:
            if self._process is not None:
                self._process.kill()

    def revive(self) -> None:
        """Starts it unless it runs. Who sees that nobody answers may be faster than the end of what was killed."""
        with self._killing:
            if self.pid is None:
                self.start()

    async def status(self, session: aiohttp.ClientSession) -> dict[str, Any]:
        """What it says about itself.

        Raises aiohttp.ClientError if it does not answer.
        """
        headers = {"x-functions-key": self._variables["APP_MASTER_KEY"]}
        async with session.get(f"{self.url}/admin/host/status", headers=headers) as response:
            response.raise_for_status()
            status: dict[str, Any] = await response.json()
            return status
