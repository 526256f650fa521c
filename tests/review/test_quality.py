"""The figures of a picture's quality, for pictures so small that they are worked by hand.

One rocket flies from 30 s to 100 s; at the 14 samples between, a track lies 300 m beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from made_recordings import FERN, REED, SMALL, flown, recorded

from jointwatch.exercise.scenario import Scenario, load_scenario
from jointwatch.review.matching import GATE_M, TrackError
from jointwatch.review.quality import SWITCH_M, WINDOW, anees_by_object
from jointwatch.review.score import summarise

BESIDE_M, SAMPLES = 300.0, 14


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(SMALL)


def beside(
    scenario: Scenario, kept: int = SAMPLES, false: bool = False, goes_on_as: str = ""
) -> dict[str, Any]:
    """Figures where the track is there at the first `kept` samples, and then under another number or none.

    false: one more track, of nothing.
    """
    rocket = flown(scenario, "rocket", FERN, 100.0)
    nothing = flown(scenario, "nothing", REED, 100.0, start=(30.0, 42.5, 9e3))
    tracks = {("AMBER-0001",): rocket} | ({("AMBER-0002",): nothing} if false else {})
    recording = recorded(scenario, [rocket], tracks, [])
    seen = 0
    for _, samples in recording.pictures["joint"].samples:
        for sample in [s for s in samples if s.number == "AMBER-0001"]:
            seen += 1
            sample.state[2] += BESIDE_M
            if seen > kept and goes_on_as:
                sample.number, sample.aliases = goes_on_as, (goes_on_as,)
            elif seen > kept:
                samples.remove(sample)
    assert seen == SAMPLES
    out: dict[str, Any] = summarise(recording)["pictures"]["joint"]
    return out


def test_a_whole_track_beside_its_object_is_wrong_by_the_distance_and_by_nothing_else(
    scenario: Scenario,
) -> None:
    joint = beside(scenario)
    assert joint["ospa2_m"] == pytest.approx(BESIDE_M)
    assert joint["trajectory_gospa"] == {
        "distance_m": pytest.approx(BESIDE_M), "localisation_m": pytest.approx(BESIDE_M),
        "missed_m": 0.0, "false_m": 0.0, "switching_m": 0.0, "switches": 0.0,
    }  # fmt: skip
    assert joint["siap"] == {
        "completeness": 1.0, "ambiguity": 1.0, "spuriousness": 0.0,
        "position_error_m": pytest.approx(BESIDE_M), "velocity_error_ms": pytest.approx(0.0, abs=1e-9),
        "number_changes": 0, "number_change_rate_hz": 0.0, "longest_segment": 1.0,
    }  # fmt: skip
    # (300 m / 100 m)^2; between the 2.5 % and 97.5 % quantiles of chi-square with six degrees of freedom
    assert joint["anees"] == {
        "value": pytest.approx(9.0), "low": pytest.approx(1.2373, abs=1e-4),
        "high": pytest.approx(14.4494, abs=1e-4), "objects": 1, "ideal": 6,
    }  # fmt: skip


def test_a_track_lost_half_way_is_missed_from_then_on(scenario: Scenario) -> None:
    kept = 7
    joint = beside(scenario, kept)
    parts = joint["trajectory_gospa"]
    assert parts["localisation_m"] == pytest.approx(BESIDE_M * kept / SAMPLES)
    # half the cutoff for each sample without a track; that it ends is no switch
    assert parts["missed_m"] == pytest.approx(0.5 * GATE_M * (SAMPLES - kept) / SAMPLES)
    assert (parts["switches"], parts["switching_m"], parts["false_m"]) == (0.0, 0.0, 0.0)
    assert joint["siap"]["completeness"] == joint["siap"]["longest_segment"] == kept / SAMPLES
    # windows end at each sample: of w samples with the object, `lost` are without the track
    ends = np.arange(1, SAMPLES + 1)
    w, lost = np.minimum(ends, WINDOW), np.maximum(ends - kept, 0)
    held = ((w - lost) * BESIDE_M + lost * GATE_M) / w
    assert joint["ospa2_m"] == pytest.approx(held.mean())


def test_a_track_that_goes_on_under_another_number_is_one_switch(scenario: Scenario) -> None:
    kept = 9
    joint = beside(scenario, kept, goes_on_as="AMBER-0007")
    parts, siap = joint["trajectory_gospa"], joint["siap"]
    assert parts["switches"] == pytest.approx(1.0)
    assert parts["switching_m"] == pytest.approx(SWITCH_M / SAMPLES)
    assert parts["distance_m"] == pytest.approx(BESIDE_M + SWITCH_M / SAMPLES)
    assert siap["number_changes"] == 1
    assert siap["number_change_rate_hz"] == pytest.approx(1 / (SAMPLES * 5.0))
    assert (siap["completeness"], siap["longest_segment"]) == (1.0, kept / SAMPLES)


def test_a_track_of_nothing_is_spurious(scenario: Scenario) -> None:
    joint = beside(scenario, false=True)
    assert joint["siap"]["spuriousness"] == 0.5
    assert joint["trajectory_gospa"]["false_m"] == pytest.approx(0.5 * GATE_M)
    # of two tracks and one object, one is over: (300 + 5000) / 2
    assert joint["ospa2_m"] == pytest.approx(0.5 * (BESIDE_M + GATE_M))


def test_an_aircraft_and_its_track_are_left_out(scenario: Scenario) -> None:
    rocket = flown(scenario, "rocket", FERN, 100.0)
    recording = recorded(scenario, [rocket], {("AMBER-0001",): rocket}, [])
    for _, samples in recording.pictures["joint"].samples:
        for sample in samples:
            sample.phases = (0.0, 0.2, 0.8)
    joint = summarise(recording)["pictures"]["joint"]
    assert (joint["siap"]["completeness"], joint["siap"]["spuriousness"]) == (0.0, None)
    assert joint["ospa2_m"] == pytest.approx(GATE_M)
    assert joint["anees"]["value"] is None and joint["rmse_over_bound"]["objects"] == 0


def test_where_nothing_flew_there_is_nothing_to_measure(scenario: Scenario) -> None:
    joint = summarise(recorded(scenario, [], {}, []))["pictures"]["joint"]
    assert joint["ospa2_m"] is None
    assert set(joint["trajectory_gospa"].values()) == {None}
    assert joint["siap"]["completeness"] is None and joint["siap"]["number_changes"] == 0


def test_each_object_counts_once_in_the_average_however_long_it_was_seen() -> None:
    def errors(index: int, values: list[float]) -> list[TrackError]:
        return [TrackError("T", index, k, np.zeros(6), value) for k, value in enumerate(values)]

    out = anees_by_object(errors(0, [2.0] * 9) + errors(1, [12.0]))
    assert (out["value"], out["objects"]) == (pytest.approx(7.0), 2)
    # twelve degrees of freedom, over two
    assert (out["low"], out["high"]) == (pytest.approx(2.2019, abs=1e-4), pytest.approx(11.6683, abs=1e-4))
