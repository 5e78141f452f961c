"""A line in which whoever comes back has its old place, unlike that before an asyncio.Lock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from itertools import count


class Line:
    """Lets one in at a time, the smallest ticket first. Lives in a loop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._arrivals = count()
        self._is_busy = False

    @asynccontextmanager
    async def turn(self, ticket: int) -> AsyncIterator[None]:
        """Be alone in the block."""
        if self._is_busy:
            await self._wait(ticket)
        self._is_busy = True
        try:
            yield
        finally:
            self._let_next_in()

    async def _wait(self, ticket: int) -> None:
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (ticket, next(self._arrivals), called))
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():
                self._let_next_in()
            raise

    def _let_next_in(self) -> None:
        """It stays busy: nobody slips in before the one that is called."""
        while self._waiting:
            *_, called = heappop(self._waiting)
            if not called.done():
                called.set_result(None)
                return
        self._is_busy = False
