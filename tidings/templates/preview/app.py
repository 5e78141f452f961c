"""The preview as a web application: for authors, on their own machine."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import falcon
from falcon import App, Request, Response

from communication.catalogue.folder import Folder
from communication.catalogue.snapshot import Medium, Snapshot, TemplateNotFound
from communication.errors import TidingsError
from communication.settings import Settings, is_loopback
from tidings.templates.cases import RECEIVER
from tidings.templates.check import Wishes
from tidings.templates.findings import Finding
from tidings.templates.preview import frames
from tidings.templates.preview.desk import Desk, Look
from tidings.templates.preview.excerpt import excerpt
from tidings.templates.preview.fields import fields_of
from tidings.templates.preview.frames import Frames
from tidings.templates.preview.messages import Messages, Outcome, sms
from tidings.templates.preview.pages import POLICY, STATIC, page
from tidings.templates.preview.watch import Watch
from tidings.templates.structure import language_name
from tidings.templates.trial import Limits, Render
from worker.templates.formats import filters_of

_PATIENCE = 5.0
"""Seconds that a page waits for a change before it asks again."""
_SEGMENTS = 3
"""Most that an SMS may take before it is called long, as in `templates check`."""


def create_preview(settings: Settings, folder: Folder, render: Render) -> App[Any, Any]:
    """The application over a templates folder, as all or one tenant sees it."""
    wishes = Wishes(
        limits=Limits(segments=_SEGMENTS, simplified=settings.sms_simplify),
        default_locale=settings.locale,
    )
    desk = Desk(folder, wishes, render)
    watch = Watch(folder)
    shown = Frames()
    app: App[Any, Any] = App(middleware=[_AtHome(settings.bind)])
    trouble = _Trouble(watch)
    app.add_error_handler(TidingsError, trouble.not_now)
    app.add_error_handler(TemplateNotFound, trouble.not_found)
    app.add_route("/", _Overview(desk, watch))
    app.add_route("/templates/{name}", _Template(desk, watch, shown, settings, render))
    app.add_route("/frames/{key}", _Frame(shown))
    app.add_route("/changes", _Changes(watch))
    app.add_static_route("/static", STATIC)
    return app


class _AtHome:
    """Serves this machine alone, even to a browser that a stranger's page sends here."""

    def __init__(self, bind: str) -> None:
        self._host = bind.rpartition(":")[0].strip("[]")

    def process_request(self, req: Request, _resp: Response) -> None:
        host = req.host.strip("[]")
        if host != self._host and not is_loopback(host):
            raise falcon.HTTPForbidden(
                description="The preview is only for the machine on which it runs."
            )

    def process_response(self, _req: Request, resp: Response, *_about: object) -> None:
        if resp.get_header("Content-Security-Policy") is None:
            resp.set_header("Content-Security-Policy", POLICY)
        resp.set_headers(
            {
                "Cache-Control": "no-store",
                "Cross-Origin-Resource-Policy": "same-origin",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
            }
        )


class _Overview:
    """The list of templates, with what is wrong with each."""

    def __init__(self, desk: Desk, watch: Watch) -> None:
        self._desk = desk
        self._watch = watch

    def on_get(self, _req: Request, resp: Response) -> None:
        state = self._watch.state()
        looks = [self._desk.look(name) for name in self._desk.names()]
        known = {look.name: look.snapshot or self._desk.last_good(look.name) for look in looks}
        _answer(
            resp,
            page(
                "overview.html",
                state=state,
                looks=looks,
                known=known,
                language=language_name,
                place=self._desk.place,
            ),
        )


