"""Model fields that every app may use."""

import unicodedata
from typing import Any

from django.db import models


def fold(text: str) -> str:
    """Return the form in which names and addresses are compared, without case and width, in any script and database.

    It is Unicode's NFKC_Casefold, with one space between words. SQLite's own ``lower`` knows only ASCII, so the folding
    is done here and stored.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


class FoldedField(models.CharField):
    """A stored column with the folded text of another one, for searching and for uniqueness without case."""

    def __init__(self, *args: Any, of: str = "", **kwargs: Any) -> None:
        self.of = of
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Keep ``of`` in migrations."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, path, list(args), {**kwargs, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        """Set the value from the other column, on every save and bulk_create."""
        value = fold(getattr(model_instance, self.of))
        setattr(model_instance, self.attname, value)
        return value
