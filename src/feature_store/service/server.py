"""Runs the application on uvicorn until a signal stops it; requests under way are answered first."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING

import uvicorn

from feature_store.errors import InvalidRequestError
from feature_store.service.app import create_app
from feature_store.service.auth import Keys, check_exposure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from feature_store.service.store import FrameStore

_log = logging.getLogger(__name__)

HOST = "127.0.0.1"
PORT = 8001
GRACE_S = 10
_MAX_PORT = 65_535
_BACKLOG = 2048


def serve(
    store: FrameStore,
    host: str = HOST,
    port: int = PORT,
    *,
    api_keys: Iterable[str] = (),
    ready: Callable[[str], object] = lambda _: None,
) -> None:
    """Serve `store` until SIGINT or SIGTERM, then finish what is under way within 10 seconds and return.

    Args:
        store: what `feature_store.open` returns; the caller closes it.
        host: the address to listen on; without API keys only one of this machine.
        port: 0 picks a free one.
        api_keys: what callers must send as `X-API-Key`.
        ready: is told the service's URL, as soon as connections are accepted.

    Raises:
        InvalidRequestError: the port is in use, the address is not this machine's, or other machines could use the
            service without a key.
    """
    keys = tuple(api_keys)
    check_exposure(host, Keys(keys))
    with bind(host, port) as listener:
        if not keys:
            _log.warning("no API key is set: whoever is logged in to this machine may use the service")
        config = uvicorn.Config(
            create_app(store, api_keys=keys),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        with _until_stopped():
            ready(url_of(listener))
            uvicorn.Server(config).run(sockets=[listener])


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; raises InvalidRequestError where the address cannot be had."""
    if not 0 <= port <= _MAX_PORT:
        msg = f"port must be a number from 0 (any free one) to {_MAX_PORT}, was {port}"
        raise InvalidRequestError(msg, field="port")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        msg = f"{host} is not an address of this machine; use 127.0.0.1, or 0.0.0.0 with an API key"
        raise InvalidRequestError(msg, field="host") from None
    listener = socket.socket(family, kind, protocol)
    try:
        if (
            os.name == "posix"
        ):  # so that a restart need not wait for the old connections; elsewhere it would share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as problem:
        listener.close()
        raise _refused(host, port, problem) from None
    return listener


def url_of(listener: socket.socket) -> str:
    """Return where a listening socket is reached, `http://127.0.0.1:8001`."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _refused(host: str, port: int, problem: OSError) -> InvalidRequestError:
    if problem.errno == errno.EADDRINUSE:
        msg = f"port {port} on {host} is in use; stop the program that has it, or choose another (0 picks a free one)"
        return InvalidRequestError(msg, field="port")
    if problem.errno == errno.EACCES:
        msg = f"port {port} is reserved for the system; choose one above 1023"
        return InvalidRequestError(msg, field="port")
    msg = f"{host} is not an address of this machine; use 127.0.0.1, or 0.0.0.0 with an API key"
    return InvalidRequestError(msg, field="host")


@contextlib.contextmanager
def _until_stopped() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl+C does; uvicorn raises either once more when it has shut down."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)
