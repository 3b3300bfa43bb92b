"""The files of deploy/ and docker-compose.yml, as the programs that read them judge them."""

import json
import re
import shutil
import subprocess
from itertools import chain
from pathlib import Path
from typing import Any

import kubernetes_validate
import prometheus_client
import pytest
import yaml
from django.urls import URLPattern, get_resolver
from django_prometheus.middleware import Metrics

import mxportal.metrics  # noqa: F401  registers what the portal counts
from mxportal.bodies import most_bytes
from tests.live import ROOT
from tests.test_documents import variables_read

pytestmark = pytest.mark.once

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
MANIFESTS = sorted(
    set((DEPLOY / "kubernetes").glob("*.yaml")) - {DEPLOY / "kubernetes" / "kustomization.yaml"}
)
# Told by the database at each scrape, so that no registry knows them beforehand.
FROM_DATABASE = {
    "portal_database_up",
    "portal_outbox_mails",
    "portal_outbox_oldest_due_seconds",
    "portal_sealing_lag_seconds",
    "portal_unsealed_movements",
}
OF_OTHERS = {"DATABASE_OWNER_URL", "BACKUP_DIR", "BACKUP_KEEP_DAYS", "PYTHONUNBUFFERED"}


def accepted(*command: str | Path, cwd: Path = ROOT) -> None:
    """The program ends with 0; what it says otherwise stands in the failure."""
    done = subprocess.run(command, check=False, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def need(program: str, package: str) -> str:
    """The program's path; a test that needs it is left out where it is missing (REQUIRE_ALL forbids that)."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if path is None:
        pytest.skip(f"needs {program}: apt-get install {package}")
    return path


def test_prometheus_accepts_its_files_and_each_alert_fires() -> None:
    promtool = need("promtool", "prometheus")
    accepted(promtool, "check", "config", "prometheus.yml", cwd=DEPLOY / "prometheus")
    accepted(promtool, "test", "rules", "alerts_test.yml", cwd=DEPLOY / "prometheus")


def test_each_alert_has_a_test_and_says_what_to_do() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
    tested = yaml.safe_load((DEPLOY / "prometheus" / "alerts_test.yml").read_text())["tests"]
    assert tested[1]["promql_expr_test"][0]["exp_samples"][0]["value"] == len(rules)
    assert all(rule["annotations"].keys() == {"summary", "action"} for rule in rules)


def names_in(expressions: list[str]) -> set[str]:
    found = chain.from_iterable(re.findall(r"\b(?:portal|django)_[a-z_]+", text) for text in expressions)
    return set(found)


def test_alerts_and_dashboard_ask_for_figures_that_exist() -> None:
    """A name with a typing error would be a silent alert."""
    Metrics.get_instance()  # django-prometheus registers them with its first middleware
    families = [family.name for family in prometheus_client.REGISTRY.collect()]
    told = {name + suffix for name in families for suffix in ("", "_total", "_bucket")}
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
    panels = json.loads((DEPLOY / "grafana" / "portal.json").read_text())["panels"]
    asked = names_in([rule["expr"] for rule in rules])
    asked |= names_in([target["expr"] for panel in panels for target in panel.get("targets", [])])
    assert len(asked) > 8
    assert asked - told - FROM_DATABASE == set()


def test_panels_of_the_dashboard_do_not_overlap() -> None:
    panels = json.loads((DEPLOY / "grafana" / "portal.json").read_text())["panels"]
    places = [panel["gridPos"] for panel in panels]
    cells = [
        (x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])
    ]
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in panels}) == len(panels)


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_kubernetes_accepts_its_manifests(manifest: Path) -> None:
    documents = list(yaml.safe_load_all(manifest.read_text()))
    assert documents
    for document in documents:
        kubernetes_validate.validate(document, "1.31", strict=True)


def containers() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Kind, pod and container of each workload."""
    documents = chain.from_iterable(yaml.safe_load_all(path.read_text()) for path in MANIFESTS)
    workloads = [one for one in documents if one["kind"] in {"Deployment", "Job"}]
    pods = [(one["metadata"]["name"], one["spec"]["template"]["spec"]) for one in workloads]
    return [(name, pod, pod["containers"][0]) for name, pod in pods]


def test_kubernetes_gives_no_container_more_than_it_needs() -> None:
    """E11: the owner of the tables is known to migrate alone; nothing runs as root or may write its own files."""
    assert {name for name, _, _ in containers()} == {"web", "worker", "mails", "beat", "migrate"}
    for name, pod, container in containers():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        secrets = {one["secretRef"]["name"] for one in container["envFrom"] if "secretRef" in one}
        assert secrets == ({"mxportal", "mxportal-owner"} if name == "migrate" else {"mxportal"})


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_systemd_accepts_its_units(unit: Path, tmp_path: Path) -> None:
    """The programs are looked for, so the project's folder stands in place of the one on a server."""
    verify = need("systemd-analyze", "systemd")
    for path in (DEPLOY / "systemd").iterdir():
        text = path.read_text().replace("/opt/mxportal", str(ROOT))
        name = path.name.replace("@.", "@8001.") if path == unit else path.name
        (tmp_path / name).write_text(text)
    name = unit.name.replace("@.", "@8001.")
    done = subprocess.run(
        [verify, "verify", "--man=no", tmp_path / name], check=False, capture_output=True, text=True
    )
    ours = [line for line in done.stderr.splitlines() if "mxportal" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


def test_units_and_manifests_set_only_what_is_read() -> None:
    set_by_units = {
        name
        for unit in UNITS
        for line in re.findall(r"^Environment=(.*)$", unit.read_text(), re.MULTILINE)
        for name in re.findall(r"\b([A-Z_]+)=", line)
    }
    documents = chain.from_iterable(yaml.safe_load_all(path.read_text()) for path in MANIFESTS)
    set_by_manifests = {
        name for one in documents for name in (one.get("data") or {}) | (one.get("stringData") or {})
    }
    set_by_manifests |= {
        entry["name"] for _, _, container in containers() for entry in container.get("env", [])
    }
    assert len(set_by_units) > 4
    assert len(set_by_manifests) > 8
    assert (set_by_units | set_by_manifests) - variables_read() - OF_OTHERS == set()


def nginx_takes(path: str) -> int:
    """How many bytes nginx lets pass to this path."""
    text = (DEPLOY / "nginx" / "portal.conf").read_text()
    places = re.findall(r"location ~ (\S+) \{\s*client_max_body_size (\d+)m;", text)
    general = re.findall(r"^    client_max_body_size (\d+)m;", text, re.MULTILINE)
    places += re.findall(r"location (/api/) \{\s*client_max_body_size (\d+)m;", text)
    sizes = [size for pattern, size in places if re.match(pattern, path)] + general
    return int(sizes[0]) * 1024 * 1024


def pages() -> list[str]:
    """An address of every page."""
    apps = [getattr(one, "url_patterns", [one]) for one in get_resolver().url_patterns]
    routes = [str(one.pattern) for one in chain.from_iterable(apps) if isinstance(one, URLPattern)]
    return ["/" + re.sub(r"<[^>]+>", "1", route) for route in routes]


def test_nginx_lets_pass_what_each_page_takes() -> None:
    """Q1: the portal refuses what is too large, in words; nginx only what no page takes."""
    assert {"/verify/", "/bulk-splits/new/", "/items/1/activate/many/"} < set(pages())
    assert [path for path in pages() if nginx_takes(path) < most_bytes(path)] == []


def compose() -> dict[str, dict[str, Any]]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


@pytest.mark.parametrize("name", sorted(compose()))
def test_compose_bounds_each_container(name: str) -> None:
    service = compose()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert service["stop_grace_period"]


def test_compose_names_each_foreign_image_by_its_version() -> None:
    """A digest follows from `docker compose config --lock-image-digests` (deploy/README.md)."""
    images = {service["image"] for service in compose().values()} - {"mx-license-portal"}
    assert images
    assert all(re.search(r":v?\d+\.\d+", image) for image in images)
