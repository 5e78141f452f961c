"""The table of the parts in which long messages went out."""

from datetime import datetime

from sqlalchemy import Index, Integer, Text
from sqlmodel import Field, SQLModel

from communication.columns import Key, Moment
from communication.model import table_of


class DeliveryPart(SQLModel, table=True):
    """One part of a message, and its receipt."""

    __tablename__ = "delivery_part"
    __table_args__ = (
        Index("delivery_part_reference", "reference", "provider"),
        Index("delivery_part_whole", "whole", "provider"),
        Index("delivery_part_age", "created_at"),
    )

    key: int | None = Field(default=None, primary_key=True, sa_type=Key)
    provider: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    whole: str = Field(sa_type=Text)  # the delivery's own reference
    number: int = Field(sa_type=Integer)
    state: str | None = Field(default=None, sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)


DELIVERY_PART = table_of(DeliveryPart)
