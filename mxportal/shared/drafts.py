"""What was typed into a form, kept in the session: for Back, Forward, reload, the magnifier, and a login in between.

A page with a form has a random draft in its address. A POST writes what was typed under the draft of its page, so that
Back finds it. Where the answer would be a page and no redirect, the answer's page gets a draft of its own and is shown
by a GET: a reload sends nothing twice. A draft never executes anything: ``submit`` calls no service for one.
Neither files nor passwords are kept, and at most ``MAX_DRAFTS`` drafts with ``MAX_DRAFT_CHARACTERS`` in all.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Self

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.translation import gettext as _

from mxportal.shared.limits import count_up, network_of

MAX_DRAFTS = 24  # drafts of a session
MAX_DRAFT_CHARACTERS = 300_000  # characters, of all drafts of a session together
VISITORS_MAX_CHARACTERS, VISITORS_A_MINUTE, VISITORS_SECONDS = (
    20_000,
    30,
    3600,
)  # of one address without a login
RETURNING_LARGE_A_MINUTE = 3  # of one address, larger ones whose login has ended
PARAMETER = "draft"
SESSION_KEY = "drafts"
NEVER_KEPT = re.compile("password|csrfmiddlewaretoken", re.IGNORECASE)
DRAFT = re.compile(r"[A-Za-z0-9_-]{16}")
View = Callable[..., Any]
Fill = Callable[[QueryDict, "Sent | None"], Mapping[str, str]]


class Sent(QueryDict):
    """What a form sent, now or before. ``refusals`` are the errors of a service or a file.

    ``is_draft`` says that it was sent before, and only shows a page. ``is_typed`` says that it is not checked, either,
    as on the way Back.
    """

    is_draft = False
    is_typed = False

    def __init__(
        self, query: str | bytes | None = None, mutable: bool = True, encoding: str | None = None
    ) -> None:
        super().__init__(query, mutable, encoding)
        self.refusals: dict[str, list[str]] = {}

    @classmethod
    def of(cls, query: Any) -> Self:
        """Return a copy that can be changed."""
        sent = cls()
        for name, values in query.lists():
            sent.setlist(name, values)
        return sent

    def kept(self) -> str:
        """Return what the session keeps of it."""
        copy = QueryDict(mutable=True)
        for name, values in self.lists():
            if not NEVER_KEPT.search(name):
                copy.setlist(name, values)
        return copy.urlencode()


def new_draft() -> str:
    """Return a random name for a page with a form."""
    return secrets.token_urlsafe(12)


def posted(request: HttpRequest) -> Sent | None:
    """Return what to bind a form to: the POST, or the draft that the address names; None if the form is only shown."""
    if not hasattr(request, "sent"):
        request.sent = Sent.of(request.POST) if request.method == "POST" else None  # type: ignore[attr-defined]
    sent: Sent | None = request.sent  # type: ignore[attr-defined]
    return sent


def address_of(request: HttpRequest, draft: str, *, without: Mapping[str, Any] | None = None) -> str:
    """Return this page's address with another draft."""
    query = request.GET.copy()
    for name in without or ():
        query.pop(name, None)
    query[PARAMETER] = draft
    return f"{request.path}?{query.urlencode()}"


def keep(
    request: HttpRequest, draft: str, sent: Sent, *, person: int | None, is_typed: bool, is_news: bool = False
) -> bool:
    """Write it into the session, where the oldest drafts make room; return False if it is too large.

    ``is_news`` says that its reader expects a result, and is told that the form was not sent.
    """
    entry: dict[str, Any] = {
        "path": request.path,
        "person": person,
        "sent": sent.kept(),
        "refusals": sent.refusals,
        "is_typed": is_typed,
        "is_news": is_news,
    }
    if len(entry["sent"]) > MAX_DRAFT_CHARACTERS // 2:
        return False
    drafts = {name: old for name, old in request.session.get(SESSION_KEY, {}).items() if name != draft}
    drafts[draft] = entry
    while len(drafts) > MAX_DRAFTS or sum(len(one["sent"]) for one in drafts.values()) > MAX_DRAFT_CHARACTERS:
        del drafts[next(iter(drafts))]
    request.session[SESSION_KEY] = drafts
    return True


