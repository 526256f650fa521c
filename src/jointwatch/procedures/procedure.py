"""Procedures as data: who is told what, by which channel, within how many seconds, and what was done of it.

A procedure file (TOML) and a time-ordered list of events go in; one outcome a step comes out: how often it
was due, done in time, done late, done too early, never done, and the worst delay.  A step is due once for
each subject (a track number, an alert series, the name of a cut) of its trigger event, and done by the first
event of its `done` kind with the same subject by those whom `done_by` names.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from msgspec import Struct

from jointwatch.records import BadInput
from jointwatch.records.documents import load_toml

EventKind = Literal[
    "track_confirmed",
    "track_received",
    "launch_reported",
    "danger_shown",
    "alert_issued",
    "alert_confirmed",
    "danger_gone",
    "alert_cancelled",
    "last_impact",
    "all_clear",
    "link_cut",
    "link_healed",
]
"""What a node can tell of: see `docs/glossary.md` for the words."""
EVENT_KINDS: tuple[str, ...] = get_args(EventKind)

DoneBy = Literal["same", "other", "each", "any"]
"""Whose event completes a step: of the partner of the trigger, of another one, of every partner, of any."""


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened: when (ns UTC), what, to which subject, at which partner."""

    time_ns: int
    kind: EventKind
    subject: str
    partner: str


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step: after `trigger`, `who` tells `told` by `channel`; `done` within `within_s` seconds.

    not_before_s: done sooner than this is wrong too (an all clear must not come early).
    confirmed_by: whose confirmation makes it count, in words.
    """

    name: str
    trigger: EventKind
    done: EventKind
    done_by: DoneBy
    who: str
    told: str
    channel: str
    within_s: float
    confirmed_by: str
    not_before_s: float = 0.0


class Procedure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A procedure: its name, the partners who follow it and its steps in order."""

    name: str
    partners: tuple[str, ...]
    steps: tuple[Step, ...]


class StepOutcome(Struct, frozen=True, kw_only=True):
    """What became of one step: how often it was due, and of these done in time, late, early, never.

    pending: still within its deadline when the record ends.  worst_s: greatest delay of what was done (s),
    None if nothing was.  worst_due_ns, worst_done_ns: deadline and doing of the worst case, which is one
    never done if there is one (then worst_done_ns is None).
    """

    step: Step
    due: int
    done: int
    late: int
    early: int
    never: int
    pending: int
    worst_s: float | None
    worst_subject: str
    worst_due_ns: int | None
    worst_done_ns: int | None

    @property
    def ok(self) -> bool | None:
        """Every due case done in time?  None if the step was never due."""
        return None if self.due == 0 else self.late == self.early == self.never == 0


def load_procedure(path: Path) -> Procedure:
    """The procedure in the TOML file at `path`; BadInput naming the file and the key that is wrong."""
    source = path.name
    procedure = load_toml(path, Procedure)
    if not procedure.steps:
        raise BadInput(source, "steps", "none", "at least one step")
    if not procedure.partners or len(set(procedure.partners)) < len(procedure.partners):
        raise BadInput(source, "partners", list(procedure.partners), "partners' names, each once")
    for n, step in enumerate(procedure.steps):
        place = f"steps[{n}]"
        for key in ("name", "who", "told", "channel", "confirmed_by"):
            if not getattr(step, key).strip():
                raise BadInput(source, f"{place}.{key}", "nothing", "words")
        if sum(other.name == step.name for other in procedure.steps) > 1:
            raise BadInput(source, f"{place}.name", step.name, "a name used once")
        if step.trigger == step.done:
            raise BadInput(source, f"{place}.done", step.done, "another event than the trigger")
        if not 0.0 < step.within_s < float("inf"):
            raise BadInput(source, f"{place}.within_s", step.within_s, "seconds above 0")
        if not 0.0 <= step.not_before_s < step.within_s:
            raise BadInput(source, f"{place}.not_before_s", step.not_before_s, "seconds from 0 to within_s")
    return procedure


