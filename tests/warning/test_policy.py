"""A policy's thresholds follow from what a missed zone and one told for nothing cost, or are stated."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jointwatch.node.config import NodeConfig
from jointwatch.records import BadInput
from jointwatch.warning.policy import Costs, Policy, describe, load_policy, of_costs

FILE = "exercise.toml"
COST = st.floats(1e-3, 1e6)


@given(COST, COST, st.floats(0.0, 1.0))
def test_a_zone_is_told_where_telling_it_loses_less_on_average(
    missed: float, needless: float, p: float
) -> None:
    told, untold = (1.0 - p) * needless, p * missed
    least = load_policy({"costs": {"missed": missed, "needless": needless}}, FILE).shelter_probability
    if told < untold * (1.0 - 1e-9):
        assert p >= least
    elif untold < told * (1.0 - 1e-9):
        assert p < least


@given(COST, COST)
def test_costs_are_read_back_from_what_acts(missed: float, needless: float) -> None:
    policy = of_costs(Policy(), Costs(missed=missed, needless=needless))
    assert policy == load_policy({"costs": {"missed": missed, "needless": needless}}, FILE)
    assert np.isclose(policy.times_as_bad, missed / needless, rtol=1e-6)
    assert policy.withdraw_probability < policy.shelter_probability <= policy.sooner_probability <= 1.0


def test_the_defaults_are_those_of_the_default_costs() -> None:
    assert load_policy({}, FILE) == Policy()
    assert of_costs(Policy(), Costs()) == replace(Policy(), costs=Costs())
    assert load_policy({"costs": {}}, FILE) == replace(Policy(), costs=Costs())
    assert (Policy().shelter_probability, Policy().sooner_probability) == (0.02, 0.1)
    assert Policy().withdraw_probability == 0.004


def test_a_threshold_that_is_stated_holds() -> None:
    costs = {"missed": 99.0}
    policy = load_policy({"costs": costs, "sooner_probability": 0.3}, FILE)
    assert (policy.shelter_probability, policy.sooner_probability) == (0.01, 0.3)
    assert policy.withdraw_probability == pytest.approx(0.002)
    stated = load_policy({"shelter_probability": 0.04}, FILE)
    assert stated.costs is None and stated.times_as_bad == pytest.approx(24.0)
    assert (stated.sooner_probability, stated.withdraw_probability) == pytest.approx((0.2, 0.008))


@pytest.mark.parametrize(
    "values, words",
    [
        ({"patience": 3}, r"policy\.patience"),
        ({"shelter_probability": -1.0}, r"policy\.shelter_probability: found -1\.0, wanted a number >= 0"),
        ({"shelter_probability": "low"}, r"policy\.shelter_probability: found low, wanted a number"),
        ({"costs": {}, "shelter_probability": 0.1}, r"shelter_probability: found 0\.1.*policy\.costs"),
        ({"costs": {"missed": 0.0}}, r"policy\.costs\.missed: found 0\.0, wanted a number > 0"),
        ({"costs": {"needless": float("inf")}}, r"policy\.costs\.needless: found inf"),
        ({"costs": {"late": 2.0}}, r"policy\.costs\.late: found an unknown key.*missed, needless"),
        ({"costs": 49.0}, r"policy\.costs: found 49\.0, wanted a table"),
        ({"sooner_probability": 0.01}, r"policy\.sooner_probability: found 0\.01.*0\.02"),
        ({"costs": {"missed": 1e3}, "withdraw_probability": 0.01}, r"withdraw_probability: found 0\.01"),
        ({"most_messages_per_minute": 0}, r"policy\.most_messages_per_minute: found 0"),
        ({"most_messages_per_minute": 601}, r"policy\.most_messages_per_minute: found 601"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_policy_is_named(values: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        load_policy(values, FILE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "low"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["missed", "needless"]), inner)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*Policy.__struct_fields__, "patience"]), JSON, max_size=4))
def test_any_table_is_a_policy_or_bad_input(values: dict[str, Any]) -> None:
    try:
        policy = load_policy(values, FILE)
    except BadInput as error:
        assert error.field.startswith("policy.")
    else:
        assert policy.withdraw_probability <= policy.shelter_probability <= policy.sooner_probability
        assert all(describe(policy))
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(policy), type=Policy) == policy


def test_a_node_of_an_older_journal_warns_from_the_same_thresholds() -> None:
    """Older ones state every threshold, and know of no costs, no cap and no grouping of shelter alerts."""
    config = NodeConfig(partner="Amber", name="a", sensors=(), zones=(), policy=Policy(), territories={})
    old = msgspec.msgpack.decode(msgspec.msgpack.encode(config))
    for key in ("costs", "group_shelter_s", "most_messages_per_minute"):
        del old["policy"][key]
    old["policy"] |= {"shelter_probability": 0.03, "sooner_probability": 0.01, "withdraw_probability": 0.02}
    policy = msgspec.msgpack.decode(msgspec.msgpack.encode(old), type=NodeConfig).policy
    acts = policy.shelter_probability, policy.sooner_probability, policy.withdraw_probability
    assert acts == (0.03, 0.01, 0.02)
    assert policy == replace(
        Policy(), shelter_probability=0.03, sooner_probability=0.01, withdraw_probability=0.02
    )


def test_a_policy_whose_costs_say_otherwise_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="costs"):
        Policy(costs=Costs(missed=99.0))
    with pytest.raises(ValueError, match="costs"):
        replace(of_costs(Policy(), Costs(missed=99.0)), shelter_probability=0.05)


def test_a_policy_says_in_words_what_its_figures_are() -> None:
    text = "\n".join(describe(Policy(sooner_probability=0.25, clear_after_s=123.0)))
    assert "25 %" in text and "123 s" in text and "60 go in a minute" in text
    assert "49 times as bad as one told for nothing: take shelter from 2 % probability" in text
    assert "later" not in text
    assert "up to 7 s later" in "\n".join(describe(Policy(group_shelter_s=7.0)))


def test_a_policy_says_what_counts_as_a_threat() -> None:
    text = "\n".join(describe(Policy()))
    assert "from 5 looks at it on, a part of another from 10; nobody" in text
    assert "before it is there with 99 % probability and in free flight with 98 %" in text


OTHERWISE = {
    "least_hits": 1000, "least_hits_of_part": 999, "least_existence": 0.9999,
    "least_ballistic": 1.0, "shelter_probability": 0.03, "sooner_probability": 0.3,
    "withdraw_probability": 0.001, "precise_m": 50e3, "reserve_s": 31.0, "hold_s": 1.0, "moved_hold_s": 11.0,
    "back_s": 5.0, "early_margin_m": 20e3, "group_s": 11.0, "group_shelter_s": 1.0,
    "most_messages_per_minute": 61, "clear_after_s": 76.0, "state_origin_from": 0.96,
}  # fmt: skip


@pytest.mark.parametrize("key", [key for key in Policy.__struct_fields__ if key != "costs"])
def test_whatever_is_stated_otherwise_is_said_otherwise(key: str) -> None:
    assert describe(replace(Policy(), **{key: OTHERWISE[key]})) != describe(Policy())


@pytest.mark.parametrize(
    "shelter, words",
    [
        (0.0, "one told for nothing is held to cost nothing"),
        (0.5, "is held to be as bad as one told for nothing"),
        (0.8, "told for nothing is held to be 4 times as bad as one struck unwarned"),
        (1.0, "struck unwarned is held to cost nothing"),
    ],
)
def test_strange_costs_have_words_too(shelter: float, words: str) -> None:
    assert words.removeprefix("one ") in describe(Policy(shelter_probability=shelter))[0]
