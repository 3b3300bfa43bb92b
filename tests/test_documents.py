"""docs/operating.md, .env.example, docker-compose.yml and the locks against what the portal really reads and needs."""

import re
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
READ = re.compile(r"""(?:env(?:\.[a-z_]+)?\(|environ(?:\.get\(|\[))\s*["']([A-Z][A-Z_]+)["']""")
# Read, and not for those who configure a portal.
INTERNAL = {
    "DJANGO_SETTINGS_MODULE": "manage.py sets it",
    "PROMETHEUS_MULTIPROC_DIR": "the web server sets it for its own processes",
}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def variables_read() -> set[str]:
    sources = sorted((ROOT / "mxportal").rglob("*.py"))
    return {name for path in sources for name in READ.findall(path.read_text(encoding="utf-8"))}


def test_operating_names_every_variable_and_no_other() -> None:
    """Whoever reads only docs/operating.md can configure the portal."""
    rows = re.findall(r"^\| (`[A-Z].*?) \|", text("docs/operating.md"), re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    assert variables_read() - set(INTERNAL) == explained


def test_the_example_of_env_has_what_compose_demands() -> None:
    """Compose refuses to start without these, and says that they stand in .env.example."""
    demanded = set(re.findall(r"\$\{([A-Z_]+):\?", text("docker-compose.yml")))
    given = set(re.findall(r"^([A-Z_]+)=", text(".env.example"), re.MULTILINE))
    assert demanded
    assert demanded - given == set()


def test_the_example_of_env_names_only_what_is_read() -> None:
    """A variable that nothing reads would be believed."""
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=", text(".env.example"), re.MULTILINE))
    by_compose = set(re.findall(r"\$\{([A-Z_]+)", text("docker-compose.yml")))
    assert named - variables_read() - by_compose == set()


def test_the_owners_password_stays_out_of_the_portals_containers() -> None:
    """E11: .env goes into all of them, and it holds the password of who may write balances."""
    common = re.search(r"environment: &environment\n((?: {4}.*\n)+)", text("docker-compose.yml"))
    assert common is not None
    assert 'POSTGRES_PASSWORD: ""' in common[1]


def locked(name: str) -> set[str]:
    """The packages of a lock."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==", text(name), re.MULTILINE)
    return {canonicalize_name(package) for package in pins}


def wanted_by(package: Distribution, python: str) -> set[str]:
    """What it requires on this version of Python, extras left out."""
    requirements = [Requirement(line) for line in package.requires or []]
    environment = {
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "extra": "",
    }
    return {
        canonicalize_name(wanted.name)
        for wanted in requirements
        if wanted.marker is None or wanted.marker.evaluate(environment)
    }


@pytest.mark.parametrize("python", ["3.11.0", "3.11.2", "3.12.0", "3.13.0", "3.14.0"])
@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_has_what_its_packages_want_on_every_python(lock: str, python: str) -> None:
    """A lock is compiled on one Python, and leaves out what only another one needs; pip installs it as it stands."""
    packages = locked(lock)
    assert len(packages) > 20
    lacking = {name: wanted_by(distribution(name), python) - packages for name in packages}
    assert {name: lacks for name, lacks in lacking.items() if lacks} == {}
