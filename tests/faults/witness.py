"""Who looks at the portal during an outage: what the rules promise for it must be so."""

import json
import time
from collections.abc import Callable, Iterable

from tests.faults.clients import NO_ANSWER, Answer, Browser, Person
from tests.faults.plan import Kind
from tests.faults.processes import wait_until

# Seconds for a page, of cold web processes on a busy machine, too; `test_without_redis.py` measures closely.
PROMPT = 15
ASKED_ANEW = 4  # seconds, within which /readyz finds out
TYPED = "Typed by the witness"
PAGE, API, LOGIN = "/", "/api/v1/revocations", "/login/"
FORM = "/entitlements/new/"


class Witness:
    """Logged in before anything goes wrong. ``problems`` are sentences about what is not as promised."""

    def __init__(self, site: str, health: str, person: Person) -> None:
        self._site, self._person = site, person
        self._browser, self._health = Browser(site), Browser(health)
        self.problems: list[str] = []
        self.seen: dict[Kind, set[int]] = {}

    def log_in(self) -> None:
        answer = _log_in(self._browser, self._person)
        assert answer.status == 302, f"The witness cannot log in: {answer.status}"

    def wait(self) -> None:
        """Until the web server has got over the fault before."""
        wait_until(lambda: not self.is_alive(Kind.CLOCK), "The web server does not answer")

    def look(self, kind: Kind) -> None:
        """Ask what the rules have a word for."""
        for question in QUESTIONS.get(kind, ()):
            started = time.monotonic()
            try:
                problem = question(self, kind)
            except NO_ANSWER as error:
                problem = f"{question.__name__} had no answer: {error!r}"
            if problem:
                self.problems.append(f"{kind}: {problem}")
            elif (seconds := time.monotonic() - started) > PROMPT:
                self.problems.append(f"{kind}: {question.__name__} took {seconds:.1f} s.")

    def _get(self, path: str, kind: Kind) -> Answer:
        answer = self._browser.get(path)
        self.seen.setdefault(kind, set()).add(answer.status)
        return answer

    def reads(self, kind: Kind) -> str:
        """O1: a page and an answer of the API, as always."""
        return _first(_wrong(path, self._get(path, kind), 200) for path in (PAGE, API))

    def logs_in(self, _kind: Kind) -> str:
        """docs/operating.md: Redis holds nothing that cannot be lost."""
        return _wrong("a log-in", _log_in(Browser(self._site), self._person), 302)

    def is_told_to_come_again(self, kind: Kind) -> str:
        """O2: 503 with Retry-After, as a page and as a problem."""
        answers = [(path, self._get(path, kind)) for path in (PAGE, API)]
        sentence = _first(_not_told(path, answer) for path, answer in answers)
        if not sentence and json.loads(answers[1][1].body).get("code") != "unavailable":
            return f"{API} is no problem: {answers[1][1].body[:80]!r}."
        return sentence

    def keeps_what_it_typed(self, _kind: Kind) -> str:
        """O2: the page for people has it, to be sent again."""
        answer = self._browser.post(FORM, {"step": "save", "key": "witness", "order_number": TYPED})
        if sentence := _not_told(f"POST {FORM}", answer):
            return sentence
        return "" if TYPED in answer.body else f"POST {FORM} lost what was typed."

    def reads_or_comes_again(self, kind: Kind) -> str:
        """O2: where PostgreSQL itself cannot live on a full disk, it is away."""
        answer = self._get(PAGE, kind)
        return "" if answer.status == 200 else _not_told(PAGE, answer)

    def is_alive(self, _kind: Kind) -> str:
        """/healthz has a port of its own, and no request thread answers it."""
        try:
            return _wrong("/healthz", self._health.get("/healthz"), 200)
        except NO_ANSWER as error:
            return f"/healthz had no answer: {error!r}"

    def finds_it_not_ready(self, _kind: Kind) -> str:
        """The check is asked anew after a second at most."""
        end = time.monotonic() + ASKED_ANEW
        while (answer := self._health.get("/readyz")).status == 200 and time.monotonic() < end:
            time.sleep(0.3)
        return _wrong("/readyz", answer, 503)


Question = Callable[[Witness, Kind], str]
WITHOUT_REDIS = (Witness.reads, Witness.logs_in, Witness.finds_it_not_ready)
QUESTIONS: dict[Kind, tuple[Question, ...]] = {
    Kind.REDIS_AWAY: WITHOUT_REDIS,
    Kind.REDIS_FULL: WITHOUT_REDIS,
    Kind.MAILS_HANG: (Witness.reads, Witness.logs_in),
    Kind.POSTGRES_STOPPED: (
        Witness.is_told_to_come_again,
        Witness.keeps_what_it_typed,
        Witness.is_alive,
        Witness.finds_it_not_ready,
    ),
    Kind.POSTGRES_FROZEN: (Witness.is_alive,),
    Kind.READ_ONLY: (Witness.reads, Witness.keeps_what_it_typed, Witness.finds_it_not_ready),
    Kind.DISK_FULL: (Witness.is_alive, Witness.reads_or_comes_again),
    Kind.TWO_BEATS: (Witness.reads,),
    Kind.CLOCK: (Witness.reads, Witness.logs_in),
}


def _log_in(browser: Browser, person: Person) -> Answer:
    browser.get(LOGIN)
    return browser.post(LOGIN, {"login": person.login, "password": person.password})


def _wrong(what: str, answer: Answer, expected: int) -> str:
    return "" if answer.status == expected else f"{what} was answered {answer.status}, not {expected}."


def _not_told(what: str, answer: Answer) -> str:
    sentence = _wrong(what, answer, 503)
    return sentence or ("" if answer.retry_after else f"{what} was answered without Retry-After.")


def _first(sentences: Iterable[str]) -> str:
    return next((sentence for sentence in sentences if sentence), "")
