"""Each partner warns by its own policy: what all share, and what it states otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from jointwatch.cli.describe import describe_scenario
from jointwatch.exercise.nodes import node_configs
from jointwatch.exercise.policies import load_policies
from jointwatch.exercise.scenario import load_scenario
from jointwatch.records import BadInput

SMALL = Path(__file__).parents[1] / "small.toml"
AMBER = '[[partners]]\nname = "Amber"\n'


def scenario(folder: Path, common: str, ambers: str) -> Path:
    """The small exercise with keys of [policy] and of Amber's own."""
    text = SMALL.read_text(encoding="utf-8").replace("procedure =", "# procedure =", 1)
    assert AMBER in text and "[policy]" not in text
    text = text.replace(AMBER, f"{AMBER}policy = {{ {ambers} }}\n")
    path = folder / "own.toml"
    path.write_text(f"{text}\n[policy]\n{common}\n", encoding="utf-8")
    return path


def test_a_partner_does_otherwise_what_it_states_and_the_rest_as_all(tmp_path: Path) -> None:
    path = scenario(tmp_path, "reserve_s = 20\nhold_s = 6", "reserve_s = 45, costs = { missed = 99 }")
    policies = load_policies(load_scenario(path))
    assert (policies["Amber"].reserve_s, policies["Blue"].reserve_s) == (45.0, 20.0)
    assert policies["Amber"].hold_s == policies["Blue"].hold_s == 6.0
    assert (policies["Amber"].shelter_probability, policies["Blue"].shelter_probability) == (0.01, 0.02)
    configs = node_configs(load_scenario(path))
    for name in ("Amber", "Blue"):
        assert configs[name].policy == configs[f"{name} alone"].policy == policies[name]


@pytest.mark.parametrize(
    "common, ambers, shelter",
    [
        ("shelter_probability = 0.1", "costs = { missed = 99 }", 0.01),
        ("costs = { missed = 99 }", "shelter_probability = 0.1", 0.1),
        ("costs = { missed = 99 }", "reserve_s = 45", 0.01),
    ],
)
def test_a_partners_costs_or_threshold_stand_in_the_place_of_those_for_all(
    tmp_path: Path, common: str, ambers: str, shelter: float
) -> None:
    assert (
        load_policies(load_scenario(scenario(tmp_path, common, ambers)))["Amber"].shelter_probability
        == shelter
    )


@pytest.mark.parametrize(
    "common, ambers, words",
    [
        ("hold_s = -1", "reserve_s = 45", r"own\.toml: policy\.hold_s: found -1"),
        ("hold_s = 1", "reserve_s = -4", r"own\.toml: partners\[0\]\.policy\.reserve_s: found -4"),
        ("hold_s = 1", "costs = { missed = -4 }", r"partners\[0\]\.policy\.costs\.missed: found -4"),
        ("hold_s = 1", "patience = 4", r"own\.toml: partners\[0\]\.policy\.patience"),
        (
            "sooner_probability = 0.1",
            "costs = { missed = 4 }",
            r"own\.toml: policy\.sooner_probability: found 0\.1, wanted with partners\[0\]\.policy over it, "
            r"no less than the 0\.2 .*; or another sooner_probability in partners\[0\]\.policy",
        ),
        (
            "withdraw_probability = 0.02",
            "shelter_probability = 0.01",
            r"own\.toml: policy\.withdraw_probability: found 0\.02, wanted with partners\[0\]\.policy",
        ),
        (
            "costs = { missed = 4 }",
            "sooner_probability = 0.1",
            r"own\.toml: partners\[0\]\.policy\.sooner_probability: found 0\.1, wanted no less than the 0\.2",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_where_it_stands(tmp_path: Path, common: str, ambers: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        load_policies(load_scenario(scenario(tmp_path, common, ambers)))


def test_check_says_every_partners_policy_in_words(tmp_path: Path) -> None:
    lines = describe_scenario(scenario(tmp_path, "hold_s = 6", "costs = { missed = 99 }"))
    blue = next(n for n, line in enumerate(lines) if line.startswith("Blue: "))
    ambers, blues = "\n".join(lines[:blue]), "\n".join(lines[blue:])
    assert "99 times as bad as one told for nothing: take shelter from 1 % probability" in ambers
    assert "49 times as bad as one told for nothing: take shelter from 2 % probability" in blues
    assert all("taken back 6 s after" in text for text in (ambers, blues))
