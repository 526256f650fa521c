"""The partners' joint assessment of how likely fire is: indicators for and against, chances, posture.

An assessment file (TOML) goes in.  It holds dated and graded indicators, each with its direction, whether it
is a partner's own act, and what interest its source has in its being believed; each partner's own
probability; bounds of the posture levels.  Out comes an `Assessment`: the partners' probabilities pooled,
their spread, their track record, and the posture.  Indicators inform the partners' judgement; no probability
is computed from them. Claims that contradict each other are marked on both sides and never averaged.
Grades are the admiralty code's: reliability of the source A-F, credibility of the statement 1-6.
"""

from __future__ import annotations

import itertools
import re
from datetime import date
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from jointwatch.assessment.pooling import brier, pool, spread
from jointwatch.records import Assessed, BadInput, Header
from jointwatch.records.documents import load_toml

Direction = Literal["raises", "lowers"]
Posture = Literal["normal", "watch", "raised"]
POSTURES: tuple[Posture, ...] = ("normal", "watch", "raised")
LAUNCHES_EXPECTED: dict[Posture, float] = {"normal": 1.0, "watch": 2.0, "raised": 4.0}
"""How many times the normal launches a tracker expects from launch grounds at each posture.  It makes a track
of a chain of plots the sooner; no place of origin, class or fall is estimated with it."""
_DAY_NS = 86_400_000_000_000
_GRADE = re.compile(r"[A-F][1-6]")


