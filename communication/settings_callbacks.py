"""Settings of callbacks to hubs (docs/hub.md)."""

import math
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

Seconds = Annotated[float, Field(gt=0)]
"""More than none."""


class CallbackSettings(BaseSettings):
    """How hubs are told, how often, and for how long what they were told is kept."""

    callback_schedule: str = Field(
        "5,30,120,600,3600,10800,21600,43200,86400",
        description="Seconds before each try again of a callback.",
    )
    callback_concurrency: int = Field(
        4, ge=1, le=64, description="Callbacks that one hub is sent at the same time."
    )
    callback_hubs: int = Field(
        64, ge=1, le=512, description="Hubs that a worker serves at the same time."
    )
    callback_timeout: Seconds = Field(10, description="Seconds that a hub may take to answer.")
    callback_disable_after: Seconds = Field(
        432_000, description="Seconds without a success after which a hub is disabled."
    )
    callback_keep: Seconds = Field(
        604_800, description="Seconds for which callbacks that ended can be listed and recovered."
    )
    secret_overlap: Seconds = Field(
        86_400, description="Seconds for which a hub's replaced secret still signs."
    )

    @field_validator("callback_schedule")
    @classmethod
    def _callback_schedule_is_seconds(cls, value: str) -> str:
        if any(not 0 <= wait < math.inf for wait in _numbers(value)):
            raise ValueError("must be seconds separated by commas, for example 5,30,120")
        return value

    @property
    def callback_waits(self) -> tuple[float, ...]:
        """Seconds after the first, second … failed try of a callback."""
        return tuple(_numbers(self.callback_schedule))


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",") if part.strip()]
