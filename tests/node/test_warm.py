"""Warming leaves nothing to compile for the looks that follow."""

from __future__ import annotations

from jointwatch.node.warm import PARTS, warm_from_the_back, warm_from_the_front
from jointwatch.tracking.ambiguity import resolve
from jointwatch.tracking.gating import gate
from jointwatch.tracking.tentative import update_tentative
from jointwatch.warning.impact import _ground_fall


def test_both_ends_go_through_every_part_and_end_with_the_kernels_compiled() -> None:
    warm_from_the_front()
    kernels = (gate, resolve, update_tentative, _ground_fall)
    compiled = [len(k.signatures) for k in kernels]
    assert all(n >= 1 for n in compiled)
    warm_from_the_back()
    # the other way round asks for the same types: nothing is compiled twice
    assert [len(k.signatures) for k in kernels] == compiled
    assert len(PARTS) == 5
