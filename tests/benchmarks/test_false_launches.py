"""The benchmark of false launches tells the overshoot as Wald's bound needs it."""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture(scope="module")
def room() -> Iterator[ModuleType]:
    here = str(Path(__file__).parents[2] / "benchmarks")
    sys.path.insert(0, here)
    yield importlib.import_module("false_launches")
    sys.path.remove(here)
    del sys.modules["false_launches"]


def test_an_overshoot_that_is_always_the_same_is_told_as_it_is(room: ModuleType) -> None:
    told = room.overshoot([1.8] * 5)
    assert told["burns"] == 5
    assert (told["nats"], told["low"], told["high"]) == pytest.approx((1.8, 1.8, 1.8))
    assert room.overshoot([]) is None


def test_the_mean_is_of_what_the_bound_is_multiplied_by_and_its_interval_holds_it(room: ModuleType) -> None:
    """Of an overshoot that is exponential of mean 1, the mean of exp(-overshoot) is a half."""
    held = 0
    for seed in range(200):
        told = room.overshoot(np.random.default_rng(seed).exponential(size=100).tolist())
        held += told["low"] <= math.log(2.0) <= told["high"]
    assert 0.83 <= held / 200 <= 0.96
