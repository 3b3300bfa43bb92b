"""The services that write and take no key: each can be asked twice, and its docstring here says why."""

import time
from collections.abc import Callable
from contextlib import suppress

from allauth.account.forms import default_token_generator
from django.db import IntegrityError

from accounts.models import AccountStatus, RelationStatus, Role
from accounts.services.accounts import set_account_status, update_account
from accounts.services.api_tokens import revoke_api_token, take_over_api_token
from accounts.services.credentials import set_password_by_link
from accounts.services.relations import decide_relation, request_relation
from accounts.services.token_notices import notify_ending_tokens
from accounts.services.users import update_profile, update_user
from entitlements.activation.offline.services import carry_out_request
from entitlements.activation.services.activate import activate_as_bearer, return_as_bearer
from entitlements.activation.services.devices import edit_device
from entitlements.bulk.services.jobs import _do_job
from entitlements.ledger.sealing.publishing import _add_stamp, _record_publication
from entitlements.ledger.sealing.record_sealing import seal_records
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.ledger.sealing.tree import newest_signed_head
from entitlements.ledger.signing import active_key
from entitlements.orders.services.key_compromise import _reissue, mark_compromised
from notifications.delivery import _claim, _Outcome, _settle
from notifications.models import Status
from notifications.services import retry_failed, retry_mail
from tests.entitlements.activation.devices import host, put_on
from tests.entitlements.activation.test_offline import asked
from tests.factories import Cast, make_chain, make_relation, make_token, make_user, today
from tests.guards.keys import running_bulk
from tests.guards.locks_accounts import make_failed_mail, make_mail, make_seller
from tests.roles import as_owner

Again = Callable[[], object]


def account_edit(cast: Cast) -> Again:
    """The same values again are the same account."""
    account = make_seller(cast).account
    return lambda: update_account(actor=cast.mobotix, account_id=account.pk, city="Langmeil")


def account_status(cast: Cast) -> Again:
    """An inactive account cannot become more so."""
    inactive = {"account_id": make_seller(cast).account_id, "status": AccountStatus.INACTIVE}
    return lambda: set_account_status(actor=cast.mobotix, **inactive)


def relation_request(cast: Cast) -> Again:
    """A pair has one relation: who asks again reads that it has asked."""
    seller, account_id = make_seller(cast), cast.installer.account.account_id
    return lambda: request_relation(actor=seller, account_id=account_id)


def relation_decision(cast: Cast) -> Again:
    """A request that is decided is none any more."""
    relation = make_relation(make_seller(cast).account, cast.installer.account, RelationStatus.REQUESTED)
    return lambda: decide_relation(actor=cast.installer, relation_id=relation.pk, accept=True)


def user_edit(cast: Cast) -> Again:
    """The same values again are the same person, and only a new address brings credentials."""
    user = make_user(make_seller(cast).account)
    edit = {"user_id": user.pk, "email": "new@twin.example", "role": Role.PORTAL_USER}
    return lambda: update_user(actor=cast.mobotix, **edit)


def profile_edit(cast: Cast) -> Again:
    """The same values again are the same profile."""
    return lambda: update_profile(actor=cast.installer, phone="110")


def token_revocation(cast: Cast) -> Again:
    """P1: a revoked token cannot become more so."""
    token = make_token(cast.installer)
    return lambda: revoke_api_token(actor=cast.installer, token_id=token.pk)


def token_end_told(cast: Cast) -> Again:
    """P1: each mark once."""
    make_token(cast.installer, expires_on=today())
    return notify_ending_tokens


def token_taken_over(cast: Cast) -> Again:
    """P1: it acts as who took it over already."""
    token = make_token(make_user(cast.installer.account))
    return lambda: take_over_api_token(actor=cast.installer, token_id=token.pk)


def bearers_activation(cast: Cast) -> Again:
    """L2: the copies are the new total."""
    activation_id = make_chain(cast).served.activation_id
    return lambda: activate_as_bearer(activation_id=activation_id, host=host(), copies=2)


def bearers_return(cast: Cast) -> Again:
    """L2: all copies come back, and then none is there."""
    item = make_chain(cast).served
    put_on(cast, item)
    return lambda: return_as_bearer(activation_id=item.activation_id, host=host())


def device_edit(cast: Cast) -> Again:
    """L1: the same words again are the same device."""
    device = put_on(cast, make_chain(cast).served).activation.device
    return lambda: edit_device(actor=cast.installer, device_id=device.pk, name="Gate")


def offline_request(cast: Cast) -> Again:
    """L3: so they are in a request file."""
    request = asked((make_chain(cast).served, 2))
    return lambda: carry_out_request(actor=None, request=request)


def bulk_work(cast: Cast) -> Again:
    """A job that is done does not wait any more."""
    pk = running_bulk(cast).pk
    return lambda: _do_job(pk)


def sealing(cast: Cast) -> Again:
    """What is sealed does not wait any more."""
    make_chain(cast)
    return seal_ledger