class Indicator(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sign: what was claimed, when, by whom, and which way it points.

    direction: does it make fire more or less likely.  own_action: a partner's own act, which may raise
    tension.  source_interest: what the source gains if believed.  grade: "B2" and the like (admiralty code).
    conflicts_with: identifiers of claims that cannot be true together with this one.
    """

    id: str
    date: date
    text: str
    direction: Direction
    source: str
    source_interest: str
    grade: str
    own_action: bool = False
    conflicts_with: tuple[str, ...] = ()


class Estimate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One partner's own probability for the question, and the day it was given."""

    partner: str
    date: date
    probability: float


class Resolved(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An earlier question whose answer is known: what each partner had said, and what came."""

    question: str
    probabilities: dict[str, float]
    outcome: bool


class Window(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """The days that the question is about, both included (UTC)."""

    from_: date
    until: date


class Bound(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A level is entered at or above `enter`, and left again only below `leave` (hysteresis)."""

    enter: float
    leave: float


class Bounds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds in pooled probability of the two levels above normal, and the level before this assessment."""

    watch: Bound
    raised: Bound
    previous: Posture = "normal"


class AssessmentFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an assessment file holds.  as_of: the day of the assessment; weights: of partners in the pool."""

    question: str
    as_of: date
    watch_window: Window
    posture: Bounds
    indicators: tuple[Indicator, ...]
    estimates: tuple[Estimate, ...]
    resolved: tuple[Resolved, ...] = ()
    weights: dict[str, float] = {}
    extremise: float = 1.0


class Assessment(Struct, frozen=True, kw_only=True):
    """The joint assessment.

    conflicts: pairs of indicator identifiers that contradict each other.  partners: each partner's latest
    estimate. spread_probability, spread_log_odds: greatest less least.  scores: each partner's mean Brier
    score over the resolved questions (None without any).
    """

    question: str
    as_of: date
    watch_window: Window
    indicators: tuple[Indicator, ...]
    conflicts: tuple[tuple[str, str], ...]
    partners: dict[str, Estimate]
    pooled: float
    spread_probability: float
    spread_log_odds: float
    scores: dict[str, float | None]
    posture: Posture


def assess(path: Path) -> Assessment:
    """The assessment that the file at `path` leads to; BadInput naming the file and the key that is wrong."""
    file = load_toml(path, AssessmentFile)
    source = path.name
    _check(file, source)
    partners: dict[str, Estimate] = {}
    for estimate in sorted(file.estimates, key=lambda e: (e.partner, e.date)):
        partners[estimate.partner] = estimate
    probabilities = [estimate.probability for estimate in partners.values()]
    weights = [file.weights.get(name, 1.0) for name in partners]
    pooled = pool(probabilities, weights, file.extremise)
    spread_probability, spread_log_odds = spread(probabilities)
    return Assessment(
        question=file.question,
        as_of=file.as_of,
        watch_window=file.watch_window,
        indicators=tuple(sorted(file.indicators, key=lambda i: (i.date, i.id))),
        conflicts=conflicts(file.indicators),
        partners=partners,
        pooled=pooled,
        spread_probability=spread_probability,
        spread_log_odds=spread_log_odds,
        scores={name: _score(name, file.resolved) for name in partners},
        posture=posture(pooled, file.as_of, file.watch_window, file.posture),
    )


def conflicts(indicators: tuple[Indicator, ...]) -> tuple[tuple[str, str], ...]:
    """Pairs of indicators that contradict each other, whichever of them says so; in order, each once."""
    pairs = {tuple(sorted((i.id, other))) for i in indicators for other in i.conflicts_with}
    return tuple(sorted((first, second) for first, second in pairs))


def posture(pooled: float, day: date, window: Window, bounds: Bounds) -> Posture:
    """The posture for a pooled probability: normal outside the watch window, else by the bounds.

    From the previous level it climbs while the next level's `enter` is reached, and falls while the pooled
    probability is below its own level's `leave`; between the two it stays, so that small changes do not make
    it flap.
    """
    if not window.from_ <= day <= window.until:
        return "normal"
    level = POSTURES.index(bounds.previous)
    levels = (None, bounds.watch, bounds.raised)
    while level < 2 and (above := levels[level + 1]) is not None and pooled >= above.enter:
        level += 1
    while (own := levels[level]) is not None and pooled < own.leave:
        level -= 1
    return POSTURES[level]


def as_input(assessment: Assessment, header: Header) -> Assessed:
    """What a node is told of an assessment: the posture, and the watch window from midnight to midnight."""
    window = assessment.watch_window
    return Assessed(
        header=header,
        posture=assessment.posture,
        from_ns=_midnight_ns(window.from_),
        to_ns=_midnight_ns(window.until) + _DAY_NS,
    )


def _midnight_ns(day: date) -> int:
    """Its beginning, ns UTC."""
    return (day.toordinal() - date(1970, 1, 1).toordinal()) * _DAY_NS


def assessment_view(assessment: Assessment) -> dict[str, Any]:
    """The assessment as plain values for the report: text, numbers and lists only.

    An indicator's `conflicts_with` holds the words of the claims that contradict it.
    """
    said = {indicator.id: indicator.text for indicator in assessment.indicators}
    against: dict[str, list[str]] = {name: [] for name in said}
    for first, second in assessment.conflicts:
        against[first].append(said[second])
        against[second].append(said[first])
    window = assessment.watch_window
    return {
        "question": assessment.question,
        "as_of": assessment.as_of.isoformat(),
        "indicators": [
            {
                "id": i.id,
                "date": i.date.isoformat(),
                "text": i.text,
                "direction": i.direction,
                "grade": i.grade,
                "source": i.source,
                "source_interest": i.source_interest,
                "own_action": i.own_action,
                "conflicts_with": against[i.id],
            }
            for i in assessment.indicators
        ],
        "partners": {name: estimate.probability for name, estimate in assessment.partners.items()},
        "estimated_on": {name: estimate.date.isoformat() for name, estimate in assessment.partners.items()},
        "scores": assessment.scores,
        "pooled": assessment.pooled,
        "spread": assessment.spread_probability,
        "spread_log_odds": assessment.spread_log_odds,
        "posture": assessment.posture,
        "watch_window": [window.from_.isoformat(), window.until.isoformat()],
    }


def _score(partner: str, resolved: tuple[Resolved, ...]) -> float | None:
    scores = [brier(r.probabilities[partner], r.outcome) for r in resolved if partner in r.probabilities]
    return sum(scores) / len(scores) if scores else None


def _check(file: AssessmentFile, source: str) -> None:
    """BadInput for what types alone do not show."""
    window = file.watch_window
    if window.until < window.from_:
        raise BadInput(source, "watch_window.until", window.until.isoformat(), "a day not before `from`")
    for key, bound in (("watch", file.posture.watch), ("raised", file.posture.raised)):
        if not 0.0 < bound.leave <= bound.enter < 1.0:
            found = f"enter {bound.enter}, leave {bound.leave}"
            raise BadInput(source, f"posture.{key}", found, "0 < leave <= enter < 1")
    watch, raised = file.posture.watch, file.posture.raised
    if not (watch.enter < raised.enter and watch.leave < raised.leave):
        raise BadInput(source, "posture.raised", f"enter {raised.enter}", "bounds above those of watch")
    if not file.indicators:
        raise BadInput(source, "indicators", "none", "at least one")
    known = {indicator.id for indicator in file.indicators}
    for n, indicator in enumerate(file.indicators):
        place = f"indicators[{n}]"
        if sum(other.id == indicator.id for other in file.indicators) > 1:
            raise BadInput(source, f"{place}.id", indicator.id, "an identifier used once")
        if not _GRADE.fullmatch(indicator.grade):
            wanted = "a reliability A-F and a credibility 1-6, such as B2"
            raise BadInput(source, f"{place}.grade", indicator.grade, wanted)
        if indicator.date > file.as_of:
            raise BadInput(source, f"{place}.date", indicator.date.isoformat(), f"not after {file.as_of}")
        for other in indicator.conflicts_with:
            if other not in known or other == indicator.id:
                raise BadInput(source, f"{place}.conflicts_with", other, "another indicator's id")
        for key, text in (("text", indicator.text), ("source_interest", indicator.source_interest)):
            if not text.strip():
                raise BadInput(source, f"{place}.{key}", "nothing", "words")
    _check_estimates(file, source)


def _check_estimates(file: AssessmentFile, source: str) -> None:
    """BadInput for estimates, weights and resolved questions that do not fit together."""
    if not file.estimates:
        raise BadInput(source, "estimates", "none", "at least one partner's probability")
    partners = {estimate.partner for estimate in file.estimates}
    for n, estimate in enumerate(file.estimates):
        place = f"estimates[{n}]"
        if not 0.0 < estimate.probability < 1.0:
            raise BadInput(source, f"{place}.probability", estimate.probability, "above 0 and below 1")
        if estimate.date > file.as_of:
            raise BadInput(source, f"{place}.date", estimate.date.isoformat(), f"not after {file.as_of}")
    for a, b in itertools.combinations(file.estimates, 2):
        if (a.partner, a.date) == (b.partner, b.date):
            raise BadInput(source, "estimates", f"two of {a.partner} on {a.date}", "at most one a day")
    for name, weight in file.weights.items():
        if name not in partners:
            raise BadInput(source, f"weights.{name}", name, "a partner with an estimate")
        if not 0.0 <= weight < float("inf"):
            raise BadInput(source, f"weights.{name}", weight, "a number not below 0")
    if not any(file.weights.get(name, 1.0) > 0.0 for name in partners):
        raise BadInput(source, "weights", "all 0", "at least one above 0")
    if not 0.0 < file.extremise < float("inf"):
        raise BadInput(source, "extremise", file.extremise, "a factor above 0")
    for n, question in enumerate(file.resolved):
        for name, probability in question.probabilities.items():
            place = f"resolved[{n}].probabilities.{name}"
            if name not in partners:
                raise BadInput(source, place, name, "a partner with an estimate")
            if not 0.0 <= probability <= 1.0:
                raise BadInput(source, place, probability, "from 0 to 1")
