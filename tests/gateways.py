"""HTTP gateways as their public documentation has them, for tests of what is said to them."""

import json
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def login(self) -> str:
        return b64decode(self.headers["authorization"].removeprefix("Basic ")).decode()


@dataclass
class Server:
    """A gateway that answers by a function."""

    reply: Callable[[Asked], Reply]
    asked: list[Asked] = field(default_factory=list)
    delay: float = 0.0
    port: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def url(self, query: str, *, login: str = "user:secret", path: str = "") -> str:
        return f"http://{login}@127.0.0.1:{self.port}{path}?{query}"


def answer(status: int, body: object, **headers: str) -> Reply:
    """An answer in JSON."""
    return (
        status,
        {name.replace("_", "-"): text for name, text in headers.items()},
        (body if isinstance(body, bytes) else json.dumps(body).encode()),
    )


def reference(asked: Asked) -> str:
    """The same for the same request."""
    return sha256(asked.body).hexdigest()[:20]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for each answer
    server: "_Listener"

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, headers, self.rfile.read(length))
        gateway = self.server.gateway
        gateway.asked.append(asked)
        gateway.over.wait(gateway.delay)
        status, extra, body = gateway.reply(asked)
        self.send_response(status)
        for name, value in {**extra, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 - the base class's name

    def log_message(self, *_: object) -> None:
        """Nothing."""


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, gateway: Server) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.gateway = gateway


@contextmanager
def gateway(reply: Callable[[Asked], Reply], *, delay: float = 0.0) -> Iterator[Server]:
    """It runs until the end of the block."""
    server = Server(reply, delay=delay)
    listener = _Listener(server)
    server.port = listener.server_port
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        listener.shutdown()
        listener.server_close()
        thread.join()


def twilio(asked: Asked) -> Reply:
    """`POST /2010-04-01/Accounts/{sid}/Messages.json`."""
    if not urlsplit(asked.path).path.endswith("/Messages.json"):
        return answer(404, {"code": 20404, "message": "not found", "status": 404})
    if not asked.login.endswith(":secret"):
        return answer(401, {"code": 20003, "message": "Authenticate", "status": 401})
    fields = asked.form
    if not fields.get("To", "").startswith("+") or not fields.get("Body"):
        return answer(400, {"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400})
    return answer(201, {"sid": f"SM{reference(asked)}", "status": "queued", "error_code": None})


def vonage(asked: Asked) -> Reply:
    """`POST /sms/json`: always 200, the status is in the body."""
    fields = asked.form
    if not fields["to"].isdigit() or not fields.get("text"):
        refused = {"to": fields["to"], "status": "6", "error-text": "Unroutable message - rejected"}
        return answer(200, {"message-count": "1", "messages": [refused]})
    taken = {"to": fields["to"], "message-id": reference(asked), "status": "0"}
    return answer(200, {"message-count": "1", "messages": [taken]})


def elks(asked: Asked) -> Reply:
    """`POST /a1/sms`: errors are plain text."""
    fields = asked.form
    if not fields["to"].startswith("+") or not fields.get("message"):
        return answer(400, b"Invalid to number")
    return answer(200, {"id": f"s{reference(asked)}", "status": "created", "to": fields["to"]})


def gatewayapi(asked: Asked) -> Reply:
    """`POST /rest/mtsms`: JSON both ways."""
    fields = asked.json
    if not fields["recipients"][0]["msisdn"].isdigit() or not fields.get("message"):
        return answer(400, {"code": "0x0216", "message": "Not a valid MSISDN", "variables": []})
    return answer(200, {"ids": [int(reference(asked)[:12], 16)], "usage": {"total_cost": 0.1}})
