"""Whose warnings follow which policy: one for all, and what a partner states otherwise.

In: a scenario's tables `[policy]`, for all, and `policy` of a partner, key by key over it; out: each
partner's `Policy`, or BadInput with the key that is wrong.
"""

from __future__ import annotations

from jointwatch.exercise.scenario import Scenario
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
            policy = load_policy(common | partner.policy, scenario.path, f"partners[{i}].policy")
        policies[partner.name] = policy
    return policies


def thresholds_stated(scenario: Scenario) -> dict[str, frozenset[str]]:
    """Which thresholds beside shelter_probability each partner's tables state, by name: they follow from no
    costs."""
    both = {"sooner_probability", "withdraw_probability"}
    return {p.name: frozenset(both & (scenario.policy.keys() | p.policy.keys())) for p in scenario.partners}
