"""Transactions, on both databases."""

import traceback

import pytest
from sqlalchemy import text

from communication.store import Store

SAID = "Dear Ann"


def test_errors_do_not_repeat_the_values_of_a_statement(store: Store) -> None:
    statement = text("SELECT name FROM nowhere WHERE content = :content")
    with pytest.raises(Exception, match="nowhere") as caught, store.read() as connection:
        connection.execute(statement, {"content": SAID})
    assert SAID not in "".join(traceback.format_exception(caught.value))
