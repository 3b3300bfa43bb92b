"""That `make bench` still runs and reports every figure; what it measures is not a test's business."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FIGURES = {
    "sealed_per_second",
    "verify_ledger_1m",
    "verify_ledger_1m_memory",
    "certificate_vs_warm_weasyprint",
    "license_vs_bare_sign",
    "activation_vs_hello",
    "activations_per_second",
    "list_vs_raw_sql",
    "admin_vs_list",
    "admin_vs_list_deep",
    "search_ms_mobotix",
    "search_ms_distributor",
    "search_ms_installer",
    "split_vs_pgbench",
    "split_vs_pgbench_four",
    "outbox_per_second",
    "bulk_split_vs_single",
    "bulk_split_10k",
    "bulk_split_10k_peak",
} | {
    f"{page}_welch_t_{kind}"
    for page in ("login", "reset")
    for kind in ("contact", "inactive", "active", "locked")
}


@pytest.mark.postgres
def test_a_trial_reports_every_figure() -> None:
    """One line `name value unit` for each, and nothing else on stdout."""
    command = [sys.executable, "-m", "tests.bench"]
    trial = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"BENCH_ITEMS": "2000"}, capture_output=True, text=True
    )
    assert trial.returncode == 0, trial.stderr
    lines = [
        re.fullmatch(r"(\w+) [\d.e+]+ (ratio|ms|seconds|MB|1/s|mails/s)", line)
        for line in trial.stdout.splitlines()
    ]
    assert all(lines), trial.stdout
    assert {line[1] for line in lines if line} >= FIGURES
