"""Types of columns, and indexes, that mean the same on both databases."""

from datetime import UTC, datetime

from sqlalchemy import JSON, BigInteger, DateTime, Index, Integer, Text, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

Key = BigInteger().with_variant(Integer, "sqlite")
Json = JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True, astext_type=Text()), "postgresql"
)


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite has no zones, so there it is stored bare."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware everywhere but in SQLite."""
        bare = value is not None and dialect.name == "sqlite"
        return value.astimezone(UTC).replace(tzinfo=None) if value and bare else value

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Always aware, in UTC."""
        if value is None or value.tzinfo is UTC:
            return value
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def partial_index(name: str, *by: str | TextClause, where: str, unique: bool = False) -> Index:
    """An index of the rows that a condition holds for."""
    condition = text(where)
    return Index(name, *by, unique=unique, postgresql_where=condition, sqlite_where=condition)
