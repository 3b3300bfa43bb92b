"""The names of accounts, and of people of other accounts, as a reader may see them (A4, E12)."""

from collections.abc import Iterable, Mapping
from typing import cast

from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User

NAME_WITHHELD = cast(str, _("Name withheld"))


def visible_names(actor: User, account_ids: Iterable[int | None]) -> dict[int, str]:
    """Return the name of each account, or "Name withheld" if the actor may not see it (A4). Takes one query."""
    ids = {pk for pk in account_ids if pk is not None}
    if not ids:
        return {}
    known = Account.objects.name_visible_to(actor).filter(pk__in=ids).order_by()
    return dict.fromkeys(ids, NAME_WITHHELD) | dict(known.values_list("pk", "name"))


def person_name(actor: User, person: User | None, names: Mapping[int, str]) -> str:
    """Return a colleague's own name, the account's name for other people, and "" for nobody.

    ``names`` are from ``visible_names``.
    """
    if person is None:
        return ""
    return str(person) if person.account_id == actor.account_id else names[person.account_id]
