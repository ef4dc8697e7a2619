"""An S3 server of this machine, and a proxy before it that loses answers, refuses, throttles and stalls as told."""

from __future__ import annotations

import http.client
import socket
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

BUCKET = "market"
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate</Message></Error>"


@contextmanager
def served():
    """Yield the port of a server that holds an empty bucket."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/{BUCKET}", method="PUT")).close()
    yield port
    server.stop()


def options(port, **others):
    """What gets a store into the bucket, with little patience."""
    return {
        "aws_endpoint": f"http://127.0.0.1:{port}",
        "aws_region": "us-east-1",
        "aws_access_key_id": "someone",
        "aws_secret_access_key": "anything",
        "aws_allow_http": "true",
        **others,
    }


@dataclass
class Faults:
    """Which requests go wrong and how; `plan` is asked for each and answers with a fault or None.

    `before`: 500 without forwarding. `after`: forwarded, and then 500. `lost`: forwarded, and then the connection is reset.
    `throttled`: 503 SlowDown. `stalled`: nothing is forwarded and no answer comes until the client has gone.
    """

    plan: object = None
    seen: list = field(default_factory=list)
    hit: list = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def ask(self, method, path):
        with self._lock:
            fault = self.plan and self.plan(len(self.seen), method, path)
            self.seen.append((method, path))
            if fault:
                self.hit.append((fault, method, path))
            return fault


class Handler(BaseHTTPRequestHandler):
    """Forwards a request to the server behind the proxy, unless something is to go wrong."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_):
        """Say nothing."""

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.faults.ask(self.command, self.path)
        if fault == "before":
            self.answer(500, [], b"")
        elif fault == "throttled":
            self.answer(503, [], SLOW_DOWN)
        elif fault == "stalled":
            self.connection.recv(1)
            self.close_connection = True
        else:
            self.answer_late(fault, *self.forward(body))

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any  # noqa: N815  the names are http.server's

    def answer_late(self, fault, status, headers, content):
        if fault == "after":
            self.answer(500, [], b"")
        elif fault == "lost":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        else:
            self.answer(status, headers, content)

    def forward(self, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind)
        connection.request(self.command, self.path, body, dict(self.headers.items()))
        answer = connection.getresponse()
        content = answer.read()
        headers = answer.getheaders()
        connection.close()
        return answer.status, headers, content

    def answer(self, status, headers, content):
        self.send_response_only(status)
        names = {name.lower() for name, _ in headers}
        for name, value in headers:
            if name.lower() not in {"connection", "transfer-encoding"}:
                self.send_header(name, value)
        if "content-length" not in names:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()


class Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Say nothing of a client that has gone."""


@contextmanager
def proxied(port, faults):
    """Yield the port of a proxy to the server at `port`."""
    proxy = Proxy(("127.0.0.1", 0), Handler)
    proxy.faults, proxy.behind = faults, port
    thread = Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield proxy.server_address[1]
    proxy.shutdown()
    proxy.server_close()
    thread.join()
