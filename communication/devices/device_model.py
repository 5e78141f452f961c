"""The table of the device registry."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from communication.columns import Key, Moment
from communication.model import table_of
from communication.privacy.sealing import SealedJson, SealedText


class Device(SQLModel, table=True):
    """Where push reaches an app's user: one installation of the app, or one browser.

    `fingerprint`: of what the push service knows it by, which is one user's at a time.
    `registered_at`: when the app last said so.
    """

    __tablename__ = "device"
    __table_args__ = (
        Index("device_unique", "tenant", "app_user_id", "id", unique=True),
        Index("device_token", "tenant", "fingerprint", unique=True),
    )

    key: int | None = Field(default=None, primary_key=True, sa_type=Key)
    tenant: str = Field(sa_type=Text)
    app_user_id: str = Field(sa_type=Text)
    id: str = Field(sa_type=Text)
    platform: str = Field(sa_type=Text)
    token: str = Field(sa_type=SealedText)
    keys: dict[str, str] | None = Field(default=None, sa_type=SealedJson)
    fingerprint: str = Field(sa_type=Text)
    locale: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=Moment)
    registered_at: datetime = Field(sa_type=Moment)


DEVICE = table_of(Device)
