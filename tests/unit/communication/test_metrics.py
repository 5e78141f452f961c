"""What is counted by tenant, and that operators can read of all of it."""

from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge

from communication import metrics

PAGE = Path(__file__).parents[3] / "docs/operations.md"
PROCESS_WIDE = {
    "tidings_provider_calls",
    "tidings_relay_publish_failed",
    "tidings_requests_uncounted",
    "tidings_poll_queues_failed",
    "tidings_events_sequenced",
}
"""What is the installation's, and no tenant's."""


def named(kind: type[Counter | Gauge]) -> dict[str, tuple[str, ...]]:
    """Metrics by name, with their labels."""
    found = [one for one in vars(metrics).values() if isinstance(one, kind)]
    return {one._name: tuple(one._labelnames) for one in found}  # noqa: SLF001 - no other way


def test_whatever_belongs_to_a_tenant_is_counted_by_tenant() -> None:
    without = {name for name, labels in named(Counter).items() if "tenant" not in labels}
    assert without == PROCESS_WIDE


def test_the_operators_page_names_every_metric_with_its_labels() -> None:
    page = PAGE.read_text()
    counters = {f"{name}_total": labels for name, labels in named(Counter).items()}
    for name, labels in (counters | named(Gauge)).items():
        assert f"`{name}{{{','.join(labels)}}}`" in page or (not labels and f"`{name}`" in page)


def test_what_is_alike_is_added_up_first(monkeypatch: pytest.MonkeyPatch) -> None:
    counter = Counter("testing_things", "Things.", ("tenant",), registry=None)
    asked: list[tuple[str, ...]] = []
    children = counter.labels

    def labels(*of: str) -> Counter:
        asked.append(of)
        return children(*of)

    monkeypatch.setattr(counter, "labels", labels)

    metrics.count((counter, (tenant,)) for tenant in ("a", "b", "a", "a"))

    assert asked == [("a",), ("b",)]
    assert [children(tenant)._value.get() for tenant in "ab"] == [3, 1]  # noqa: SLF001 - as above