def load(request: HttpRequest, draft: str) -> Sent | None:
    """Return the draft, for the page and the person that it belongs to."""
    entry = request.session.get(SESSION_KEY, {}).get(draft)
    if not entry or (entry["path"], entry["person"]) != (request.path, request.user.pk):
        return None
    if entry["is_news"]:
        messages.info(request, _("Nothing has been changed yet. Check your input and send it again."))
        entry["is_news"], request.session.modified = False, True
    sent = Sent(entry["sent"])
    sent.is_draft, sent.is_typed, sent.refusals = True, entry["is_typed"], entry["refusals"]
    return sent


def forget_others(session: Any, person: int) -> None:
    """Delete drafts of other persons at a login."""
    drafts = session.get(SESSION_KEY, {})
    if session.get_expiry_age() == VISITORS_SECONDS:
        session.set_expiry(None)
    if any(entry["person"] != person for entry in drafts.values()):
        session[SESSION_KEY] = {name: one for name, one in drafts.items() if one["person"] == person}


def shown_once(response: HttpResponse) -> HttpResponse:
    """Mark the answer to a POST that shows what is not kept: no draft and no redirect lead to it again."""
    response.shown_once = True  # type: ignore[attr-defined]
    return response


def keeps_draft(
    *,
    has_form: bool = True,
    fill: Fill | None = None,
    visitor: Callable[[HttpRequest], str | None] | None = None,
) -> Callable[[View], View]:
    """Keep drafts for the view of a form.

    ``fill`` makes typed values from an address that fills the form; with it, every parameter of the address does.
    ``has_form`` is false if the form is on another page. ``visitor`` returns the address of somebody without a login,
    for whom only a few drafts a minute are kept.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def kept(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            draft = request.GET.get(PARAMETER, "")
            draft = draft if DRAFT.fullmatch(draft) else ""
            if request.method == "POST":
                response = view(request, *args, **kwargs)
                if request.user.pk is None and not (visitor and may_keep(request, visitor(request))):
                    return response
                return _send(request, draft, response)
            request.sent = load(request, draft) if draft else None  # type: ignore[attr-defined]
            fills = fill is not None and set(request.GET) - {PARAMETER}
            if request.method != "GET" or not has_form or (draft and not fills):
                return view(request, *args, **kwargs)
            draft = draft or new_draft()
            if fill is not None and fills:
                _fill(request, draft, fill)
            return HttpResponseRedirect(address_of(request, draft, without=request.GET if fill else None))

        kept.keeps_draft = True  # type: ignore[attr-defined]
        return kept

    return decorate


def may_keep(request: HttpRequest, address: str | None, *, returning: bool = False) -> bool:
    """Return whether to keep a visitor's draft.

    Sessions are rows that anybody can make: few are kept, small ones, for an hour. ``returning`` is somebody whose
    login has ended and whose form may be as large as any; even fewer of these are kept.
    """
    sent = posted(request)
    is_small = sent is not None and len(sent.kept()) <= VISITORS_MAX_CHARACTERS
    if not (is_small or returning):
        return False
    name, most = ("drafts", VISITORS_A_MINUTE) if is_small else ("large-drafts", RETURNING_LARGE_A_MINUTE)
    count = count_up(name, network_of(address), most=most, seconds=60)
    if not count.is_exceeded:
        request.session.set_expiry(VISITORS_SECONDS)
    return not count.is_exceeded


def _fill(request: HttpRequest, draft: str, fill: Fill) -> None:
    sent = posted(request) or Sent()
    for name, value in fill(request.GET, posted(request)).items():
        sent[name] = value
    sent.refusals = {}
    keep(request, draft, sent, person=request.user.pk, is_typed=True)


def _send(request: HttpRequest, draft: str, response: HttpResponse) -> HttpResponse:
    """Keep what was typed, after a POST; a page becomes a redirect to it, unless it is too large to be kept."""
    sent = posted(request)
    if sent is None or response.status_code >= 400:
        return response
    person, answer = request.user.pk, new_draft()
    if draft:
        typed = Sent.of(sent)
        keep(request, draft, typed, person=person, is_typed=True)
    if response.status_code != 200 or getattr(response, "shown_once", False):
        return response
    if keep(request, answer, sent, person=person, is_typed=False):
        return HttpResponseRedirect(address_of(request, answer))
    return response
