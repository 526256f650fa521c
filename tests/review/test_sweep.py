"""What other costs would have meant: of alerts by hand, of stored threats, and of a played exercise."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from jointwatch.exercise.policies import load_policies
from jointwatch.exercise.scenario import Scenario, load_scenario
from jointwatch.exercise.truth import make_truth
from jointwatch.node.config import NodeConfig
from jointwatch.records import Alert, AlertAction, BadInput, Header, Zone
from jointwatch.review import sweep as swept
from jointwatch.review.strikes import S as SECOND
from jointwatch.review.strikes import Strike
from jointwatch.review.sweep import RATIOS, Evaluation, Outcome, judged, rewarned, sweep, watched, weighed
from jointwatch.warning.behind import Threat
from jointwatch.warning.policy import Costs, Policy, of_costs

SMALL = Path(__file__).parents[1] / "small.toml"
S = int(SECOND)
ZONES = tuple(
    Zone(
        key=key, name=key, partner="Amber", longitude_deg=35.0 + k, latitude_deg=32.0, shelter_s=30.0,
        radius_m=1000.0, people=people,
    )
    for k, (key, people) in enumerate((("town", 100), ("village", 10), ("camp", None)))
)  # fmt: skip


def alert(at_s: float, action: AlertAction, *zones: str) -> Alert:
    return Alert(
        header=Header(originator="Amber", source="a", sequence=1, measured_ns=0), identifier=f"a-01-{at_s}",
        action=action, tier="shelter", partner="Amber", zones=zones, sent_ns=round(at_s * S), impact_ns=0,
        evidence=(),
    )  # fmt: skip


def strike(zone: int, at_s: float) -> Strike:
    return Strike(ZONES[zone], zone, 0, round(at_s * S), Counter({0: 9}))


def judge(*alerts: Alert) -> Outcome:
    """The town is struck at 200 s; the exercise ends at 600 s."""
    return judged(list(alerts), ZONES, [strike(0, 200.0)], {"town"}, 600 * S)


@pytest.mark.parametrize(
    "alerts, missed",
    [
        ([alert(170, "alert", "town")], 0),
        ([alert(171, "alert", "town")], 1),
        ([alert(100, "alert", "town"), alert(150, "cancel", "town")], 1),
        ([alert(100, "alert", "town"), alert(150, "cancel", "town"), alert(160, "alert", "town")], 0),
        ([alert(100, "alert", "village")], 1),
        ([], 1),
    ],
)
def test_a_zone_is_warned_in_time_if_told_its_time_to_shelter_before_and_not_taken_back(
    alerts: list[Alert], missed: int
) -> None:
    assert (judge(*alerts).feasible, judge(*alerts).missed) == (1, missed)


def test_minutes_for_nothing_are_those_of_zones_that_nothing_struck_until_the_end_at_most() -> None:
    found = judge(
        alert(60, "alert", "town", "village"), alert(120, "cancel", "village"),
        alert(180, "update", "village"), alert(240, "all_clear", "village"), alert(540, "alert", "camp"),
    )  # fmt: skip
    assert found.zone_minutes == pytest.approx(1.0 + 1.0 + 1.0)
    assert found.person_minutes == pytest.approx(20.0), "of the camp it is not known how many there are"
    unknown = tuple(replace(zone, people=None) for zone in ZONES)
    assert judged([], unknown, [], set(), 600 * S).person_minutes is None


def threats(p: float) -> list[Evaluation]:
    """A fall in the town at 200 s, looked at each second, of which the village's danger is p."""
    one = Threat(
        "A-1", "medium_range", 200 * S, float(np.radians(32.0)), float(np.radians(35.0)), 500.0, 500.0,
        np.array([0, 1]), np.array([0.9, p]), False, True, ("A-1",),
    )  # fmt: skip
    return [(k * S, [one] if k < 200 else []) for k in range(400)]


def test_the_dearer_a_missed_zone_the_more_zones_are_told_and_the_sooner() -> None:
    config = NodeConfig(
        partner="Amber", name="a", sensors=(), zones=ZONES, policy=Policy(), territories={}
    )  # fmt: skip
    minutes = []
    for ratio in RATIOS:
        policy = of_costs(config.policy, Costs(missed=ratio, needless=1.0))
        alerts = rewarned(config, policy, threats(0.03))
        minutes.append(judged(alerts, ZONES, [strike(0, 200.0)], {"town"}, 400 * S).zone_minutes)
        told = any("village" in a.zones for a in alerts if a.tier == "shelter")
        assert told is (policy.shelter_probability <= 0.03)
    assert minutes == sorted(minutes) and minutes[0] == 0.0 < minutes[-1]
    assert len(set(minutes)) > 2, "told also sooner, not only or not"