def follow(procedure: Procedure, events: Sequence[Event], until_ns: int | None = None) -> list[StepOutcome]:
    """What became of each step, in the procedure's order.

    events: ordered by time, of the procedure's partners (BadInput if they are not).
    until_ns: where the record ends; a case not done whose deadline lies after it is pending instead of never
    done.  None counts every such case as never done.
    A case done before it was due (word came by another way) is in time, unless the step has a not_before_s.
    """
    for before, after in itertools.pairwise(events):
        if after.time_ns < before.time_ns:
            raise BadInput("procedure", "events", after.time_ns, "events in order of time")
    for event in events:
        if event.partner not in procedure.partners:
            raise BadInput("procedure", "partner", event.partner, f"one of {', '.join(procedure.partners)}")
    return [_follow_step(step, procedure.partners, events, until_ns) for step in procedure.steps]


def procedure_view(outcomes: Sequence[StepOutcome], start_ns: int) -> list[dict[str, Any]]:
    """The outcomes as plain values for the report; due_s, done_s: of the worst case, s after start_ns."""

    def after_start_s(time_ns: int | None) -> float | None:
        return None if time_ns is None else (time_ns - start_ns) / 1e9

    return [
        {
            "step": outcome.step.name,
            "who": outcome.step.who,
            "told": outcome.step.told,
            "channel": outcome.step.channel,
            "confirmed_by": outcome.step.confirmed_by,
            "within_s": outcome.step.within_s,
            "due": outcome.due,
            "done": outcome.done,
            "late": outcome.late,
            "early": outcome.early,
            "never": outcome.never,
            "pending": outcome.pending,
            "worst_s": outcome.worst_s,
            "worst_subject": outcome.worst_subject,
            "due_s": after_start_s(outcome.worst_due_ns),
            "done_s": after_start_s(outcome.worst_done_ns),
            "ok": outcome.ok,
        }
        for outcome in outcomes
    ]


def _follow_step(
    step: Step, partners: Sequence[str], events: Sequence[Event], until_ns: int | None
) -> StepOutcome:
    """One step over all its cases."""
    firsts: dict[tuple[str, str], int] = {}  # (subject, partner) -> first time of the step's `done` event
    cases: dict[tuple[str, str], int] = {}  # (subject, partner) -> when it was first due
    for event in events:
        if event.kind == step.done:
            firsts.setdefault((event.subject, event.partner), event.time_ns)
        elif event.kind == step.trigger:
            # what every partner (or any) must do is one case, whoever of them had the trigger first
            partner = event.partner if step.done_by in ("same", "other") else ""
            cases.setdefault((event.subject, partner), event.time_ns)

    within_ns, not_before_ns = round(step.within_s * 1e9), round(step.not_before_s * 1e9)
    counts = {"done": 0, "late": 0, "early": 0, "never": 0, "pending": 0}
    worst_s: float | None = None
    worst: tuple[int, str, int, int | None] | None = None  # badness, subject, deadline, done
    for (subject, partner), due_ns in cases.items():
        done_ns = _done(step, subject, partner, partners, firsts)
        deadline_ns = due_ns + within_ns
        if done_ns is None:
            open_still = until_ns is not None and deadline_ns > until_ns
            counts["pending" if open_still else "never"] += 1
            badness = -1 if open_still else 1 << 62
        else:
            delay_ns = max(done_ns - due_ns, 0)
            if not_before_ns and done_ns - due_ns < not_before_ns:
                counts["early"] += 1
            elif delay_ns > within_ns:
                counts["late"] += 1
            else:
                counts["done"] += 1
            worst_s = max(worst_s or 0.0, delay_ns / 1e9)
            badness = delay_ns
        if worst is None or badness > worst[0]:
            worst = badness, subject, deadline_ns, done_ns
    return StepOutcome(
        step=step,
        due=len(cases),
        worst_s=worst_s,
        worst_subject=worst[1] if worst else "",
        worst_due_ns=worst[2] if worst else None,
        worst_done_ns=worst[3] if worst else None,
        **counts,
    )


def _done(
    step: Step, subject: str, partner: str, partners: Sequence[str], firsts: dict[tuple[str, str], int]
) -> int | None:
    """When a case was done, by the rule of `done_by`; None if it never was."""
    if step.done_by == "same":
        return firsts.get((subject, partner))
    times = [firsts.get((subject, other)) for other in partners if other != partner]
    known = [time_ns for time_ns in times if time_ns is not None]
    if step.done_by == "each":
        return max(known) if len(known) == len(times) else None
    return min(known, default=None)
