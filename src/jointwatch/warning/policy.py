"""The warning policy as data: when danger is shown, to whom, and when it is taken back.

In: a table of a scenario or node file; out: a `Policy`, or BadInput naming the key.  What a partner states is
what a missed zone and one told for nothing cost; from which probability on a zone is told follows from that.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from jointwatch.records.documents import convert
from jointwatch.records.errors import BadInput
from jointwatch.warning.standing import MOST_A_MINUTE

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Cost = Annotated[float, Meta(gt=0.0, le=1e9)]
NotNegative = Annotated[float, Meta(ge=0.0)]
T = TypeVar("T", bound=Struct)
SOONER = 5.0
"""So many times the threshold while there is time to wait."""
WITHDRAW = 0.2
"""This part of the threshold holds an alert that stands."""


class Costs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is held to be lost by a zone struck unwarned, and by one told for nothing, in any one unit.

    Both are of one zone, or both of one person in it: a zone's people scale the two alike, so its threshold
    is the same whether few or many live there.  Only their ratio acts.
    """

    missed: Cost = 49.0
    needless: Cost = 1.0

    @property
    def shelter_probability(self) -> float:
        """From which probability of danger on a zone is told: needless / (needless + missed).

        Told, it loses (1 - p) needless on average; not told, p missed.  Telling loses no more from
        p = needless / (needless + missed) on: the Bayes action of a test with two losses (Berger, Statistical
        Decision Theory and Bayesian Analysis, 2nd ed. 1985, section 4.4.3).
        """
        return self.needless / (self.needless + self.missed)


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Thresholds of one partner's warnings, as they act; `load_policy` works out those that are not stated.

    costs: those stated, of which shelter_probability is then what follows (ValueError if it is not); None:
    the thresholds were stated themselves.

    A track counts as a threat from `least_hits` looks (`least_hits_of_part` if it appeared beside an older
    one, as a part of it: vague at first, and light parts fall short).  It begins no alert to take shelter
    before it has `least_existence` and `least_ballistic` probability of the ballistic phase; nor may it be an
    aircraft (`node.dangers`).

    Take shelter.  The latest useful moment of a zone is its time to shelter plus reserve_s before impact.
    From then on it presses, and is told when its probability of danger reaches shelter_probability (`Costs`).
    Sooner, waiting costs nothing and the next look tells more for nothing (the value of information: Raiffa,
    Decision Analysis, 1968, chapter 2), so it is told only from sooner_probability, and once looks can move
    the fall by no more than precise_m (1-sigma, larger axis): then another would hardly change the answer,
    and what only the air will tell, low down, is not waited for.  Where it is not stated, sooner_probability
    is SOONER times shelter_probability, by judgement and not by derivation.

    Taking it back.  A zone stays told while a track behind its alert threatens it with withdraw_probability
    or more, or, if it was the reason and did not only add to others' danger, still falls where it was
    expected to (within three sigma of its best known fall).  Where it is not stated, withdraw_probability is
    WITHDRAW of shelter_probability: to be told back and forth costs trust.  A track that becomes much vaguer
    has broken up: from then on it needs shelter_probability to hold an alert.  The zone is withdrawn hold_s
    after every track that held it broke up or was lost, moved_hold_s after one turned out to fall elsewhere
    (hold_s where parts just came off it); what it was withdrawn for does not tell it again within back_s.  To
    be seen to break up, or to be less likely there than anybody would be told for, takes looks enough: hold_s
    adds to them.  All clear follows the last expected impact by clear_after_s, and waits for whatever behind
    the alert is still to come down where it was expected to, and while any known danger, however vague, is
    sooner_probability or more.

    Early notice goes to zones of which any part is within three sigma plus early_margin_m of a predicted
    fall.  Early notices, and all clears, are grouped: at most one message of the kind every group_s.  A zone
    that does not press waits up to group_shelter_s for others of its area.

    At most most_messages_per_minute go out in any 60 s.  Zones that press, and cancels, are told all the
    same; when no more may go, the others wait, and those of one area then go in one message.

    Origin.  The territory of a launch is stated from state_origin_from probability on, and from two sensors;
    else it cannot be told.  It warns nobody and holds no warning back.
    """

    costs: Costs | None = None
    least_hits: Annotated[int, Meta(ge=1)] = 5
    least_hits_of_part: Annotated[int, Meta(ge=1)] = 10
    least_existence: Share = 0.99
    least_ballistic: Share = 0.98
    shelter_probability: Share = 0.02
    sooner_probability: Share = 0.1
    withdraw_probability: Share = 0.004
    precise_m: NotNegative = 1200.0
    reserve_s: NotNegative = 30.0
    hold_s: NotNegative = 0.0
    moved_hold_s: NotNegative = 10.0
    back_s: NotNegative = 4.0
    early_margin_m: NotNegative = 15e3
    group_s: NotNegative = 10.0
    group_shelter_s: NotNegative = 0.0
    most_messages_per_minute: Annotated[int, Meta(ge=1, le=MOST_A_MINUTE)] = 60
    clear_after_s: NotNegative = 75.0
    state_origin_from: Annotated[float, Meta(ge=0.9, le=1.0)] = 0.95

    def __post_init__(self) -> None:
        if self.costs is not None and self.shelter_probability != self.costs.shelter_probability:
            raise ValueError("shelter_probability is not what follows from the costs")

    @property
    def times_as_bad(self) -> float:
        """How many times as bad as being told for nothing it is held to be to be struck unwarned."""
        p = self.shelter_probability
        return (1.0 - p) / p if p > 0.0 else math.inf


def of_costs(policy: Policy, costs: Costs, stated: Collection[str] = ()) -> Policy:
    """The same policy with these costs and the thresholds that follow from them.

    stated: those of sooner_probability and withdraw_probability that were stated: they hold.  One that such
    costs leave no room for gives way as far as it must: nobody is told sooner from less than
    shelter_probability, nor held by more.
    """
    values = _thresholds(costs.shelter_probability)
    if "sooner_probability" in stated:
        values["sooner_probability"] = max(policy.sooner_probability, costs.shelter_probability)
    if "withdraw_probability" in stated:
        values["withdraw_probability"] = min(policy.withdraw_probability, costs.shelter_probability)
    return replace(policy, costs=costs, **values)


def load_policy(values: Mapping[str, Any], source: str, key: str = "policy") -> Policy:
    """The policy of a file's table; BadInput naming source, key, found and wanted.

    key: where the table stands.  Thresholds that it states hold; the others follow from its costs, or from
    its shelter_probability.
    """
    if "costs" in values and "shelter_probability" in values:
        raise BadInput(
            source, f"{key}.shelter_probability", values["shelter_probability"],
            f"this or {key}.costs: it follows from them",
        )  # fmt: skip
    given = dict(values)
    if "costs" in given:
        if not isinstance(given["costs"], dict):
            raise BadInput(source, f"{key}.costs", given["costs"], "a table with missed, needless or both")
        shelter = _convert(given["costs"], Costs, source, f"{key}.costs").shelter_probability
        given = _thresholds(shelter) | given
    elif "shelter_probability" in given:
        stated = _convert({"shelter_probability": given["shelter_probability"]}, Policy, source, key)
        given = _thresholds(stated.shelter_probability) | given
    policy = _convert(given, Policy, source, key)
    shelter = policy.shelter_probability
    if policy.sooner_probability < shelter:
        wanted = f"no less than the {shelter:g} from which on a zone is told at last"
        raise BadInput(source, f"{key}.sooner_probability", policy.sooner_probability, wanted)
    if policy.withdraw_probability > shelter:
        wanted = f"no more than the {shelter:g} from which on a zone is told"
        raise BadInput(source, f"{key}.withdraw_probability", policy.withdraw_probability, wanted)
    return policy


def _thresholds(shelter: float) -> dict[str, float]:
    return {
        "shelter_probability": shelter,
        "sooner_probability": min(1.0, SOONER * shelter),
        "withdraw_probability": WITHDRAW * shelter,
    }


def _convert(values: dict[str, Any], kind: type[T], source: str, key: str) -> T:
    try:
        return convert(values, kind, source)
    except BadInput as error:
        raise BadInput(source, f"{key}.{error.field}", error.found, error.wanted) from None


def describe(policy: Policy) -> list[str]:
    """What a policy does, in words, a line each."""
    p = policy
    together = f", or up to {p.group_shelter_s:g} s later with others of its area"
    return [
        f"{_costs_in_words(p.times_as_bad)}: take shelter from {_percent(p.shelter_probability)} probability "
        "of danger",
        f"an object counts as a threat from {p.least_hits} looks at it on, a part of another from "
        f"{p.least_hits_of_part}; nobody begins to be told to take shelter for it before it is there with "
        f"{100.0 * p.least_existence:.6g} % probability and in free flight with "
        f"{100.0 * p.least_ballistic:.6g} %",
        f"take shelter is told when a zone's time to shelter and {p.reserve_s:g} s are left to the impact; "
        f"sooner from {_percent(p.sooner_probability)}, once further looks at it would move the fall by no "
        f"more than {p.precise_m / 1000:g} km" + (together if p.group_shelter_s > 0.0 else ""),
        f"it stands while danger is {_percent(p.withdraw_probability)} or more, or what it was told for "
        f"falls where it was expected; it is taken back {_after(p.hold_s)} every object that held it broke "
        f"up or was lost, {_after(p.moved_hold_s)} one turned out to fall elsewhere, and not told again for "
        f"these within {p.back_s:g} s",
        f"all clear follows {p.clear_after_s:g} s after the last expected impact, once no known danger is "
        f"{_percent(p.sooner_probability)} or more",
        "early notice goes to zones of which any part is within three sigma and "
        f"{p.early_margin_m / 1000:g} km of a predicted fall",
        f"early notices, and all clears, go at most every {p.group_s:g} s; of all messages at most "
        f"{p.most_messages_per_minute} go in a minute, but nobody who must take shelter now waits for that, "
        "nor does a cancel",
        f"where a launch was is stated from {_percent(p.state_origin_from)} probability and two sensors on",
    ]


def _after(seconds: float) -> str:
    return f"{seconds:g} s after" if seconds > 0.0 else "as soon as"


def _percent(p: float) -> str:
    return f"{100.0 * p:.3g} %"


def _costs_in_words(times: float) -> str:
    if times == math.inf:
        return "a zone told for nothing is held to cost nothing"
    if times == 0.0:
        return "a zone struck unwarned is held to cost nothing"
    if times == 1.0:
        return "a zone struck unwarned is held to be as bad as one told for nothing"
    if times < 1.0:
        return f"a zone told for nothing is held to be {1.0 / times:.4g} times as bad as one struck unwarned"
    return f"a zone struck unwarned is held to be {times:.4g} times as bad as one told for nothing"
