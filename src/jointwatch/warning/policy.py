"""The warning policy as data: when danger is shown, to whom, and when it is taken back."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from jointwatch.records.documents import convert
from jointwatch.records.errors import BadInput

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Thresholds of one partner's warnings.

    A track counts as a threat from `least_hits` looks (`least_hits_of_part` if it appeared beside an older
    one, as a part of it: vague at first, and light parts fall short), `least_existence` and, for take
    shelter, `least_ballistic` probability of the ballistic phase.

    Take shelter.  The latest useful moment of a zone is its time to shelter plus reserve_s before impact.
    From then on it is told when its probability of danger reaches shelter_probability (about the cost of a
    needless alert over that of a missed one).  Sooner, waiting still costs nothing and the next look tells
    more, so it is told only from sooner_probability, and once the fall is known to precise_m (1-sigma, larger
    axis).

    Taking it back.  A zone stays told while a track behind its alert threatens it with withdraw_probability
    or more, or still falls where it was expected to (within three sigma of its best known fall).  A track
    that becomes much vaguer has broken up: from then on it needs shelter_probability to hold an alert.  The
    zone is withdrawn hold_s after every track behind it broke up or was lost, moved_hold_s after one turned
    out to fall elsewhere.  All clear follows the last expected impact by clear_after_s.

    Early notice goes to zones within three sigma plus early_margin_m of a predicted fall.  Early notices, and
    all clears, are grouped: at most one message of the kind every group_s.

    Origin.  The territory of a launch is stated from state_origin_from probability on, and from two sensors;
    else it cannot be told.  It warns nobody and holds no warning back.
    """

    least_hits: Annotated[int, Meta(ge=1)] = 5
    least_hits_of_part: Annotated[int, Meta(ge=1)] = 10
    least_existence: Share = 0.99
    least_ballistic: Share = 0.98
    shelter_probability: Share = 0.02
    sooner_probability: Share = 0.1
    withdraw_probability: Share = 0.004
    precise_m: NotNegative = 1200.0
    reserve_s: NotNegative = 30.0
    hold_s: NotNegative = 4.0
    moved_hold_s: NotNegative = 10.0
    early_margin_m: NotNegative = 15e3
    group_s: NotNegative = 10.0
    clear_after_s: NotNegative = 75.0
    state_origin_from: Annotated[float, Meta(ge=0.9, le=1.0)] = 0.95


def load_policy(values: dict[str, Any], source: str) -> Policy:
    """The policy of a file's table [policy]; BadInput naming source, key, found and wanted."""
    try:
        return convert(values, Policy, source)
    except BadInput as error:
        raise BadInput(source, f"policy.{error.field}", error.found, error.wanted) from None


def describe(policy: Policy) -> str:
    """What a policy does, in words."""
    p = policy
    return (
        f"take shelter where the probability of danger is {p.shelter_probability:.1%} or more from "
        f"{p.reserve_s:g} s before the time to shelter runs out, sooner where it is "
        f"{p.sooner_probability:.1%} or more and the fall is known to {p.precise_m / 1000:g} km; withdrawn "
        f"{p.hold_s:g} s after every object behind it broke up or was lost, {p.moved_hold_s:g} s after it "
        f"turned out to fall elsewhere; early notice within three sigma and {p.early_margin_m / 1000:g} km; "
        f"all clear {p.clear_after_s:g} s after the last expected impact; where a launch was is stated from "
        f"{p.state_origin_from:.1%} probability and two sensors on"
    )
