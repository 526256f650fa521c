"""Burns from scans: one seen by one satellite or two, among hot places, in salvos, and none from clutter."""

import numpy as np
import pytest
from made_scans import EAST_EYE, PLACE, START_NS, WEST, ground, launch, place_of, satellite, scan, scans
from msgspec.structs import replace

import jointwatch.launch.burns
from jointwatch.launch.ascent import EAST, NORTH, TIME
from jointwatch.launch.burns import JUDGING_DRAWS, NO_CLIMB, UNSURE, Burns
from jointwatch.launch.looks import SEEN
from jointwatch.launch.salvo import salvos

RATE = 10.0 / 86400.0 / 2e14


GLINTS = (
    (0, 10.68, (-0.17131, -0.98029, 0.09838)),
    (10, 10.68, (-0.17127, -0.9803, 0.09833)),
    (20, 10.68, (-0.17126, -0.9803, 0.09839)),
    (30, 10.68, (-0.17126, -0.98031, 0.09834)),
    (40, 10.68, (-0.17121, -0.98031, 0.09836)),
    (50, 10.68, (-0.17124, -0.98031, 0.09831)),
    (60, 10.68, (-0.17114, -0.98033, 0.09834)),
    (70, 10.68, (-0.17115, -0.98033, 0.09829)),
    (80, 10.68, (-0.17111, -0.98034, 0.0983)),
    (90, 10.68, (-0.17113, -0.98034, 0.09825)),
    (100, 9.61, (-0.1709, -0.9804, 0.09803)),
    (110, 9.61, (-0.17094, -0.98039, 0.09802)),
    (120, 9.61, (-0.17104, -0.98038, 0.09794)),
    (130, 9.61, (-0.17112, -0.98037, 0.09796)),
    (140, 9.61, (-0.17121, -0.98036, 0.09789)),
    (150, 9.61, (-0.17126, -0.98035, 0.09789)),
    (160, 9.61, (-0.17125, -0.98035, 0.09794)),
)
"""Of a simulated day: seconds, log of the intensity, and line of sight from 75 E of a glint that wanders, and
of another that begins where it ends."""


def node(eyes=(WEST, EAST_EYE), draws=200, rate=RATE):
    return Burns(eyes, rate, 1.0 / 30.0, "A", draws)


def taken(burns, all_scans):
    """Every change that scans make: (seconds, burn)."""
    out = []
    for s in all_scans:
        out += [((s.header.measured_ns - START_NS) * 1e-9, b) for b in burns.take(s)]
    return out


def place_error_m(burn, values):
    """How far the posterior's mean place of launch is from the truth, m."""
    known = burn.posterior
    north = (PLACE[0] - known.place[0]) * 6.378e6 + values[NORTH]
    east = (PLACE[1] - known.place[1]) * 6.378e6 * np.cos(PLACE[0]) + values[EAST]
    mean = known.weight @ known.values
    return float(np.hypot(mean[NORTH] - north, mean[EAST] - east))


def test_two_satellites_confirm_one_burn_and_keep_its_number_until_it_is_over():
    one = launch(azimuth=0.8, at_s=60.0)
    burns = node()
    told = taken(burns, scans((WEST, EAST_EYE), [one], 240.0, 1))
    assert {b.number for _, b in told} == {"A-B0001"}
    assert told[0][1].state == "confirmed" and told[-1][1].state == "over"
    # its clouds are cleared some 26 s after launch
    assert told[0][0] < 60.0 + 26.0 + 25.0
    last = told[-1][1]
    assert last.sensors == ("east", "west") and last.plots >= 10
    assert place_error_m(last, one[1]) < 6e3
    assert (np.diff(last.looks[:, 0]) >= 0.0).all()
    assert last.looks[:, SEEN].sum() == last.plots and (last.looks[-1, SEEN] == 0.0)
    assert max(last.posterior.classes(), key=last.posterior.classes().get) == "medium_range_two_stage"
    end = last.posterior.weight @ last.posterior.values[:, TIME] + (last.epoch_ns - START_NS) * 1e-9
    assert abs(end - 60.0) < 12.0


def test_one_satellite_alone_confirms_later():
    one = launch(azimuth=2.5, at_s=60.0)
    burns = node((WEST,))
    told = taken(burns, scans((WEST,), [one], 240.0, 2))
    assert told and {b.number for _, b in told} == {"A-B0001"}
    assert told[-1][1].sensors == ("west",) and told[-1][1].state == "over"


