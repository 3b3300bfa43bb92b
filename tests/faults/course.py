"""The course of a run: clients at work while faults strike, the time after, and the judgement."""

import time
from collections import Counter
from random import Random
from threading import Event

from django.conf import settings
from django.db import connections

from accounts.models import Tier
from notifications.models import Mail, Status
from tests.faults import checks
from tests.faults.actions import ACTIONS
from tests.faults.clients import NO_ANSWER, Browser, Client
from tests.faults.mails import MoodyServer
from tests.faults.model import Model
from tests.faults.outages import OUTAGES
from tests.faults.plan import Fault, Kind, Orders, make_plan
from tests.faults.processes import say, wait_until
from tests.faults.system import System
from tests.faults.witness import Witness
from tests.faults.world import make_world

DRAIN = 240  # seconds, within which everything that waits must have gone out


def work(orders: Orders, system: System) -> Model:
    """Until every fault has struck and every client has its answer."""
    model, stop = Model(), Event()
    clients = [
        Client(
            settings.SITE_URL,
            person,
            model,
            stop,
            Random(f"{orders.seed} client {number}"),
            ACTIONS[Tier(person.tier)],
        )
        for number, person in enumerate(make_world())
    ]
    system.witness = Witness(settings.SITE_URL, f"http://127.0.0.1:{system.health_port}", clients[0].person)
    connections.close_all()  # they would not outlive the database
    wait_until(_web_answers, "The web server does not answer")
    for client in clients:
        client.log_in()
    system.witness.log_in()
    for client in clients:
        client.start()
    strike_all(system, make_plan(orders))
    stop.set()
    for client in clients:
        client.join()
    return model


def _web_answers() -> bool:
    try:
        return Browser(settings.SITE_URL).get("/readyz").status == 200
    except NO_ANSWER:
        return False


def strike_all(system: System, plan: list[Fault]) -> None:
    """One fault after the other."""
    for number, fault in enumerate(plan, start=1):
        time.sleep(fault.pause)
        system.strike(fault)
        say(f"{number}/{len(plan)} {fault.kind}")


def drain() -> list[str]:
    """Nothing goes wrong any more: what waits must go out now."""
    say("the faults are over; what waits must go out now")
    try:
        wait_until(lambda: not Mail.objects.filter(status=Status.QUEUED).exists(), "Mails still wait", DRAIN)
    except TimeoutError as error:
        return [str(error)]
    return []


def judge(model: Model, system: System, mails: MoodyServer) -> list[str]:
    """Every promise that was broken; the counts are printed."""
    problems = [*model.errors, *system.broken]
    problems += system.witness.problems if system.witness else ["Nobody looked at the portal."]
    problems += checks.check_outages(model)
    problems += checks.check_operations(model)
    problems += checks.check_items(model)
    problems += checks.check_movements(model)
    problems += checks.check_licenses(model)
    problems += checks.check_triggers()
    problems += checks.check_ledger()
    problems += checks.check_mails(model, mails.deliveries)
    duplicates = checks.causes_of_duplicates(mails.deliveries, system.killed)
    if duplicates["unexplained"]:
        problems.append(f"{duplicates['unexplained']} mails came twice without a reason.")
    connections.close_all()
    _report(model, system, mails, duplicates)
    return problems


def _report(model: Model, system: System, mails: MoodyServer, duplicates: Counter[str]) -> None:
    kinds = Counter(killed.kind for killed in system.killed)
    outages = sum(kinds[kind] for kind in OUTAGES)
    say(
        f"killed {kinds.total() - kinds[Kind.FLUSH] - outages} times, Redis flushed {kinds[Kind.FLUSH]} times,"
        f" outages {outages}"
    )
    _say_counts(kinds)
    say(f"ended by themselves and started again: {system.revived.total()}")
    _say_counts(+system.revived)
    posted = model.posted
    done = Counter(one.kind for one in posted if one.location)
    say(
        f"requests {sum(one.tries for one in posted)} under {len(posted)} keys: acknowledged {done.total()},"
        f" refused {len(posted) - done.total()}, sent more than once {sum(one.tries > 1 for one in posted)}"
    )
    _say_counts(done)
    say(f"calls of the camera software {model.calls.total()}")
    _say_counts(model.calls)
    say("answers that were none, sent again")
    _say_counts(model.outages)
    for note in system.notes:
        say(note)
    say("the mail server's moods")
    _say_counts(mails.seen)
    say(f"mails taken {len(mails.deliveries)}, of these once more {duplicates.total()}")
    _say_counts(duplicates)


def _say_counts(counts: dict) -> None:
    for name, count in sorted(counts.items()):
        say(f"  {name}: {count}")
