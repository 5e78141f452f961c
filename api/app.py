"""The HTTP application: resources, and where they are served."""

from typing import Any

from falcon import App
from redis import Redis

from api.context import Context
from api.deliveries import Deliveries
from api.devices import Devices, OneDevice
from api.edge import Edge
from api.errors import add_error_handlers
from api.hubs import Hubs, OneHub
from api.message import Message
from api.messages import Messages, NewSend, Send
from api.operations import Health, Metrics, Ready
from api.receipts import Receipts
from communication.catalogue import open_catalogue
from communication.settings import Settings
from communication.store import Store
from communication.wire import Rules
from communication.wire_template import Templates


def create_app(
    store: Store,
    settings: Settings,
    *,
    redis: "Redis | None" = None,
    templates: Templates | None = None,
) -> App[Any, Any]:
    """The API over a store. It needs neither broker nor Redis to accept a message."""
    rules = Rules(
        max_receivers=settings.max_receivers,
        try_times=settings.try_times,
        phone_region=settings.phone_region,
        templates=templates or open_catalogue(settings),
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
    app.add_route("/appUser/{app_user_id}/device", Devices(context))
    app.add_route("/appUser/{app_user_id}/device/{device_id}", OneDevice(context))
    app.add_route("/receipt/{channel}", Receipts(store, settings))
    app.add_route("/health", Health())
    app.add_route("/ready", Ready(store, settings, redis))
    app.add_route("/metrics", Metrics(store, settings))
    return app
