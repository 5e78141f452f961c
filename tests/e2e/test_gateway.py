"""SMS through an HTTP gateway and back by its webhook, through the whole of Tidings."""

import time
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

from tests.gateways import Asked, Reply, answer, elks, gateway, reference
from tests.running import Api, embedded, numbers, sms
from tests.waiting import wait_until

SECRET = "of-the-gateway-0123"


def tell(api: Api, said: str, status: str) -> int:
    """What 46elks tells of a message."""
    connection = HTTPConnection("127.0.0.1", api.port, timeout=120)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode({"id": said, "status": status})
    connection.request("POST", f"/receipt/sms?key={SECRET}", body, form)
    code = connection.getresponse().status
    connection.close()
    return code


def test_a_receipt_ends_what_the_gateway_took() -> None:
    with (
        gateway(elks) as server,
        embedded(sms_url=server.url(f"gateway=46elks&receipts={SECRET}")) as up,
    ):
        message = up.api.send(**sms(*numbers(2)))
        wait_until(lambda: _states(up.api, message) == ["sent", "sent"])
        first, second = (f"s{reference(asked)}" for asked in server.asked)
        assert server.asked[0].form["whendelivered"] == (
            f"http://127.0.0.1:{up.port}/receipt/sms?key={SECRET}"
        )

        assert tell(up.api, first, "sent") == tell(up.api, first, "delivered") == 200
        assert tell(up.api, second, "failed") == 200

        assert up.api.ends(message)["status"] == "Completed"
        assert sorted(_states(up.api, message)) == ["delivered", "failed"]
        assert up.api.counted("tidings_receipts_total", outcome="applied") == 2


def test_a_gateway_that_is_broken_for_a_while_costs_no_message() -> None:
    """500 to everything at first, as a gateway whose own database is away."""
    mended: list[float] = []

    def reply(asked: Asked) -> Reply:
        return elks(asked) if mended and time.monotonic() > mended[0] else answer(500, b"oops")

    with (
        gateway(reply) as server,
        embedded(sms_url=server.url("gateway=46elks"), retry_base=0.5, worker_threads=2) as up,
    ):
        message = up.api.send(**sms(*numbers(300)), tryTimes=3)
        wait_until(lambda: len(server.asked) >= 20)
        mended.append(time.monotonic() + 2)

        ended = up.api.ends(message)

        assert ended["deliverySummary"]["delivered"] == 300
        tries = sum(one["attempts"] for one in up.api.deliveries(message))
        assert tries == len(server.asked)
        # The breaker spared it: without one, each delivery would have been tried again.
        assert tries < 2 * 300


def _states(api: Api, message: str) -> list[Any]:
    return [one["state"] for one in api.deliveries(message)]