class _Template:
    """One template: the form, and what becomes of the values in it."""

    def __init__(
        self, desk: Desk, watch: Watch, shown: Frames, settings: Settings, render: Render
    ) -> None:
        self._desk = desk
        self._watch = watch
        self._shown = shown
        self._settings = settings
        self._messages = Messages(render)

    def on_get(self, req: Request, resp: Response, name: str) -> None:
        state = self._watch.state()
        look = self._desk.look(name)
        typed = {key: value for key, value in req.params.items() if isinstance(value, str)}
        form = _form(look.snapshot or self._desk.last_good(name), typed)
        results = self._results(look, form) if look.snapshot and form else {}
        _answer(
            resp,
            page(
                "template.html",
                state=state,
                look=look,
                form=form,
                place=self._desk.place,
                excerpt=lambda finding: excerpt(finding, look.texts),
                **results,
            ),
        )

    def _results(self, look: Look, form: Mapping[str, Any]) -> dict[str, Any]:
        snapshot: Snapshot = form["snapshot"]
        refused = [field for field in form["fields"] if field.fault]
        if any(field.text.strip() for field in refused):
            return {"refused": refused, "shown": []}
        found = self._messages.outcomes(snapshot, form["locale"], form["fields"], form["receiver"])
        return {
            "refused": [],
            "shown": _shown(look, found),
            "email": found[Medium.EMAIL],
            "sms": found[Medium.SMS],
            "push": found[Medium.PUSH],
            "sender": self._settings.email_sender.partition(" <")[0],
            "today": filters_of(form["locale"])["date"](_today(), "full"),
            **self._sized(found),
        }

    def _sized(self, found: Mapping[Medium, Outcome]) -> dict[str, Any]:
        email, text = found[Medium.EMAIL].message, found[Medium.SMS].message
        html = email.html if email else None
        return {
            "frame": self._shown.add(html) if html else None,
            "remote_images": frames.remote_images(html) if html else 0,
            "sent": sms(text.text, simplified=self._settings.sms_simplify) if text else None,
            "segments": _SEGMENTS,
        }


class _Frame:
    """An email's HTML."""

    def __init__(self, shown: Frames) -> None:
        self._shown = shown

    def on_get(self, _req: Request, resp: Response, key: str) -> None:
        html = self._shown.get(key)
        if html is None:
            raise falcon.HTTPNotFound
        resp.set_header("Content-Security-Policy", frames.POLICY)
        _answer(resp, html)


class _Trouble:
    """Pages for what can't be shown; they too go on by themselves when files change."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def not_found(self, _req: Request, resp: Response, error: Exception, _params: object) -> None:
        resp.status = falcon.HTTP_404
        self._answer(resp, "There is no such template", error)

    def not_now(self, _req: Request, resp: Response, error: Exception, _params: object) -> None:
        resp.status = falcon.HTTP_503
        self._answer(resp, "This can't be shown now", error)

    def _answer(self, resp: Response, title: str, error: Exception) -> None:
        state = self._watch.state()
        _answer(resp, page("trouble.html", state=state, title=title, said=str(error)))


class _Changes:
    """Answers when a file has been saved since the state that the caller knows."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def on_get(self, req: Request, resp: Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = self._watch.wait(req.get_param("since", default=""), _PATIENCE)


def _form(snapshot: Snapshot | None, typed: Mapping[str, str]) -> dict[str, Any] | None:
    """What the form shows; none where nothing is known of the template but that it is broken."""
    if snapshot is None:
        return None
    return {
        "snapshot": snapshot,
        "locale": snapshot.effective_locale(typed.get("locale")),
        "locales": {
            one: language_name(one)
            for one in dict.fromkeys((snapshot.default_locale, *snapshot.locales))
        },
        "look": "dark" if typed.get("look") == "dark" else "light",
        "fields": fields_of(snapshot.characteristics, typed),
        "receiver": {
            key: typed.get(f"receiver.{key}", example) or None for key, example in RECEIVER.items()
        },
    }


def _shown(look: Look, found: Mapping[Medium, Outcome]) -> list[Finding]:
    """Those of the check's findings that stand where a message should."""
    faults = [one.fault for one in found.values() if one.fault]
    return [
        finding
        for finding in look.findings
        if any((one.place, one.message) == (finding.place, finding.message) for one in faults)
    ]


def _today() -> str:
    return datetime.now().astimezone().date().isoformat()


def _answer(resp: Response, html: str) -> None:
    resp.content_type = falcon.MEDIA_HTML
    resp.text = html
