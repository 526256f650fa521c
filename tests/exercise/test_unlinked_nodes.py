"""A node that no link joins sees the same whoever is played beside it; its picture is sampled throughout."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from jointwatch.exercise.nodes import node_configs
from jointwatch.exercise.play import simulate_looks
from jointwatch.exercise.recording import SAMPLE_S
from jointwatch.exercise.scenario import load_scenario
from jointwatch.exercise.truth import make_truth
from jointwatch.exercise.unlinked import play_unlinked

SMALL = Path(__file__).parents[1] / "small.toml"
PLAYED_S = 90.0


def test_a_node_alone_is_the_same_beside_another() -> None:
    whole = load_scenario(SMALL)
    scenario = replace(whole, scenario=replace(whole.scenario, duration_s=PLAYED_S))
    configs, truth = node_configs(scenario), make_truth(scenario, scenario.seed)
    shadows = {p.name: configs[f"{p.name} alone"] for p in scenario.partners}
    looks = list(simulate_looks(scenario, truth, scenario.seed))
    both = play_unlinked(shadows, looks, scenario.start_ns)
    own = [look for look in looks if look.header.originator == "Amber"]
    picture, digest = play_unlinked({"Amber": shadows["Amber"]}, own, scenario.start_ns)["Amber"]
    beside, of_both = both["Amber"]
    assert digest == of_both != both["Blue"][1]
    assert [a.identifier for a in picture.alerts] == [a.identifier for a in beside.alerts]
    assert (picture.name, picture.label, picture.partners) == ("amber", "Amber alone", ("Amber",))
    times = [time_ns for time_ns, _ in picture.samples]
    assert times == [scenario.start_ns + round(k * SAMPLE_S * 1e9) for k in range(len(times))]
    assert times[-1] + round(SAMPLE_S * 1e9) >= own[-1].received_ns
    assert any(tracks for _, tracks in picture.samples), "it saw something"
