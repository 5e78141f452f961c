"""Successful answers, as values that can be kept and given again."""

from dataclasses import dataclass, field

from falcon import Response

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a JSON body (empty: none) and headers."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def write(self, resp: Response) -> None:
        """Make it the response."""
        resp.status = self.status
        for name, value in self.headers.items():
            resp.set_header(name, value)
        if self.body:
            resp.content_type = JSON
            resp.data = self.body