def publishing(cast: Cast) -> Again:
    """E11: a day has one head."""
    make_chain(cast)
    seal_ledger()
    head = newest_signed_head()
    assert head is not None

    def publish() -> object:
        with suppress(IntegrityError):
            _record_publication(today(), head, b"")
        return None

    return publish


def stamping(cast: Cast) -> Again:
    """E11: what has a time-stamp gets no other."""
    publishing(cast)()
    return lambda: _add_stamp(today(), b"stamp")


def record_sealing(cast: Cast) -> Again:
    """What is sealed does not wait any more."""
    make_chain(cast)
    return seal_records


def compromise(cast: Cast) -> Again:
    """L6: a key is compromised once."""
    key_id = active_key().key_id

    def mark() -> object:
        with as_owner():
            return mark_compromised(key_id=key_id, reason="")

    return mark


def reissue(cast: Cast) -> Again:
    """L6: what has ended is not issued anew."""
    pk = put_on(cast, make_chain(cast).served).pk
    return lambda: _reissue(pk, send_mails=True)


def claim(cast: Cast) -> Again:
    """N1: a claimed mail is not due."""
    pk = make_mail().get().pk
    return lambda: _claim(pk)


def settlement(cast: Cast) -> Again:
    """N1: the lease ends with the first."""
    mail = _claim(make_mail().get().pk)
    assert mail is not None
    return lambda: _settle(mail, _Outcome(status=Status.SENT), time.monotonic() + 60)


def sending_again(cast: Cast) -> Again:
    """N2: what waits already goes on waiting."""
    pk = make_failed_mail().get().pk
    return lambda: retry_mail(pk)


def sending_many_again(cast: Cast) -> Again:
    """N2: what waits already has not failed."""
    pks = [make_failed_mail().get().pk]
    return lambda: retry_failed(pks)


def password_by_link(cast: Cast) -> Again:
    """U8: the link is used up by the first."""
    link = {"user_id": cast.installer.pk, "token": default_token_generator.make_token(cast.installer)}
    return lambda: set_password_by_link(password="a much better one 17", **link)


UNKEYED: dict[str, Callable[[Cast], Again]] = {
    "accounts.services.accounts.update_account": account_edit,
    "accounts.services.accounts.set_account_status": account_status,
    "accounts.services.api_tokens.revoke_api_token": token_revocation,
    "accounts.services.api_tokens.take_over_api_token": token_taken_over,
    "accounts.services.token_notices._tell": token_end_told,
    "accounts.services.relations.request_relation": relation_request,
    "accounts.services.relations.decide_relation": relation_decision,
    "accounts.services.users._update_user": user_edit,
    "accounts.services.users.update_profile": profile_edit,
    "accounts.services.credentials.set_password_by_link": password_by_link,
    "entitlements.activation.services.activate.activate_as_bearer": bearers_activation,
    "entitlements.activation.services.activate.return_as_bearer": bearers_return,
    "entitlements.activation.services.devices.edit_device": device_edit,
    "entitlements.bulk.services.jobs._do_job": bulk_work,
    "entitlements.activation.offline.services.carry_out_request": offline_request,
    "entitlements.orders.services.key_compromise.mark_compromised": compromise,
    "entitlements.orders.services.key_compromise._reissue": reissue,
    "entitlements.ledger.sealing.seal._seal_batch": sealing,
    "entitlements.ledger.sealing.record_sealing._seal_batch": record_sealing,
    "entitlements.ledger.sealing.publishing._record_publication": publishing,
    "entitlements.ledger.sealing.publishing._add_stamp": stamping,
    "notifications.delivery._claim": claim,
    "notifications.delivery._write_down": settlement,
    "notifications.services.retry_mail": sending_again,
    "notifications.services.retry_failed": sending_many_again,
}
# These do it again each time, as they should.
EACH_TIME = {
    "accounts.services.api_tokens.end_api_token": "a command; what is revoked stays so, which a test of its own shows",
    "accounts.services.api_tokens.make_api_token": "a command; each call is meant",
    "accounts.services.credentials.set_own_password": "the same password has another salt",
    "accounts.services.credentials.request_password_reset": "who asks again did not get the mail before",
    "accounts.services.credentials.addressee_of_reset": "each attempt at a delivery asks who it is for",
    "accounts.services.setup.found_mobotix": "a command; until the admin has logged in, each call is a correction",
    "accounts.services.setup.reset_login": "a command; each call is meant",
    "accounts.services.credentials.make_temporary_password": "N1: each attempt at a delivery brings a fresh one",
    "entitlements.bulk.services.jobs._count_attempt": "it counts them",
    "entitlements.ledger.signing.rotate_signing_key": "a command; each call is meant",
    "entitlements.ledger.signing.reencrypt_signing_keys": "a command; the same keys stand in other ciphertext",
    "mxportal.maintenance.begin": "a command; the newest message replaces the one before, and there is one row",
}
