"""The shipped exercise and its truth, flown once for all tests of this room."""

from __future__ import annotations

from pathlib import Path

import pytest

from jointwatch.exercise.scenario import Scenario, load_scenario
from jointwatch.exercise.truth import Truth, make_truth


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    """The exercise that `make run` plays."""
    return load_scenario(Path(__file__).parents[2] / "scenarios" / "two-partners.toml")


@pytest.fixture(scope="session")
def truth(scenario: Scenario) -> Truth:
    """Its truth with seed 1."""
    return make_truth(scenario, 1)
