"""Whose warnings follow which policy: one for all, and what a partner states otherwise.

In: a scenario's tables `[policy]`, for all, and `policy` of a partner, key by key over it; out: each
partner's `Policy`, or BadInput with the key that is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jointwatch.exercise.scenario import Scenario
from jointwatch.records.errors import BadInput
from jointwatch.warning.policy import Policy, load_policy


def load_policies(scenario: Scenario) -> dict[str, Policy]:
    """The policy of each partner, by name.

    A partner that states costs does not keep the shelter_probability stated for all, nor the other way round.
    """
    policies = {}
    for i, partner in enumerate(scenario.partners):
        policy = load_policy(scenario.policy, scenario.path)
        if partner.policy:
            theirs = {k for k in ("costs", "shelter_probability") if k in partner.policy}
            common = {
                key: value
                for key, value in scenario.policy.items()
                if not (theirs and key in ("costs", "shelter_probability"))
            }
            policy = _over(common, partner.policy, scenario.path, f"partners[{i}].policy")
        policies[partner.name] = policy
    return policies


def _over(common: Mapping[str, Any], own: Mapping[str, Any], source: str, table: str) -> Policy:
    """The policy of a partner's own keys, which stand in `table`, over those for all.

    BadInput names a key where it stands: one for all, right by itself, is wrong beside what a partner states.
    """
    try:
        return load_policy({**common, **own}, source, table)
    except BadInput as error:
        key = error.field.removeprefix(f"{table}.")
        name = key.partition(".")[0]
        if name in own or name not in common:
            raise
        wanted = f"with {table} over it, {error.wanted}; or another {name} in {table}"
        raise BadInput(source, f"policy.{key}", error.found, wanted) from None


def thresholds_stated(scenario: Scenario) -> dict[str, frozenset[str]]:
    """Which thresholds beside shelter_probability each partner's tables state, by name: they follow from no
    costs."""
    both = {"sooner_probability", "withdraw_probability"}
    return {p.name: frozenset(both & (scenario.policy.keys() | p.policy.keys())) for p in scenario.partners}