def test_a_burn_beside_a_hot_place_is_seen():
    """It clears the clouds where a flare shines that both satellites know for long."""
    one = launch(azimuth=0.8, at_s=600.0)
    above = place_of(one, 640.0)
    hot = [above * (6.372e6 / np.linalg.norm(above))]
    burns = node()
    told = taken(burns, scans((WEST, EAST_EYE), [one], 780.0, 3, hot=hot))
    assert {b.number for _, b in told} == {"A-B0001"} and told[0][0] < 600.0 + 26.0 + 35.0


def test_hot_places_and_clutter_alone_give_none():
    hot = [ground(33.0, 47.0), ground(33.02, 47.03), ground(35.0, 49.5)]
    burns = node()
    assert not taken(burns, scans((WEST, EAST_EYE), [], 3600.0, 4, hot=hot, hot_share=0.5))
    assert not burns.all()


def test_two_glints_one_after_the_other_are_no_burn(monkeypatch):
    """They are so unlike one that wanders, and a staging so like their leap, that odds against one alone told
    a burn.  Neither do the odds tell one, nor does it fit."""
    eyes = satellite(clutter=2.0), satellite("east", 75.0, 30e-6, clutter=2.0)

    def found():
        burns, rng, told = node(eyes), np.random.default_rng(0), []
        for k in range(-2, 22):
            seen = scan(eyes[1], k, 10.0 * k + 20.0, [], rng)
            for t, glow, along in GLINTS:
                if t == 10 * k:
                    x, y, z = along / np.linalg.norm(along)
                    seen = replace(
                        seen, along_x=(x,), along_y=(y,), along_z=(z,), intensity_w_sr=(float(np.exp(glow)),)
                    )
            told += taken(burns, [seen, scan(eyes[0], k, 10.0 * k + 24.7, [], rng)])
        return told

    monkeypatch.setattr("jointwatch.launch.burns.NO_CLIMB", 1e9)
    assert not found()
    monkeypatch.setattr("jointwatch.launch.odds.log_not_burning", lambda *plots: float(plots[4].sum()))
    assert found()


def test_what_fits_no_launch_is_no_burn_whatever_the_odds(monkeypatch):
    posterior = jointwatch.launch.burns._posterior

    def unlike(*asked):
        found = posterior(*asked)
        return found and replace(found, misfit=NO_CLIMB + 0.1)

    monkeypatch.setattr("jointwatch.launch.burns._posterior", unlike)
    seen = scans((WEST, EAST_EYE), [launch(azimuth=0.8, at_s=60.0)], 240.0, 1)
    assert not taken(node(), seen)


def test_odds_that_more_draws_do_not_bear_out_confirm_none(monkeypatch):
    posterior = jointwatch.launch.burns._posterior

    def lucky(looks, epoch_ns, draws):
        """Of few draws the right answer, of many one that says no."""
        found = posterior(looks, epoch_ns, draws)
        return found and (found if draws <= JUDGING_DRAWS else replace(found, log_evidence=-1e3))

    monkeypatch.setattr("jointwatch.launch.burns._posterior", lucky)
    seen = scans((WEST, EAST_EYE), [launch(azimuth=0.8, at_s=60.0)], 240.0, 1)
    assert not taken(node(), seen)


def test_what_few_draws_doubt_is_asked_of_many_where_it_is_near(monkeypatch):
    posterior = jointwatch.launch.burns._posterior

    def unlucky(less):
        def asked(looks, epoch_ns, draws):
            found = posterior(looks, epoch_ns, draws)
            few = found is not None and draws <= JUDGING_DRAWS
            return replace(found, log_evidence=found.log_evidence - less) if few else found

        monkeypatch.setattr("jointwatch.launch.burns._posterior", asked)
        return taken(node(), scans((WEST, EAST_EYE), [launch(azimuth=0.8, at_s=60.0)], 240.0, 1))

    told = unlucky(0.0)[0]
    near = told[1].log_odds - node().threshold + 0.5 * UNSURE
    assert unlucky(near)[0][0] == told[0]  # doubted by half of what few draws may be off
    assert not unlucky(1e3)


