"""What several rooms' tests share: a small exercise, played once a test process; which files come first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

SMALL = Path(__file__).parent / "small.toml"
LONG = "test_simulator_first.py", "test_simulator_second.py", "test_commands.py"
"""Files that take longest come first: begun last, they are waited for by all other processes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first, all else in its order."""
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


@pytest.fixture(scope="session")
def small_played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """The small exercise: its recording, and the folder with its nodes' journals."""
    from jointwatch.exercise.play import play
    from jointwatch.exercise.scenario import load_scenario

    folder = tmp_path_factory.mktemp("small")
    scenario = load_scenario(SMALL)
    return play(scenario, scenario.seed, folder), folder
