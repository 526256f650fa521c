"""What several rooms' tests share: a small exercise, played once a test process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

SMALL = Path(__file__).parent / "small.toml"


@pytest.fixture(scope="session")
def small_played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """The small exercise: its recording, and the folder with its nodes' journals."""
    from jointwatch.exercise.play import play
    from jointwatch.exercise.scenario import load_scenario

    folder = tmp_path_factory.mktemp("small")
    scenario = load_scenario(SMALL)
    return play(scenario, scenario.seed, folder), folder
