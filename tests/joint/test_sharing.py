"""Sharing rules: what leaves a partner, how coarsely, under which names, and what does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reported_tracks import BALLISTIC_SURELY, CRUISE_SURELY, START_NS, at_s, place, seen_by, spread, track

from jointwatch.joint.coarse import CoarseTrack
from jointwatch.joint.sharing import Released, SharingRule, describe, load_rule, pseudonym, release
from jointwatch.records import BadInput, Header, Track

HEADER = Header(originator="Amber", source="amber", sequence=9, measured_ns=START_NS, handling="joint")
STATE = place(33.0, 41.0, 200e3, -2500.0, -300.0, 500.0)
MISSILE = track("AMBER-0001", STATE, seen_by(np.random.default_rng(1), 600.0, 12.0))
PLANE = track("AMBER-0002", place(32.0, 40.0, 10e3, 200.0, 0.0, 0.0), spread(90.0, 5.0), phases=CRUISE_SURELY)


def left(rule: SharingRule, *tracks: Track) -> tuple[Track, ...]:
    report, _ = release(rule, tracks, HEADER)
    return report.tracks if report is not None else ()


def test_as_is_leaves_as_it_is_under_the_rules_name_and_the_senders_header() -> None:
    rule = SharingRule(name="Amber/tracks")
    report, withheld = release(rule, (MISSILE, PLANE), HEADER)
    assert report is not None
    assert report.tracks == (MISSILE, PLANE)
    assert (report.rule, report.header) == ("Amber/tracks", HEADER)
    assert withheld == ()


def test_nothing_leaves_where_tracks_are_withheld_and_each_is_named_to_ones_own() -> None:
    report, withheld = release(SharingRule(tracks="withheld"), (MISSILE, PLANE), HEADER)
    assert report is None
    assert withheld == ("AMBER-0001", "AMBER-0002")


@pytest.mark.parametrize(
    ("phases", "kept", "held"),
    [
        (("boost", "ballistic"), ("AMBER-0001",), ("AMBER-0002",)),
        (("cruise",), ("AMBER-0002",), ("AMBER-0001",)),
        ((), (), ("AMBER-0001", "AMBER-0002")),
    ],
)
def test_tracks_in_a_withheld_phase_stay(phases: Any, kept: Any, held: Any) -> None:
    report, withheld = release(SharingRule(phases=phases), (MISSILE, PLANE), HEADER)
    assert tuple(t.number for t in (report.tracks if report else ())) == kept
    assert withheld == held


@given(
    offset=st.lists(st.floats(-5e4, 5e4), min_size=6, max_size=6),
    round_m=st.sampled_from([0.0, 250.0, 2000.0]),
    round_ms=st.sampled_from([0.0, 5.0, 50.0]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_coarsened_track_is_rounded_and_says_how_much_vaguer_it_is(
    offset: list[float], round_m: float, round_ms: float
) -> None:
    sent = track(
        "AMBER-0001", STATE + np.array([*offset, 0.0]), seen_by(np.random.default_rng(1), 600.0, 12.0)
    )
    (got,) = left(SharingRule(tracks="coarsened", round_m=round_m, round_ms=round_ms), sent)
    steps = np.array([round_m] * 3 + [round_ms] * 3 + [0.0])
    before, after = np.array(sent.state), np.array(got.state)
    assert (np.abs(after - before) <= 0.5 * steps + 1e-9).all()
    for value, step in zip(after, steps, strict=True):
        if step:
            assert abs(value / step - round(value / step)) < 1e-9
    # a value anywhere within a step has the variance of a uniform draw
    assert np.allclose(
        CoarseTrack(got).covariance, CoarseTrack(sent).covariance + np.diag(steps**2 / 12.0), rtol=1e-12
    )


def test_what_rounding_adds_is_what_it_costs() -> None:
    """Over many places, errors of coarsened tracks agree with their covariance, which is not what they
    had."""
    rng = np.random.default_rng(4)
    rule = SharingRule(tracks="coarsened", round_m=1000.0, round_ms=20.0)
    c = spread(100.0, 3.0)
    nees, stale = [], []
    for _ in range(600):
        truth = STATE + np.array([*rng.uniform(-1e4, 1e4, 3), *rng.uniform(-100.0, 100.0, 3), 0.0])
        (got,) = left(rule, track("AMBER-0001", truth + np.linalg.cholesky(c) @ rng.normal(size=7), c))
        e = (np.array(got.state) - truth)[:6]
        nees.append(e @ np.linalg.solve(CoarseTrack(got).covariance[:6, :6], e))
        stale.append(e @ np.linalg.solve(c[:6, :6], e))
    assert np.mean(nees) == pytest.approx(6.0, abs=0.4)
    assert np.mean(stale) > 20.0


def test_a_sensors_pseudonym_is_the_same_each_time_and_different_under_another_key() -> None:
    assert pseudonym("k", "north radar") == pseudonym("k", "north radar")
    names = {pseudonym(key, source) for key in ("k", "l", "") for source in ("north radar", "south radar")}
    assert len(names) == 6
    for name in names:
        assert "north" not in name and "south" not in name
        assert name.startswith("src-") and len(name) == 16


def test_under_pseudonyms_no_sensor_of_ones_own_is_named_and_the_ranges_stay() -> None:
    (got,) = left(SharingRule(pseudonyms=True, key="secret"), MISSILE)
    (was,), (now,) = MISSILE.header.provenance, got.header.provenance
    assert now.source == pseudonym("secret", was.source)
    assert (now.first, now.last) == (was.first, was.last)
    assert was.source not in str(got) and "secret" not in str(got)
    assert got.state == MISSILE.state and got.number == MISSILE.number


def test_a_track_that_ends_or_may_no_longer_leave_ends_for_the_partner_and_tells_him_nothing_new() -> None:
    rule = SharingRule(phases=("boost", "ballistic"))
    released = Released(rule)
    (first,) = left(rule, *released.due([MISSILE, PLANE], []))
    assert first == MISSILE
    # what seemed a missile turns out to be an aircraft: its place as an aircraft does not leave
    turned = track("AMBER-0001", STATE + 5e3, spread(90.0, 5.0), at_s(4.0), phases=CRUISE_SURELY)
    (last,) = left(rule, *released.due([turned], []))
    assert last.ended and last.state == MISSILE.state and last.header == MISSILE.header
    # and its end has been told already; the end of one that never left is no partner's business
    assert left(rule, *released.due([], ["AMBER-0001", "AMBER-0002"])) == ()
    # if it is a missile after all, it leaves again, and its end is told
    again = track("AMBER-0001", STATE + 9e3, spread(90.0, 5.0), at_s(8.0), phases=BALLISTIC_SURELY)
    assert left(rule, *released.due([again], [])) == (again,)
    (end,) = left(rule, *released.due([], ["AMBER-0001"]))
    assert end.ended and end.header.measured_ns == at_s(8.0)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"round_km": 1}, r"sharing\.Amber\.round_km: found an unknown key"),
        ({"round_m": -1.0}, r"sharing\.Amber\.round_m: found -1\.0, wanted a number >= 0"),
        ({"tracks": "some"}, r"sharing\.Amber\.tracks: found some, wanted one of as is, coarsened, withheld"),
        ({"phases": ["glide"]}, r"sharing\.Amber\.phases\[0\]: found .*glide"),
        ({"pseudonyms": "yes"}, r"sharing\.Amber\.pseudonyms: found yes, wanted true or false"),
        ({"pseudonyms": True}, r"sharing\.Amber\.key: found nothing, wanted a key"),
        ({"tracks": "coarsened"}, r"sharing\.Amber\.round_m: found no rounding"),
    ],
)
def test_a_wrong_rule_names_its_file_and_key(values: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=r"site\.toml: " + words):
        load_rule(values, "site.toml", "Amber")


def test_an_empty_table_shares_everything_under_the_partners_name() -> None:
    assert load_rule({}, "site.toml", "Amber") == SharingRule(name="Amber/tracks")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {},
            "Amber/tracks: tracks in boost, ballistic, cruise leave as they are, "
            "with the names of their sensors",
        ),
        ({"tracks": "withheld"}, "Amber/tracks: no track leaves"),
        (
            {
                "tracks": "coarsened",
                "round_m": 2000,
                "round_ms": 25,
                "phases": ["ballistic"],
                "pseudonyms": True,
                "key": "k",
            },
            "Amber/tracks: tracks in ballistic leave rounded to 2000 m and 25 m/s, sensors under pseudonyms",
        ),
    ],
)
def test_a_rule_says_in_words_what_it_does(values: dict[str, Any], words: str) -> None:
    assert describe(load_rule(values, "site.toml", "Amber")) == words
