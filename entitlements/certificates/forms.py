"""The form of Verify: a certificate's code, or a file that the portal signed (E10, L7)."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from entitlements.certificates.services.documents import MAX_DOCUMENT_BYTES, too_large, verify_document
from entitlements.ledger.findings import Document
from mxportal.shared.forms import KeptForm

CODE, FILE = "code", "file"
IN_ADDRESS = re.compile(r".*/verify/([^/?#]+)", re.DOTALL)
CODE_FORM = re.compile(r"[A-Za-z0-9_-]{1,100}")


class VerifyForm(KeptForm):
    """A code or a file; the button that is pressed says which (``way``)."""

    code = forms.CharField(
        label=_("Code"),
        required=False,
        help_text=_(
            "The code is below the QR code of the certificate. You can also enter the whole address."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    file = forms.FileField(
        label=_("Certificate (PDF) or license file"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".pdf,.json,.lic,.txt", "class": "form-control"}),
    )

    def __init__(self, *args: Any, way: str = CODE, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.way = way
        self.document: Document | None = None

    def clean(self) -> dict[str, Any]:
        """Check the chosen way, and put its errors at its field."""
        data = self.cleaned_data
        if self.way in self.errors:
            return data
        try:
            if self.way == FILE:
                self.document = self._verified(data["file"])
            else:
                data["code"] = self._code(data["code"])
        except ValidationError as error:
            self.add_error(self.way, error)
        return data

    def _code(self, typed: str) -> str:
        """Return the code, also out of a whole address; upper and lower case differ.

        Raises ValidationError.
        """
        inside = IN_ADDRESS.match(typed)
        code = "".join((inside[1] if inside else typed).split())
        if not code:
            raise ValidationError(_("Enter the code of the certificate."))
        if not CODE_FORM.fullmatch(code):
            raise ValidationError(
                _("A code has letters, digits, dashes and underscores only. Compare it again.")
            )
        return code

    def _verified(self, file: Any) -> Document:
        if not file:
            raise ValidationError(_("Choose a file."))
        if file.size > MAX_DOCUMENT_BYTES:
            raise ValidationError(too_large())
        if not file.size:
            raise ValidationError(_("This file is empty. Download it again."))
        return verify_document(file.read())
