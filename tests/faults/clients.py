"""People at work: they log in, and send each request under one key until it is answered, as a browser's user would."""

import http.client
import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.cookiejar import CookieJar
from random import Random
from threading import Event, Thread
from urllib.parse import urlencode

from tests.faults.model import Model, Posted

PATIENCE = 15  # seconds for one answer
GIVE_UP = 180  # seconds for one request, however often it is sent
LATER = 600  # seconds for a job, which waits for a worker, and that one for Redis
TWICE = 0.1  # of the requests are sent once more after they were acknowledged
NO_ANSWER = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class Answer:
    """``location``: of a redirect, which is what follows a request that was carried out."""

    status: int
    location: str
    body: str
    retry_after: str = ""


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object) -> None:  # type: ignore[override]
        return None


class Browser:
    """Cookies, forms, no redirects followed, but for those to the page that answers to a form (a draft)."""

    def __init__(self, site: str) -> None:
        self.site, self.cookies = site, CookieJar()
        cookies = urllib.request.HTTPCookieProcessor(self.cookies)
        self._opener = urllib.request.build_opener(cookies, _StayHere())

    def get(self, path: str) -> Answer:
        return self._open(self.site + path, None)

    def post(self, path: str, data: dict[str, object]) -> Answer:
        token = next((cookie.value for cookie in self.cookies if cookie.name == "csrftoken"), "")
        return self._open(self.site + path, urlencode(data | {"csrfmiddlewaretoken": token}).encode())

    def post_json(self, path: str, data: dict[str, object]) -> Answer:
        """As the camera software does, which has no login."""
        headers = {"Content-Type": "application/json", "Cookie": ""}
        return self._open(urllib.request.Request(self.site + path, json.dumps(data).encode(), headers), None)

    def _open(self, address: str | urllib.request.Request, data: bytes | None) -> Answer:
        try:
            with self._opener.open(address, data, timeout=PATIENCE) as response:
                return Answer(response.status, "", response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                location = error.headers.get("Location", "")
                if "draft=" in location and "next=" not in location:
                    return self.get(location)
                again = error.headers.get("Retry-After", "")
                return Answer(error.code, location, error.read().decode(), again)


@dataclass(frozen=True)
class Buyer:
    """An account that one sells to, with its contact: primary keys, and what is typed."""

    account: int
    contact: int
    account_id: str
    email: str


@dataclass(frozen=True)
class Person:
    """Who works: login and password, the account on its tier, and whom it sells to."""

    tier: str
    login: str
    password: str
    account: int
    buyers: tuple[Buyer, ...]
    product: int


class Client(Thread):
    """Works until ``stop``, finishes the request that it is at, and ends."""

    def __init__(
        self, site: str, person: Person, model: Model, stop: Event, random: Random, actions: "Actions"
    ) -> None:
        super().__init__(name=person.login, daemon=True)
        self.person, self.model, self.stop, self.random = person, model, stop, random
        self._actions = actions
        self._browser = Browser(site)

    def log_in(self) -> None:
        self._browser.get("/login/")
        answer = self._browser.post("/login/", {"login": self.person.login, "password": self.person.password})
        assert answer.status == 302, f"{self.person.login} cannot log in: {answer.status}"

    def run(self) -> None:
        actions, weights = list(self._actions), list(self._actions.values())
        while not self.stop.is_set():
            try:
                self.random.choices(actions, weights=weights)[0](self)
            except Exception as error:  # whatever it is, the run must end with its name
                self.model.errors.append(f"{self.person.login}: {error!r}")
                return
            time.sleep(self.random.uniform(0.05, 0.5))

    def send(self, kind: str, path: str, **data: object) -> str:
        """One request under one key until it is answered; the redirect's address, or "" where it was refused."""
        data["key"] = secrets.token_urlsafe(24)
        answer, tries = self._until_answered(lambda: self._browser.post(path, data))
        if self.random.random() < TWICE and answer.location:  # one that was refused is judged anew
            again, more = self._until_answered(lambda: self._browser.post(path, data))
            tries += more
            if again.location != answer.location:
                self.model.errors.append(
                    f"{kind} {path}: first {answer.location!r}, then {again.location!r}."
                )
        if "/login/" in answer.location or answer.status not in (200, 302):
            raise AssertionError(f"{kind} {path}: {answer.status} {answer.location}")
        self.model.add_posted(Posted(kind, str(data["key"]), self.person.login, answer.location, tries))
        return answer.location

    def call(self, path: str, **data: object) -> dict | None:
        """One request to the API until it is answered, sometimes once more; None where it was refused."""
        answer, _tries = self._until_answered(lambda: self._browser.post_json(path, data))
        if self.random.random() < TWICE and answer.status < 300:
            again, _tries = self._until_answered(lambda: self._browser.post_json(path, data))
            if again.body != answer.body:
                self.model.errors.append(f"{path}: first {answer.body!r}, then {again.body!r}.")
        if answer.status not in (200, 201, 422):
            raise AssertionError(f"{path}: {answer.status} {answer.body}")
        self.model.count_call(path)
        return json.loads(answer.body) if answer.status < 300 else None

    def see(self, path: str) -> str:
        """A page."""
        return self._until_answered(lambda: self._browser.get(path))[0].body

    def _until_answered(self, ask: Callable[[], Answer]) -> tuple[Answer, int]:
        """A broken connection and an error of the server are no answer."""
        end, tries = time.monotonic() + GIVE_UP, 0
        while time.monotonic() < end:
            tries += 1
            try:
                answer = ask()
            except NO_ANSWER:
                answer = None
            if answer and answer.status < 500:
                return answer, tries
            if answer:
                self.model.count_outage(answer.status, answer.retry_after)
            time.sleep(self.random.uniform(0.2, 0.6))
        raise TimeoutError(f"A request was not answered for {GIVE_UP} s.")


Actions = dict[Callable[[Client], None], int]  # with how often each is done, compared with the others
