"""A live page of the feature store's metrics: `run_dashboard()` and open the address it prints.

It shows what this process' clients and caches do, or, with `url`, what a running service does. The page needs no
network but its own server: every script and style comes from there, and a content security policy keeps it so.

It runs on loopback. There is no debugger to switch on, and `debug=True` only logs each request; a page that others can
reach is refused unless it is asked for with `allow_remote=True`, because it has no sign-in.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from feature_store.errors import FeatureStoreError, InvalidRequestError
from strategy_execution_engine.monitoring.feature_store_metrics import feature_store_metrics
from strategy_execution_engine.monitoring.sampler import Sampler
from strategy_execution_engine.monitoring.service_metrics import ServiceMetrics

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from dash import Dash
    from flask import Response
    from werkzeug.serving import BaseWSGIServer

    from strategy_execution_engine.monitoring.sampler import Metrics

_ASSETS = Path(__file__).parent / "assets"
_EVERY_MS = 1000
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_PLACES = ("health", "cards", "rate", "latency", "names", "answers", "tables", "updated")
_LARGEST_PORT = 65_535


def run_dashboard(
    host: str = "127.0.0.1",
    port: int = 8050,
    debug: bool = False,
    url: str | None = None,
    *,
    allow_remote: bool = False,
) -> None:
    """Serve the dashboard until Ctrl+C, and print its address.

    Args:
        host: the address to listen on; loopback, unless `allow_remote`.
        port: the port to listen on; 0 takes a free one.
        debug: log every request. There is no debugger, and other than loopback is refused.
        url: a service's address, `http://localhost:8001`, to watch that instead of this process.
        allow_remote: listen on an address that other machines reach, without sign-in.

    Raises:
        InvalidRequestError: the host may not be used this way, the port is in use, or not one.
        FeatureStoreError: Dash is not installed.
    """
    server = dashboard_server(host, port, debug=debug, url=url, allow_remote=allow_remote)
    shown = f"[{host}]" if ":" in host else host
    sys.stdout.write(f"Dashboard on http://{shown}:{server.port}/ (Ctrl+C ends it)\n")
    sys.stdout.flush()
    server.serve_forever()


def dashboard_server(
    host: str = "127.0.0.1",
    port: int = 8050,
    *,
    debug: bool = False,
    url: str | None = None,
    allow_remote: bool = False,
) -> BaseWSGIServer:
    """Return the server of `run_dashboard`, listening at `.port`, for a thread that calls its `.serve_forever()`."""
    _refuse_open_doors(host, debug=debug, allow_remote=allow_remote)
    read, source = _source(url)
    trusted = None if allow_remote else _LOOPBACK_NAMES | {host}
    app = create_dashboard(read, source=source, trusted_hosts=trusted)

    from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415  comes with Dash

    class Requests(WSGIRequestHandler):
        """Logs requests where `debug` asks for it; a page asks every second."""

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            if debug:
                super().log_request(code, size)

    with _listen(host, port) as listening:
        address, number = listening.getsockname()[:2]
        return make_server(address, number, app.server, threaded=True, request_handler=Requests, fd=listening.fileno())


def create_dashboard(
    read: Callable[[], Metrics] = feature_store_metrics.get_metrics,
    *,
    source: str = "this process",
    trusted_hosts: AbstractSet[str] | None = None,
) -> Dash:
    """Return the Dash application, for a server of your own.

    Args:
        read: returns metrics in the shape of `FeatureStoreMetrics.get_metrics`.
        source: says on the page whose metrics these are.
        trusted_hosts: names the page may be asked for under, others are refused; None takes any.

    Raises:
        FeatureStoreError: Dash is not installed.
    """
    try:
        from dash import ClientsideFunction, Dash, Input, Output, State  # noqa: PLC0415  an extra
    except ModuleNotFoundError as missing:
        msg = f"the dashboard needs {missing.name}; install it with: pip install 'forex-feature-store[dashboard]'"
        raise FeatureStoreError(msg) from missing
    from strategy_execution_engine.monitoring import dashboard_page  # noqa: PLC0415

    app = Dash(
        __name__,
        assets_folder=str(_ASSETS),
        title="Feature store",
        update_title="",  # a title that changes with every refresh is no use
        serve_locally=True,
        add_log_handler=False,
        enable_mcp=False,
        meta_tags=[
            {"name": "viewport", "content": "width=device-width, initial-scale=1"},
            {"name": "color-scheme", "content": "light dark"},
        ],
    )
    app.layout = dashboard_page.layout(source, _EVERY_MS)
    sampler = Sampler(read)

    @app.callback(
        {place: Output(place, _property(place)) for place in _PLACES},
        Input("tick", "n_intervals"),
    )
    def refresh(_ticks: int | None) -> dict[str, Any]:
        return _refreshed(sampler)

    app.clientside_callback(  # type: ignore[no-untyped-call]  # Dash left it out
        ClientsideFunction("dashboard", "age"),
        Output("age", "children"),
        Input("second", "n_intervals"),
        Input("updated", "data"),
        State("age", "children"),
    )
    _harden(app, trusted_hosts)
    return app


def _property(place: str) -> str:
    return {"rate": "figure", "latency": "figure", "names": "figure", "answers": "figure", "updated": "data"}.get(
        place, "children"
    )


def _refreshed(sampler: Sampler) -> dict[str, Any]:
    """Return what the page shows now; where metrics cannot be read it keeps what it has and says so."""
    from dash import no_update  # noqa: PLC0415

    from strategy_execution_engine.monitoring import dashboard_page  # noqa: PLC0415

    try:
        sampled, metrics, points = sampler.sample()
    except FeatureStoreError as problem:
        return {**dict.fromkeys(_PLACES, no_update), "health": dashboard_page.unreachable(str(problem))}
    return {**dashboard_page.update(metrics, points), "updated": sampled}


def _harden(app: Dash, trusted_hosts: AbstractSet[str] | None) -> None:
    """Answer under trusted names only, and let the browser load nothing from elsewhere."""
    from flask import request  # noqa: PLC0415  comes with Dash

    def refuse_other_names() -> tuple[str, int] | None:
        # Another site's name can be made to point at this address, and its pages could then read this one.
        name = urlsplit(f"//{request.host}").hostname
        return None if trusted_hosts is None or name in trusted_hosts else ("This page goes by another name.\n", 400)

    scripts = " ".join(["'self'", *app.csp_hashes()])
    policy = (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

    def add_headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    app.server.before_request(refuse_other_names)
    app.server.after_request(add_headers)


def _source(url: str | None) -> tuple[Callable[[], Metrics], str]:
    if url is None:
        return feature_store_metrics.get_metrics, "this process"
    service = ServiceMetrics(url)
    return service.get_metrics, service.address


def _refuse_open_doors(host: str, *, debug: bool, allow_remote: bool) -> None:
    if _is_loopback(host) or (allow_remote and not debug):
        return
    if debug:
        msg = (
            f"debug is for this machine only, and host {host!r} reaches beyond it; use host='127.0.0.1' or debug=False"
        )
        raise InvalidRequestError(msg, field="host")
    msg = (
        f"host {host!r} lets other machines read this page, which has no sign-in; pass allow_remote=True if you mean it"
    )
    raise InvalidRequestError(msg, field="host")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int) -> socket.socket:
    if not isinstance(port, int) or not 0 <= port <= _LARGEST_PORT:
        raise InvalidRequestError(f"port must be a whole number from 0 to {_LARGEST_PORT}, was {port!r}", field="port")
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except socket.gaierror as problem:
        raise InvalidRequestError(
            f"host {host!r} is not an address of this machine; use 127.0.0.1", field="host"
        ) from problem
    except OSError as problem:
        raise InvalidRequestError(_why_not(problem, host, port), field="port") from problem


def _why_not(problem: OSError, host: str, port: int) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use by another program; stop it, or pass another port (0 takes a free one)"
    if problem.errno == errno.EACCES:
        return f"port {port} needs more rights than this program has; pass a port from 1024 on, or 0 for a free one"
    return f"cannot listen on {host} port {port}: {problem.strerror}; use host='127.0.0.1'"
