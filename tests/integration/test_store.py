"""Transactions, on both databases."""

import traceback

import pytest
from sqlalchemy import text

from communication.errors import ServiceUnavailable
from communication.store import Store, upgrade

SAID = "Dear Ann"


def test_errors_do_not_repeat_the_values_of_a_statement(store: Store) -> None:
    statement = text("SELECT name FROM nowhere WHERE content = :content")
    with pytest.raises(Exception, match="nowhere") as caught, store.read() as connection:
        connection.execute(statement, {"content": SAID})
    assert SAID not in "".join(traceback.format_exception(caught.value))


def test_a_database_that_is_away_is_told_in_a_line_when_it_is_to_be_upgraded() -> None:
    with pytest.raises(ServiceUnavailable, match="refused"):
        upgrade("postgresql://nobody@127.0.0.1:1/none")
