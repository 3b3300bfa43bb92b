"""Pages of offline activation, for users, and for anybody who has the Activation ID (L3)."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.http import client_address
from accounts.models import User
from accounts.permissions import Permission, check_permission, public
from entitlements.activation.offline.forms import (
    FILE,
    TEXT,
    TYPED,
    WAYS,
    ConfirmForm,
    OfflineForm,
    form_of,
    typed_form,
)
from entitlements.activation.offline.pages import answered_rows, license_link, linked_licenses, planned_rows
from entitlements.activation.offline.request_files import MAX_REQUEST_BYTES, ActivationRequest
from entitlements.activation.offline.services import (
    Answer,
    Step,
    carry_out_request,
    plan_request,
    present_answers,
)
from entitlements.activation.pages.downloads import license_filename, licenses_zip
from entitlements.activation.services.guesses import TooManyGuessesError, check_guesses, count_wrong_guess
from mxportal.shared.drafts import Sent, keeps_draft, posted
from mxportal.shared.rows import changes_rows
from mxportal.shared.stamps import takes_up_to
from mxportal.shared.views import download, please_wait

CARRY_OUT, EDIT = "carry_out", "edit"


@public(
    "people without a login may serve an end customer; the Activation ID is the proof, wrong ones are counted"
)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@takes_up_to(MAX_REQUEST_BYTES)
@keeps_draft(visitor=client_address)
def offline_activation(request: HttpRequest) -> HttpResponse:
    """Ask for the request, show what would happen, and carry it out (L3).

    Typed text is kept in drafts, so that no Activation ID appears in an address.
    """
    actor = _actor(request)
    if actor is not None:
        check_permission(actor, Permission.ACTIVATE)
    sent = posted(request)
    if sent is None:
        return _ask(request, OfflineForm())
    try:
        return _answer(request, actor, sent)
    except TooManyGuessesError as error:
        return please_wait(request, error.left.seconds)


def _actor(request: HttpRequest) -> User | None:
    """Return the user, or None for a visitor and for a user who must change the temporary password (U4)."""
    user = request.user
    return user if isinstance(user, User) and not user.must_change_password else None


def _answer(request: HttpRequest, actor: User | None, sent: Sent) -> HttpResponse:
    step = sent.get("step", "")
    if step in (CARRY_OUT, EDIT):
        return _confirm(request, actor, sent)
    way = _way(request, sent)
    if sent.is_typed:
        return _ask(request, typed_form(sent, way=way))
    if changes_rows(step):
        return _ask(request, typed_form(sent))
    return _check(request, actor, OfflineForm(sent, request.FILES, way=way))


def _way(request: HttpRequest, sent: Sent) -> str:
    """Return the way of the pressed button; if Enter was pressed in a field, the way whose field is filled."""
    if (step := sent.get("step", "")) in WAYS:
        return str(step)
    if request.FILES:
        return FILE
    return TEXT if sent.get("text", "").strip() else TYPED


def _check(request: HttpRequest, actor: User | None, form: OfflineForm) -> HttpResponse:
    sent = posted(request)
    if not form.is_valid() or form.asked is None:
        return _ask(request, form)
    if form.way == FILE and sent is not None:  # the content of the file is kept
        sent["step"], sent["text"] = TEXT, form.asked.as_text()
    steps = _plan(request, actor, form.asked)
    if form.way == TYPED and any(step.problem for step in steps):
        form.show_problems(steps)
        return _ask(request, form)
    return _preview(request, form.asked, steps)


def _plan(request: HttpRequest, actor: User | None, asked: ActivationRequest) -> list[Step]:
    """Return the steps of the request (L2, L3).

    Without a login wrong IDs are counted before anything is said about them; a draft was counted when it was sent.
    Raises TooManyGuessesError.
    """
    if actor is not None:
        return plan_request(actor=actor, request=asked)
    address = client_address(request)
    check_guesses(address, [wanted.activation_id for wanted in asked.wanted])
    steps = plan_request(actor=None, request=asked)
    guesses = [step.wanted.activation_id for step in steps if step.is_guess]
    for guess in guesses if request.method == "POST" else ():
        count_wrong_guess(address, guess)
    check_guesses(address, guesses)
    return steps


def _confirm(request: HttpRequest, actor: User | None, sent: Sent) -> HttpResponse:
    """Carry out or change the request that the preview page sends back.

    A draft shows the preview again, or the result.
    """
    carried = QueryDict(mutable=True)
    carried["text"] = sent.get("request", "")
    form = OfflineForm(carried, way=TEXT)
    if not form.is_valid() or form.asked is None:
        return _ask(request, form)
    asked = form.asked
    if sent["step"] == EDIT and not sent.is_typed:
        return _ask(request, form_of(asked))
    steps = _plan(request, actor, asked)
    confirm = ConfirmForm(sent, needs_reason=any(one.needs_reason for one in steps))
    has_problem = any(one.problem for one in steps)
    if sent.is_draft and not (has_problem or sent.is_typed or any(one.change for one in steps)):
        return _done(request, asked, present_answers(steps))
    if has_problem or not confirm.is_valid() or sent.is_draft:
        return _preview(request, asked, steps, confirm)
    reason = confirm.cleaned_data.get("reason", "")
    try:
        answers = carry_out_request(actor=actor, request=asked, reason=reason)
    except ValidationError as error:
        confirm.add_error(None, error)
        confirm.keep_refusals()
        return _preview(request, asked, steps, confirm)
    return _done(request, asked, answers)


# --- Pages ------------------------------------------------------------------------------------------------------------


def _page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    """Render the template in the frame of the portal's pages, or of the pages without login."""
    actor = _actor(request)
    frame = "base.html" if actor else "base_public.html"
    return render(
        request, f"entitlements/activation/{template}", {"frame": frame, "has_login": bool(actor), **context}
    )


def _ask(request: HttpRequest, form: OfflineForm) -> HttpResponse:
    return _page(request, "offline_activation.html", form=form)


def _preview(
    request: HttpRequest, asked: ActivationRequest, steps: list[Step], confirm: ConfirmForm | None = None
) -> HttpResponse:
    needs_reason = any(step.needs_reason for step in steps)
    form = confirm or ConfirmForm(initial={"request": asked.as_text()}, needs_reason=needs_reason)
    rows = planned_rows(steps)
    problems = sum(bool(row.problem) for row in rows)
    return _page(request, "offline_preview.html", asked=asked, rows=rows, form=form, problems=problems)


def _done(request: HttpRequest, asked: ActivationRequest, answers: list[Answer]) -> HttpResponse:
    licenses = [answer.license for answer in answers if answer.license]
    context = {"asked": asked, "rows": answered_rows(answers), "licenses": licenses}
    return _page(request, "offline_done.html", all_link=license_link(licenses), **context)


@public("the link is signed and lives for an hour; the files in it open with Activation ID and host ID only")
@never_cache
@require_safe
def offline_licenses(request: HttpRequest, link: str) -> HttpResponse:
    """Return one license file as it is, several in one archive (L3)."""
    licenses = linked_licenses(link)
    if not licenses:
        raise Http404
    if len(licenses) == 1:
        name, content = license_filename(licenses[0]), licenses[0].file.encode()
    else:
        name, content = "licenses.zip", licenses_zip(licenses)
    return download(content, name, "application/octet-stream")
