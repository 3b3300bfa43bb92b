"""`make faults`: the portal for real, under load from several clients, while its parts are killed at random moments.

SEED replays the same plan of faults. KILLS (40) and outages are spread over DURATION (150) seconds, then OUTAGE (300)
more in which Redis is away. At the end every acknowledged request must be there, none twice, the ledger must verify and
every mail must have come; during each outage the portal must have answered as the rules promise.
"""

import logging
import os
import secrets
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import django

from tests.faults.mails import MoodyServer
from tests.faults.plan import Orders, make_moods
from tests.faults.processes import say
from tests.faults.system import System


def main() -> int:
    """The run; 1 where a promise was broken, with the logs of all processes kept."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is stopped then, too
    redis = shutil.which("redis-server")
    if redis is None:
        sys.exit("faults: no Redis (apt-get install redis-server)")
    orders = Orders(
        seed=os.environ.get("SEED") or secrets.token_hex(4),
        kills=int(os.environ.get("KILLS", "40")),
        seconds=float(os.environ.get("DURATION", "150")),
        without_redis=float(os.environ.get("OUTAGE", "300")),
    )
    say(str(orders))
    directory = Path(tempfile.mkdtemp(prefix="portal-faults-"))
    directory.chmod(0o755)  # PostgreSQL, which may be another user, works below it
    say(f"logs in {directory} until all is well")
    problems = run(orders, directory, redis)
    for problem in problems:
        say(f"BROKEN: {problem}")
    if problems:
        say(f"The logs are in {directory}. The same faults again: {orders} make faults")
        return 1
    shutil.rmtree(directory)
    say("Everything that was acknowledged is there, once; the ledger verifies; every mail was delivered.")
    return 0


def run(orders: Orders, directory: Path, redis: str) -> list[str]:
    """The portal is configured by its environment: nothing of it is imported before that is complete."""
    with ExitStack() as stack:
        mails = stack.enter_context(MoodyServer(random=make_moods(orders.seed)))
        system = System(directory, redis, mails)
        stack.callback(system.stop)
        os.environ |= system.environment()
        system.start_services()
        system.start_portal()
        django.setup()
        logging.getLogger("mail.log").setLevel("WARNING")  # the mail server's, which runs in this process
        from tests.faults import course

        model = course.work(orders, system)
        mails.random = None
        return [*course.drain(), *course.judge(model, system, mails)]


if __name__ == "__main__":
    sys.exit(main())
