"""The warning policy as data: when danger is shown, to whom, and when it is taken back."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from jointwatch.records.documents import convert

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Thresholds of one partner's warnings.

    A track counts as a threat from `least_hits` looks, `least_existence` and, for take shelter,
    `least_ballistic` probability of the ballistic phase.  A zone is told to take shelter when its probability of
    danger reaches shelter_probability (about the cost of a needless alert over that of a missed one) and
    either the fall is known to precise_m (1-sigma, larger axis) or the latest useful moment, the zone's time to
    shelter plus reserve_s before impact, has come.  It is withdrawn when the probability has stayed below
    withdraw_probability for hold_s.  Early notice goes to zones within three sigma plus early_margin_m of a
    predicted fall.  All clear follows the last expected impact by clear_after_s.
    """

    least_hits: Annotated[int, Meta(ge=1)] = 5
    least_existence: Share = 0.99
    least_ballistic: Share = 0.9
    shelter_probability: Share = 0.02
    withdraw_probability: Share = 0.004
    precise_m: NotNegative = 2000.0
    reserve_s: NotNegative = 30.0
    hold_s: NotNegative = 4.0
    early_margin_m: NotNegative = 15e3
    clear_after_s: NotNegative = 60.0


def load_policy(values: dict[str, Any], source: str) -> Policy:
    """The policy of a file's table; BadInput naming source, key, found and wanted."""
    return convert(values, Policy, source)


def describe(policy: Policy) -> str:
    """What a policy does, in words."""
    p = policy
    return (
        f"take shelter where the probability of danger is {p.shelter_probability:.1%} or more, once the fall is "
        f"known to {p.precise_m / 1000:g} km or {p.reserve_s:g} s before the time to shelter runs out; "
        f"withdrawn after {p.hold_s:g} s below {p.withdraw_probability:.1%}; early notice within three sigma and "
        f"{p.early_margin_m / 1000:g} km; all clear {p.clear_after_s:g} s after the last expected impact"
    )
