"""The columns of a bulk split's files, by the names that people give them in English and German."""

import re

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# In the order of the screen, of the template, and of a pasted text without a header.
COLUMNS = {
    "account_id": _("Account ID"),
    "email": pgettext_lazy("column", "Contact e-mail"),
    "amount": pgettext_lazy("column", "Amount"),
    "activation_id": _("Activation ID"),
    "order_number": _("Order number of the buyer"),
    "account_name": _("Account name"),
    "country": _("Country"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
}
REQUIRED = ("account_id", "email", "amount")
OF_NEW_CUSTOMERS = ("account_name", "country", "first_name", "last_name")
# In lower case without blanks, dashes and dots. The names in the template, in both languages, are among them.
COLUMN_ALIASES = {
    "account_id": "accountid account accountno accountnumber targetaccount kontoid konto kontonr kontonummer zielkonto",
    "email": (
        "contactemail contactemailaddress contactmail email emailaddress mail shiptoemail "
        "kontaktemail kontaktmail emaildeskontakts emailadresse emailadressedeskontakts"
    ),
    "amount": "amount splitamount copies quantity qty menge anzahl stück stückzahl kopien aufzuteilendeanzahl",
    "activation_id": "activationid activation sourceactivationid aktivierungsid aktivierung aktivierungscode",
    "order_number": (
        "ordernumber orderno order po ponumber ordernumberofthebuyer buyersordernumber "
        "bestellnummer bestellnr bestellung bestellnummerdeskäufers auftragsnummer"
    ),
    "account_name": "accountname customer customername company name kontoname kunde kundenname firma firmenname",
    "country": "country countrycode land länderkürzel ländercode",
    "first_name": "firstname givenname vorname",
    "last_name": "lastname surname familyname nachname familienname",
}
_BY_NAME = {alias: name for name, aliases in COLUMN_ALIASES.items() for alias in aliases.split()}


def column_of(text: str) -> str:
    """Return the column that a header's cell names; "" if it names none."""
    return _BY_NAME.get(re.sub(r"[\W_]", "", text).casefold(), "")


def columns_for(sources: int) -> list[str]:
    """Return the columns of the lines: with one line item alone, the Activation ID is not needed."""
    return [name for name in COLUMNS if name != "activation_id" or sources > 1]


def label_of(name: str) -> str:
    """Return the column's name in the reader's language."""
    return str(COLUMNS[name])
