"""The HTTP application: resources, and where they are served."""

from collections.abc import Callable
from typing import Any

from falcon import App
from redis import Redis

from api.context import Context
from api.deliveries import Deliveries
from api.edge import Edge
from api.errors import add_error_handlers
from api.hubs import Hubs, OneHub
from api.message import Message
from api.messages import Messages, NewSend, Send
from api.operations import Health, Metrics, Ready
from communication.settings import Settings
from communication.store import Store
from communication.wire import Rules


def no_templates(_name: str) -> bool:
    """No template is known."""
    return False


def create_app(
    store: Store,
    settings: Settings,
    *,
    redis: "Redis | None" = None,
    has_template: Callable[[str], bool] = no_templates,
) -> App[Any, Any]:
    """The API over a store. It needs neither broker nor Redis to accept a message."""
    rules = Rules(
        max_receivers=settings.max_receivers,
        try_times=settings.try_times,
        has_template=has_template,
    )
    context = Context(store=store, settings=settings, rules=rules)
    app = App(middleware=[Edge()])
    add_error_handlers(app)
    app.add_route("/communicationMessage", Messages(context))
    app.add_route("/communicationMessage/send", NewSend(context))
    app.add_route("/communicationMessage/{message_id}", Message(context))
    app.add_route("/communicationMessage/{message_id}/send", Send(context))
    app.add_route("/communicationMessage/{message_id}/delivery", Deliveries(context))
    app.add_route("/hub", Hubs(context))
    app.add_route("/hub/{hub_id}", OneHub(context))
    app.add_route("/health", Health())
    app.add_route("/ready", Ready(store, settings, redis))
    app.add_route("/metrics", Metrics(store, settings))
    return app
