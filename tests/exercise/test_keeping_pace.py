"""Playing in pace with a clock: who keeps up sheds nothing, who cannot says what was left out."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from jointwatch.exercise.play import play
from jointwatch.exercise.scenario import load_scenario
from jointwatch.node.replay import check_journal, read_account
from jointwatch.review.load import shed_under_load
from jointwatch.review.score import summarise
from jointwatch.review.sentence import sentence

SMALL = Path(__file__).parents[1] / "small.toml"


class SlowClock:
    """A clock on which every reading comes so much after the last: work that takes that long."""

    def __init__(self, each_s: float, busy_from_s: float = 0.0, busy_to_s: float = math.inf) -> None:
        self._each_s, self._busy = each_s, (busy_from_s, busy_to_s)
        self._time_s = 0.0

    def now_s(self) -> float:
        if self._busy[0] <= self._time_s < self._busy[1]:
            self._time_s += self._each_s
        return self._time_s

    def wait(self, seconds: float) -> None:
        self._time_s += seconds


def played(clock: SlowClock, folder: Path | None = None):
    scenario = load_scenario(SMALL)
    return play(scenario, scenario.seed, folder, speed=1.0, workers=1, clock=clock)


def test_a_node_that_keeps_pace_gives_the_same_as_one_that_nobody_waits_for(small_played):
    paced = played(SlowClock(0.0))
    assert paced.digests == small_played[0].digests
    assert shed_under_load(paced) == {} and max(paced.lag_s.values()) <= 0.0
    assert small_played[0].lag_s == {}


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    """A minute in which every reading takes 0.4 s, where four sectors a second come in."""
    folder = tmp_path_factory.mktemp("behind")
    return played(SlowClock(0.4, 20.0, 80.0), folder), folder


def test_a_node_that_falls_behind_sheds_and_says_so_until_it_has_caught_up(behind):
    recording, _ = behind
    load = shed_under_load(recording)
    assert set(load) == {"Amber", "Blue"}
    for partner, shed in load.items():
        assert 40.0 < shed["limited_s"] < 175.0
        assert shed["worst_lag_s"] == recording.lag_s[partner] > 10.0
        assert shed["plots"] > 0
    notes = [n for n in recording.pictures["joint"].notes if n.kind == "load_limit"]
    assert all(n.subject == f"small-{n.partner.lower()}" for n in notes)
    said = sentence(summarise(recording))
    assert (
        f"under load Amber shed {load['Amber']['plots']:,} plots in {load['Amber']['limited_s']:.0f} s"
        in said
    )


@pytest.mark.parametrize("partner", ["amber", "blue"])
def test_what_was_shed_is_shed_again_when_the_journal_is_replayed(behind, partner):
    recording, folder = behind
    path = folder / f"{partner}.journal.sqlite"
    assert read_account(path).kinds["in load_limit"] >= 2
    result = check_journal(path)
    assert result.same, result
    assert result.digest == recording.digests[partner.capitalize()]


def test_the_shadows_of_a_node_that_sheds_are_played_whole(behind, small_played):
    for name in ("Amber alone", "Blue alone"):
        assert behind[0].digests[name] == small_played[0].digests[name]
