from typing import Never

from communication.http.client import HttpClient
from worker.hubs.post import Job, Listener, Poster
from worker.hubs.verdict import Verdict

LISTENER = Listener(
    key=1, id="h1", tenant="a", url="https://hub.example/", query="", secrets=("whsec_c2VjcmV0",)
)
JOB = Job(key=1, position=1, event_id="e1", event_type="any", attempts=0, body="{}")


class _Broken(HttpClient):
    def request(self, *_: object, **__: object) -> Never:
        raise RuntimeError("a fault of ours")


def test_a_fault_of_ours_is_a_failed_try_and_not_an_endless_one() -> None:
    tried = Poster(_Broken(None)).attempt(LISTENER, JOB)
    assert (tried.job, tried.result.verdict) == (JOB, Verdict.RETRY)
    assert tried.result.reason == "unexpected RuntimeError"
