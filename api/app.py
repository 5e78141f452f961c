"""The HTTP application: resources, and where they are served."""

from typing import Any

from falcon import App
from redis import Redis

from api.backlog import Backlog
from api.collector import CollectedEvent, CollectedEvents
from api.context import Context
from api.contracts import LISTENER
from api.deliveries import Deliveries
from api.devices import Devices, OneDevice
from api.edge import Edge
from api.errors import add_error_handlers
from api.gate import Gate, GatedApp
from api.hub_care import Callbacks, Example, Recovery, Rotation
from api.hubs import Hubs, OneHub
from api.listener import HeardEvent, Listener
from api.message import Message
from api.messages import Messages, NewSend, Send
from api.notifications import PATH, Notifications, OneSubscription, Subscriptions
from api.operations import Health, Metrics, Ready
from api.order_events import Order, OrderEvents
from api.rates import open_rates
from api.receipts import Receipts
from api.reference import Description, Page, description
from api.tokens import open_tokens
from communication.catalogue.catalogue import open_catalogue
from communication.events.sequencing import count_untold
from communication.events.telling import Teller
from communication.http.guard import Guard
from communication.messages.queue_status import count_due
from communication.polling.handing_out import Polling
from communication.redis_client import open_redis
from communication.settings import Settings
from communication.store import Store
from communication.wire.message import Rules
from communication.wire.template import Templates


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
        max_value=settings.max_value,
        guard=Guard.of(settings.callback_allow),
        templates=templates or open_catalogue(settings),
    )
    context = _context(store, settings, rules)
    app = GatedApp(middleware=[Edge(), Gate(open_tokens(settings), open_rates(settings))])
    add_error_handlers(app)
    _serve_messages(app, context)
    _serve_hubs(app, context)
    _serve_events(app, context, redis or open_redis(settings))
    app.add_route("/receipt/{channel}", Receipts(store, settings))
    app.add_route("/health", Health())
    app.add_route("/ready", Ready(store, settings, redis))
    app.add_route("/metrics", Metrics(store, settings))
    described = description(app.scopes_by_route, settings)
    app.add_route("/openapi.json", Description(described))
    app.add_route("/docs", Page(described))
    return app


def _context(store: Store, settings: Settings, rules: Rules) -> Context:
    most = settings.max_backlog
    return Context(
        store=store,
        settings=settings,
        rules=rules,
        backlog=Backlog(store, most, count_due, "waits to be sent"),
        untold=Backlog(store, most, count_untold, "events wait to be told"),
    )


def _serve_messages(app: App[Any, Any], context: Context) -> None:
    app.add_route("/communicationMessage", Messages(context))
    app.add_route("/communicationMessage/send", NewSend(context))
    app.add_route("/communicationMessage/{message_id}", Message(context))
    app.add_route("/communicationMessage/{message_id}/send", Send(context))
    app.add_route("/communicationMessage/{message_id}/delivery", Deliveries(context))
    app.add_route("/appUser/{app_user_id}/device", Devices(context))
    app.add_route("/appUser/{app_user_id}/device/{device_id}", OneDevice(context))


def _serve_hubs(app: App[Any, Any], context: Context) -> None:
    app.add_route("/hub", Hubs(context))
    app.add_route("/hub/{hub_id}", OneHub(context))
    app.add_route("/hub/{hub_id}/callback", Callbacks(context))
    app.add_route("/hub/{hub_id}/recover", Recovery(context))
    app.add_route("/hub/{hub_id}/rotateSecret", Rotation(context))
    app.add_route("/hub/{hub_id}/test", Example(context))


def _serve_events(app: App[Any, Any], context: Context, redis: Redis) -> None:
    settings = context.settings
    teller = Teller(public_url=settings.public_url, receivers=settings.event_receivers)
    polling = Polling(context.store, redis, teller, ttl=settings.notification_ttl)
    listener = f"{LISTENER.prefix}/listener"
    app.add_route(listener, Listener(context))
    app.add_route(f"{listener}/{{event_id:path}}", HeardEvent(context))
    app.add_route(PATH, Subscriptions(context, polling))
    app.add_route(f"{PATH}/{{subscription_id}}", OneSubscription(context, polling))
    app.add_route(f"{PATH}/{{subscription_id}}/notifications", Notifications(polling))
    app.add_route("/api/v1/events", CollectedEvents(context))
    app.add_route("/api/v1/events/{event_id}", CollectedEvent(context))
    app.add_route("/api/2.3.1/orderevents", OrderEvents(context))
    app.add_route("/api/2.3.1/orders/{order_id:path}", Order(context))
