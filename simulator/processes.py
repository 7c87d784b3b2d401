"""The processes that the simulator starts: each says when it is ready, is read to the end, and is ended by its id."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

STOP_SECONDS = 15.0
# What a process needs of its parent's environment to run at all, here and on Windows; nothing of it says how.
INHERITED = ("PATH", "HOME", "LANG", "SYSTEMROOT")


class ProcessError(Exception):
    """A process did not start; the message has the last that it said."""


def environment(wanted: Mapping[str, str]) -> dict[str, str]:
    """These variables and no others, but for the few that a process cannot do without and those of coverage."""
    kept = {name: value for name, value in os.environ.items() if name in INHERITED or name.startswith("COVERAGE_")}
    return {**kept, **wanted}


class Process:
    """One process, with its output, which nobody may leave unread: a full pipe would stop it."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        directory: Path,
        variables: Mapping[str, str],
        echo: Callable[[str], None] | None = None,
    ) -> None:
        self._name = name
        self._echo = echo
        self._said: deque[str] = deque(maxlen=60)
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment(variables),
            stdin=subprocess.PIPE,  # closed when we end, in whatever way; a process that watches it does not outlive us
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C is for the simulator, which ends its processes in order
        )
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait_for(self, pattern: re.Pattern[str], seconds: float) -> re.Match[str]:
        """The next line of its output that matches.

        Raises ProcessError if it ends before, or says nothing like it in time.
        """
        until = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise ProcessError(f"{self._name} was not ready within {seconds:.0f} s:\n{self.said()}") from None
            if line is None:
                code = self._process.wait()
                raise ProcessError(f"{self._name} ended with {code} before it was ready:\n{self.said()}")
            if match := pattern.match(line):
                return match

    def said(self) -> str:
        """The last lines of its output."""
        return "".join(self._said).rstrip()

    def wait(self) -> int:
        """Its exit code, once it has ended by itself."""
        return self._ended()

    def stop(self, within: float = STOP_SECONDS) -> int:
        """Asks it to end, with force if it does not; returns its exit code. May be called again.

        `within` is in seconds: more for what ends processes of its own, each of which has its time, too.
        """
        self._process.terminate()
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return self._ended()

    def kill(self) -> int:
        """Ends it at once, as when a machine is lost."""
        self._process.kill()
        return self._ended()

    def _ended(self) -> int:
        code = self._process.wait()
        self._reader.join()
        assert self._process.stdin is not None
        self._process.stdin.close()
        return code

    def _read(self, output: IO[str]) -> None:
        with output:
            for line in output:
                self._said.append(line)
                if self._echo is not None:
                    self._echo(line)
                self._lines.put(line)
        self._lines.put(None)
