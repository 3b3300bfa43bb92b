"""What must be true once the faults have stopped. Every check gives sentences about what is wrong."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Sum

from accounts.models import Operation
from entitlements.ledger import triggers
from entitlements.ledger.sealing.seal import seal_ledger
from entitlements.models import License, LineItem, Movement, MovementKind
from notifications.models import Mail, Status
from tests.faults.mails import Delivery
from tests.faults.model import Model
from tests.faults.plan import Kind, Mood
from tests.faults.system import Killed

LOSES_ANSWER = (Mood.HANGS_AFTER_DATA, Mood.DIES_AFTER_DATA)
OF_A_WORKER = (Kind.WORKER, Kind.POOL)
OF_THE_DATABASE = (
    Kind.POSTGRES,
    Kind.BACKEND,
    Kind.POSTGRES_STOPPED,
    Kind.POSTGRES_FROZEN,
    Kind.READ_ONLY,
    Kind.DISK_FULL,
)
AFTER_ANSWER = (
    5  # seconds that a worker on a busy machine may take to write down what the mail server answered
)


def check_operations(model: Model) -> Iterator[str]:
    """E7: a key that was acknowledged was carried out once; one that was refused, never."""
    done = dict(Operation.objects.values_list("key", "kind"))
    for posted in model.posted:
        if posted.location and done.get(posted.key) != posted.kind:
            yield f"{posted.kind} {posted.location} was acknowledged and is lost."
        if not posted.location and posted.key in done:
            yield f"{posted.kind} {posted.key} was refused and yet carried out."
    unknown = set(done) - {posted.key for posted in model.posted}
    if unknown:
        yield f"{len(unknown)} operations were carried out that nobody asked for."


def check_items(model: Model) -> Iterator[str]:
    """The line items are those that the clients were told of, with the quantities of their model."""
    rows = {item.pk: item for item in LineItem.objects.all()}
    for pk in sorted(set(rows) ^ set(model.items)):
        yield f"Line item {pk} {'was acknowledged and is lost' if pk in model.items else 'is one too many'}."
    split_off = model.split_off()
    for pk in sorted(set(rows) & set(model.items)):
        row, item = rows[pk], model.items[pk]
        available = item.quantity - split_off[pk] - item.activated
        expected = (item.parent, item.quantity, split_off[pk], available, item.activated)
        found = (row.parent_id, row.quantity, row.split, row.available, row.activated)
        if found != expected:
            yield f"Line item {pk}: parent, quantity, split, available, activated {found}, by the answers {expected}."
        state = "obsolete" if not item.quantity else item.states[-1] if item.states else "deployed"
        if row.state != state:
            yield f"Line item {pk} is {row.state}, by the answers {state}."


def check_outages(model: Model) -> Iterator[str]:
    """O2: what fails because something is away is 503 and says when to come again; nothing is 500."""
    for answer, count in model.outages.items():
        if answer != "503":
            yield f"{count} requests were answered {answer}."


def check_movements(model: Model) -> Iterator[str]:
    """E7: one movement for each split; and as many copies undone as were acknowledged."""
    splits = Counter(Movement.objects.filter(kind=MovementKind.SPLIT).values_list("item", flat=True))
    for pk, count in splits.items():
        if count != 1:
            yield f"Line item {pk} was split off {count} times."
    undone = Movement.objects.filter(kind=MovementKind.UNDO).values_list("item").annotate(Sum("copies"))
    for pk, copies in undone:
        if pk in model.items and copies != model.items[pk].returned:
            yield f"Line item {pk}: {copies} copies undone, by the answers {model.items[pk].returned}."


def check_licenses(model: Model) -> Iterator[str]:
    """L2: the licenses are those that the clients were told of; each device's valid one says what it holds."""
    for pk, item in model.items.items():
        licenses = License.objects.filter(activation__item=pk)
        given = set(map(str, licenses.values_list("license_id", flat=True)))
        if given != set(item.licenses):
            yield f"Line item {pk}: licenses {sorted(given)}, by the answers {sorted(set(item.licenses))}."
        valid = licenses.filter(ended_at=None).values_list("activation__device__host_id", "copies")
        if dict(valid) != item.devices:
            yield f"Line item {pk}: valid licenses for {dict(valid)}, by the answers {item.devices}."


def check_triggers() -> Iterator[str]:
    """E11: those of this version, whenever a migration was killed."""
    yield from triggers.findings(connection)


def check_ledger() -> Iterator[str]:
    """E11: by the command itself, and to the last movement."""
    seal_ledger()
    try:
        call_command("verify_ledger")
    except CommandError as error:
        yield str(error)


def check_mails(model: Model, deliveries: list[Delivery]) -> Iterator[str]:
    """N1: every mail was delivered, or was not needed any more; and every split has its mail."""
    came = Counter(delivery.message_id for delivery in deliveries)
    mails = {mail.message_id: mail for mail in Mail.objects.all()}
    for mail in mails.values():
        if mail.status not in (Status.SENT, Status.CANCELLED):
            yield f"Mail {mail.pk} is {mail.status}: {mail.last_error or 'no attempt'}."
        if mail.status == Status.SENT and not came[mail.message_id]:
            yield f"Mail {mail.pk} counts as sent, and did not come."
        if mail.status == Status.CANCELLED and not _was_unusable(model, mail):
            yield f"Mail {mail.pk} was dropped though its items could be used all the time."
    for message_id in set(came) - set(mails):
        yield f"A mail {message_id} came that is in no row."
    for pk in LineItem.objects.filter(mails=None).values_list("pk", flat=True):
        yield f"Line item {pk} has no mail."


def _was_unusable(model: Model, mail: Mail) -> bool:
    items = [model.items[pk] for pk in mail.context.get("items", []) if pk in model.items]
    return all(item.states or not item.quantity for item in items)


def causes_of_duplicates(deliveries: list[Delivery], killed: list[Killed]) -> Counter[str]:
    """N1: why a mail came once more, by what happened to the delivery before. "unexplained" must not be among them."""
    by_id: defaultdict[str, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        by_id[delivery.message_id].append(delivery)
    return Counter(_cause(before, killed) for same in by_id.values() for before in same[:-1])


def _cause(delivery: Delivery, killed: list[Killed]) -> str:
    near = {
        fault.kind for fault in killed if fault.at < delivery.at + AFTER_ANSWER and fault.until > delivery.at
    }
    if delivery.mood in LOSES_ANSWER:
        return "answer lost by the mail server"
    if near.intersection(OF_A_WORKER):
        return "worker killed before it wrote the answer down"
    if near.intersection(OF_THE_DATABASE):
        return "database gone before the answer was written down"
    return "unexplained" if delivery.answered else "answer came too late"