@pytest.mark.parametrize(
    "stated, ambers",
    [
        ("", ""),
        ("sooner_probability = 1.0\nwithdraw_probability = 0.0001", ""),
        ("costs = { missed = 49 }\nsooner_probability = 0.1", "withdraw_probability = 0.02"),
        ("shelter_probability = 0.03\nsooner_probability = 0.5", ""),
    ],
)
def test_a_rung_is_the_policy_that_the_file_has_with_its_costs(
    tmp_path: Path, stated: str, ambers: str
) -> None:
    """Also where what it states is what follows from its own costs: from others it would not."""
    text = SMALL.read_text(encoding="utf-8").replace("procedure =", "# procedure =", 1)
    text = text.replace('name = "Amber"\n', f'name = "Amber"\npolicy = {{ {ambers} }}\n', 1)
    path = tmp_path / "stated.toml"

    def read(policy: str) -> Scenario:
        path.write_text(f"{text}\n[policy]\n{policy}\n", encoding="utf-8")
        return load_scenario(path)

    found = weighed(read(stated))
    assert {name: policies[0] for name, policies in found.items()} == load_policies(read(stated))
    kept = [line for line in stated.splitlines() if not line.startswith(("costs", "shelter"))]
    same = 0
    for k, ratio in enumerate(RATIOS, start=1):
        with_costs = read("\n".join([f"costs = {{ missed = {ratio} }}", *kept]))
        try:
            wanted = load_policies(with_costs)
        except BadInput:
            # the file would be refused: what it states gives way to what its costs ask for
            for policies in found.values():
                shelter = policies[k].shelter_probability
                assert policies[k].withdraw_probability <= shelter <= policies[k].sooner_probability
            continue
        assert {name: policies[k] for name, policies in found.items()} == wanted
        same += 1
    assert same >= 3


def test_runs_are_put_together_as_their_mean_and_what_eight_of_ten_lie_within(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scenario = load_scenario(SMALL)

    def outcomes(_: object, seed: int) -> dict[str, list[Outcome]]:
        k = seed - scenario.seed
        one = Outcome(feasible=k, missed=k // 2, zone_minutes=float(k), person_minutes=None)
        return dict.fromkeys(("Amber", "Blue"), [one] * (1 + len(RATIOS)))

    monkeypatch.setattr(swept, "outcomes_of", outcomes)
    done: list[float] = []
    found = sweep(scenario, 11, progress=done.append)
    assert found.seeds == tuple(range(scenario.seed, scenario.seed + 11))
    assert [p.partner for p in found.partners] == ["Amber", "Blue"] and done[-1] == 1.0
    rung = found.partners[0].present
    assert (rung.zone_minutes.mean, rung.zone_minutes.low, rung.zone_minutes.high) == (5.0, 1.0, 9.0)
    assert (rung.feasible, rung.missed, rung.person_minutes) == (55, 25, None)
    shares = [k // 2 / k for k in range(1, 11)]
    assert rung.missed_share is not None and rung.missed_share.mean == pytest.approx(np.mean(shares))
    assert [r.times_as_bad for r in found.partners[1].ladder] == pytest.approx(RATIOS)


def _of_no_journal(alert: Alert) -> Alert:
    """The alert without the part of its identifiers that tells which journal it is of."""
    numbers = [name[-len("00-0000") :] for name in (alert.identifier, *alert.references)]
    return replace(alert, identifier=numbers[0], references=tuple(numbers[1:]))


def test_an_exercise_warned_again_by_its_own_policy_says_what_it_said() -> None:
    scenario = load_scenario(SMALL)
    kept, picture = watched(scenario, scenario.seed, make_truth(scenario, scenario.seed))
    for name, config in swept._linked(scenario).items():
        alerts = rewarned(config, config.policy, kept[name])
        said = [a for a in picture.alerts if a.partner == name]
        assert [_of_no_journal(a) for a in alerts] == [_of_no_journal(a) for a in said]
        assert alerts
