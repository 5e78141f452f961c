"""The table of addresses that are not written to."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from communication.columns import Moment
from communication.model import table_of


class Suppression(SQLModel, table=True):
    """An email address that a tenant's mails are not sent to.

    `origin`: the public id of the delivery that came back; None where an operator said so.
    """

    __tablename__ = "suppression"

    tenant: str = Field(sa_type=Text, primary_key=True)
    address: str = Field(sa_type=Text, primary_key=True)
    reason: str = Field(sa_type=Text)
    origin: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=Moment)


SUPPRESSION = table_of(Suppression)
