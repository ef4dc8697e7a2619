"""The service as a process of its own, for demonstrations and tests that need it to live and die like the real one."""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from feature_store.errors import FeatureStoreConnectionError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

_POLL_S = 0.02
_STOP_S = 15.0


class ServiceProcess:
    """`feature-store serve` on a folder and a port of this machine.

        with ServiceProcess("./market") as service:
            client = FeatureStoreClient(base_url=service.api_url)

    A port of 0 becomes a free one at the first start and stays the same at later ones, so that a client finds a
    restarted service where it was.
    """

    def __init__(
        self, home: str | Path, *, port: int = 0, api_keys: Iterable[str] = (), timeout_s: float = 60.0
    ) -> None:
        self.home = Path(home)
        self.port = port
        self.timeout_s = timeout_s
        self._keys = tuple(api_keys)
        self._process: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"<ServiceProcess {self.url} {'running' if self.running else 'stopped'}>"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where the service is, `http://127.0.0.1:8001`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        """What a client takes as its `base_url`."""
        return f"{self.url}/api/v1"

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start the process and return once it answers.

        Raises FeatureStoreConnectionError, with what the process said last, where it ends or is not ready in time.
        """
        if self.running:
            return self
        with tempfile.TemporaryDirectory(prefix="feature-store-", ignore_cleanup_errors=True) as folder:
            ready, log = Path(folder, "ready"), Path(folder, "log")
            with log.open("wb") as said:
                self._process = subprocess.Popen(  # noqa: S603  our own module, with arguments and not a shell
                    self._command(ready),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    env=self._env(),
                )
            try:
                self._wait(ready, log)
            except BaseException:
                self.kill()
                raise
        return self

    def stop(self) -> None:
        """Ask the process to finish what it is doing, and return when it has ended; harmless when it already has."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _command(self, ready: Path) -> list[str]:
        place = ["--home", str(self.home), "--host", "127.0.0.1", "--port", str(self.port)]
        return [sys.executable, "-m", "feature_store", "serve", *place, "--ready-file", str(ready)]

    def _env(self) -> dict[str, str]:
        return {**os.environ, "FEATURE_STORE_SERVICE_KEYS": ",".join(self._keys)}

    def _wait(self, ready: Path, log: Path) -> None:
        """Wait until the process has written its URL and answers there."""
        deadline = time.monotonic() + self.timeout_s
        while time.monotonic() < deadline:
            if not self.running:
                msg = f"the service ended as it started: {_last_line(log)}"
                raise FeatureStoreConnectionError(msg)
            if ready.exists():
                self.port = int(ready.read_text(encoding="utf-8").strip().rpartition(":")[2])
                if _healthy(self.port):
                    return
            time.sleep(_POLL_S)
        msg = f"the service was not ready within {self.timeout_s:g} s; give it longer with timeout_s: {_last_line(log)}"
        raise FeatureStoreConnectionError(msg)


def _healthy(port: int) -> bool:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "it said nothing")
