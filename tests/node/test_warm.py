"""Warming leaves nothing to compile for the looks that follow."""

from __future__ import annotations

from jointwatch.node import warm
from jointwatch.tracking.confirmed import update_confirmed
from jointwatch.tracking.one_look import take_look
from jointwatch.tracking.tentative import update_tentative
from jointwatch.warning.impact import _ground_fall


def test_two_processes_share_all_parts_and_leave_the_kernels_compiled() -> None:
    parts = [part for name, part in vars(warm).items() if name.startswith("warm_") and "the_" not in name]
    assert sorted(p.__name__ for p in (*warm.FRONT, *warm.BACK)) == sorted(p.__name__ for p in parts)
    warm.warm_the_front()
    warm.warm_the_back()
    kernels = (update_confirmed, take_look, update_tentative, _ground_fall)
    compiled = [len(k.signatures) for k in kernels]
    assert all(n >= 1 for n in compiled)
    # the other way round asks for the same types: nothing is compiled twice
    warm.warm_the_back()
    warm.warm_the_front()
    assert [len(k.signatures) for k in kernels] == compiled
