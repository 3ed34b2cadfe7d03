"""The same examples in every run: what fails is the change at hand. HYPOTHESIS_PROFILE=wild looks for new ones."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

HERE = Path(__file__).parent
NEED_THE_SANDBOX = {"charts", "cluster", "docs", "manifests", "telemetry"}
"""Folders that have tests for it. No other is read where such tests alone are wanted: reading all takes a while."""

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is nobody's fault
settings.register_profile("steady", PATIENT, derandomize=True)
settings.register_profile("wild", PATIENT)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what has nothing for `-m cluster…`."""
    wanted = str(config.getoption("markexpr")).startswith("cluster")
    return True if wanted and collection_path.parent == HERE and collection_path.name not in NEED_THE_SANDBOX else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that nobody would ever run is an error."""
    for item in items:
        folder = item.path.relative_to(HERE).parts[0] if item.path.is_relative_to(HERE) else ""
        if item.get_closest_marker("cluster") and folder not in NEED_THE_SANDBOX:
            raise pytest.UsageError(
                f"{item.nodeid} needs the sandbox: add {folder} to {NEED_THE_SANDBOX=} in {__file__}"
            )
