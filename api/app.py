"""The HTTP application: resources, and where they are served."""

from collections.abc import Callable
from typing import Any

from falcon import App
from redis import Redis

from api.context import Context
from api.edge import Edge
from api.errors import add_error_handlers
from api.message import Message
from api.messages import Messages, NewSend, Send
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
    return app
