"""Which tags of a page have no partner: the fewest that explain why it is not balanced.

A stack alone blames every tag that follows the first mistake.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

_MOST = 80
"""Tags that are weighed against each other; the time grows with their third power."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Where an element begins or ends."""

    name: str
    is_end: bool

    def ends(self, other: "Edge") -> bool:
        """Whether this is the end of the element that begins there."""
        return self.is_end and not other.is_end and self.name == other.name


def unmatched(edges: Sequence[Edge]) -> set[int]:
    """The places of the tags to take away, as few as can be, for the rest to be balanced."""
    left: list[int] = []
    for place, edge in enumerate(edges):
        if left and edge.ends(edges[left[-1]]):
            left.pop()
        else:
            left.append(place)
    if len(left) > _MOST:
        return set(left)
    return {left[place] for place in _fewest([edges[place] for place in left])}


def _fewest(edges: Sequence[Edge]) -> tuple[int, ...]:
    @cache
    def between(start: int, stop: int) -> tuple[int, ...]:
        if start >= stop:
            return ()
        best = (start, *between(start + 1, stop))
        for end in range(start + 1, stop):
            if edges[end].ends(edges[start]):
                both = between(start + 1, end) + between(end + 1, stop)
                best = min(best, both, key=len)
        return best

    return between(0, len(edges))
