"""A clock that stands until a test moves it."""

from dataclasses import dataclass, field


@dataclass
class Clock:
    """Called, it tells the time in seconds; sleeping moves it on, and is kept."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