def test_a_burn_that_no_draw_fits_any_more_keeps_what_is_known_and_is_unlike_all(monkeypatch):
    posterior, burns = jointwatch.launch.burns._posterior, node()
    seen = scans((WEST, EAST_EYE), [launch(azimuth=0.8, at_s=60.0)], 240.0, 1)
    told = [b for s in seen[: len(seen) // 2] for b in burns.take(s)][-1]
    monkeypatch.setattr("jointwatch.launch.burns._posterior", lambda *_: None)
    last = [b for s in seen[len(seen) // 2 :] for b in burns.take(s)][-1]
    assert posterior is not None and last.posterior.misfit == np.inf
    assert (last.posterior.values == told.posterior.values).all() and last.log_odds == told.log_odds


def test_what_a_late_scan_shows_to_be_none_has_no_odds_left():
    burns = node()
    seen = scans((WEST, EAST_EYE), [launch(azimuth=0.8, at_s=60.0)], 130.0, 1)
    late = seen.pop(-2)
    taken(burns, seen)
    assert [b.state for b in burns.all()] == ["confirmed"]
    burns.threshold, burns._state = 1e9, burns._state
    burns._taken = [(k, s, replace(state, chains=())) for k, s, state in burns._taken]
    (burn,) = burns.take(late)
    assert (burn.state, burn.log_odds) == ("over", -np.inf)


def test_what_flies_without_burning_is_not_seen():
    """An aircraft shines for no satellite: no plot, no chain."""
    burns = node()
    taken(burns, scans((WEST, EAST_EYE), [], 300.0, 5, clutter=0.0))
    assert not burns.all() and not burns.tentative()


def state_of(burns):
    return [
        (b.number, b.state, b.plots, b.log_odds, b.looks.tobytes(), b.posterior.values.tobytes())
        for b in burns.all()
    ]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_two_satellites_at_one_instant_does_not_matter(seed):
    one = launch(azimuth=0.8 + seed, at_s=60.0)
    in_order = scans((WEST, EAST_EYE), [one], 200.0, 10 + seed, phase=(0.0, 0.0))
    swapped = [s for pair in zip(in_order[1::2], in_order[::2], strict=True) for s in pair]
    a, b = node(), node()
    taken(a, in_order)
    taken(b, swapped)
    assert state_of(a) == state_of(b) and a.all()


def test_scans_that_come_late_are_put_in_their_place():
    one = launch(azimuth=0.8, at_s=60.0)
    in_order = scans((WEST, EAST_EYE), [one], 200.0, 20)
    # each of the east comes after the next one of the west
    late = sorted(in_order, key=lambda s: s.header.measured_ns + (7e9 if s.sensor == "east" else 0))
    assert late != in_order
    a, b = node(), node()
    taken(a, in_order)
    taken(b, late)
    assert state_of(a) == state_of(b) and a.all()


def test_a_scan_repeated_too_late_or_undeclared_is_refused():
    some = scans((WEST, EAST_EYE), [launch()], 120.0, 21)
    burns = node()
    taken(burns, some)
    before = state_of(burns)
    assert burns.take(some[-1]) == [] and burns.take(some[0]) == []
    stranger = satellite("north", 40.0)
    assert burns.take(scan(stranger, 0, 130.0, [], np.random.default_rng(0))) == []
    assert burns.refused == {"repeated": 1, "too late": 1, "undeclared sensor": 1}
    assert state_of(burns) == before


def test_a_posture_brings_confirmation_forward_and_changes_nothing_else():
    one = launch(azimuth=0.8, at_s=60.0)
    all_scans = scans((WEST, EAST_EYE), [one], 240.0, 22)
    plain, raised = node(rate=RATE / 100.0), node(rate=RATE / 100.0)
    raised.expect(1000.0)
    a, b = taken(plain, all_scans), taken(raised, all_scans)
    assert b[0][0] <= a[0][0]
    last_a, last_b = a[-1][1], b[-1][1]
    assert last_a.looks.tobytes() == last_b.looks.tobytes()
    assert last_a.posterior.values.tobytes() == last_b.posterior.values.tobytes()


@pytest.mark.parametrize("seed", range(2))
def test_a_salvo_of_thirty_is_counted(seed):
    rng = np.random.default_rng(seed)
    away, way = 12.5e3 * np.sqrt(rng.uniform(size=30)), rng.uniform(0.0, 6.28, 30)
    launches = [
        launch(
            "medium_range_two_stage", 0.8 + 0.05 * rng.normal(), 60.0 + 20.0 * k / 30.0, a * np.sin(w),
            a * np.cos(w),
        )
        for k, (a, w) in enumerate(zip(away, way, strict=True))
    ]  # fmt: skip
    burns = node(draws=100)
    taken(burns, scans((WEST, EAST_EYE), launches, 150.0, 30 + seed))
    found = salvos(burns.all(), burns.glances(), {"west": WEST, "east": EAST_EYE})
    assert len(found) == 1
    low, high = found[0].interval(0.95)
    assert low <= 30 <= high and high - low <= 30
