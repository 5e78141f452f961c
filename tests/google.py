"""A server that stands for Google's: OAuth and FCM's v1 API, checking what Google checks."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.peer_process import PeerProcess, peer_process
from tests.push_messages import write_private, write_public

FCM_TOKEN = "bk3RNwTe3H0:CI2k_HHwgIpoDKCIZvvDMExUdFQ3P1"
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


@dataclass
class Google:
    """A server that stands for Google's, and an account that it knows."""

    peer: PeerProcess
    folder: Path

    def url(self, **parameters: str) -> str:
        given = "".join(f"&{name}={value}" for name, value in parameters.items())
        return f"fcm://{self.folder}/account.json?api=http://127.0.0.1:{self.peer.port}{given}"

    def forgets(self) -> None:
        """Behave as usual, and know of no request."""
        self.peer.behave(FCM_TOKEN, {})
        self.peer.behave("token", {})
        self.peer.requests.clear()

    def refuses(self, code: int, status: str, error_code: str = "", **rest: Any) -> None:
        details = [{"@type": FCM_ERROR, "errorCode": error_code}] if error_code else []
        error = {"code": code, "status": status, "message": "because", "details": details, **rest}
        self.peer.behave(FCM_TOKEN, {"error": error})

    def sent(self, count: int) -> list[dict[str, Any]]:
        """What was sent, once that is so many messages."""
        return [one for one in self.peer.received(count + 1) if one["path"] != "/token"]


@contextmanager
def google_server(folder: Path) -> Iterator[Google]:
    """A server for the length of a block, its account in the folder."""
    key = rsa.generate_private_key(65537, 2048)
    private = write_private(key, folder / "key.pem").read_text()
    known = {"project": "my-project", "keyId": "key-1", "email": "push@my-project.iam.example.com"}
    public = str(write_public(key, folder / "public.pem"))
    with peer_process("google.js", publicKeyFile=public, **known) as peer:
        account = {
            "type": "service_account",
            "project_id": known["project"],
            "private_key_id": known["keyId"],
            "private_key": private,
            "client_email": known["email"],
            "token_uri": f"http://127.0.0.1:{peer.port}/token",
        }
        (folder / "account.json").write_text(json.dumps(account))
        yield Google(peer, folder)
