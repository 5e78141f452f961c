import pytest

from channels.email.smtp_pool import SmtpPool
from channels.endpoint import Deadline
from communication.errors import TransientDeliveryError


def test_who_waits_too_long_for_a_connection_is_told_so() -> None:
    pool = SmtpPool(size=1, idle=30)
    with (
        pool.slot(Deadline.after(5)),
        pytest.raises(TransientDeliveryError, match="waiting for a free connection"),
        pool.slot(Deadline.after(0.01)),
    ):
        pytest.fail("two connections at once")


def test_a_connection_that_failed_leaves_its_place_to_the_next() -> None:
    pool = SmtpPool(size=1, idle=30)
    with pytest.raises(TransientDeliveryError), pool.slot(Deadline.after(5)):
        raise TransientDeliveryError("lost")
    with pool.slot(Deadline.after(0)):
        assert pool.take() is None


def test_a_closed_pool_gives_no_connection() -> None:
    pool = SmtpPool(size=1, idle=30)
    pool.close()
    with (
        pytest.raises(TransientDeliveryError, match="the channel is closed"),
        pool.slot(Deadline.after(5)),
    ):
        pytest.fail("a connection after the end")
