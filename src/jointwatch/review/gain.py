"""What joining was worth: one event compared between the pictures, and the comparisons summed up.

In: for an event, when each picture knew of it (or, of a false alarm, raised it, and how long it stood); out:
who knew first, what joining gained over the better partner alone and over each, and sums by kind of event.
Of what truly happened, the better partner is the one who knew sooner; of a false alarm, of those alone who
raised it, the one who ended it sooner.  A joining that lost something says so: negative seconds, "lost".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

SAME_S = 1.0
"""Pictures that knew within less than this of each other knew at the same time: the link alone takes some."""
SAME_STOOD_S = 5.0
"""The same of how long a false alarm stood: each picture foresees the fall that ends it by itself."""
Entry = dict[str, Any]


class Kind(NamedTuple):
    """A kind of event.  since: what its seconds are counted from; false_alarm: better not known at all."""

    label: str
    since: str
    false_alarm: bool = False


KINDS = {
    "first_track": Kind("Launch tracked", "the launch"),
    "launch_report": Kind("Launch reported", "the launch"),
    "shelter_alert": Kind("First alert where a launch struck", "the launch"),
    "zone_struck": Kind("Struck zone told to take shelter", "the strike"),
    "breakup": Kind("Alert left over by a break-up", "the break-up", True),
    "needless_zone": Kind("Zone told without need", "the first picture that told it", True),
    "false_track": Kind("False track", "the first picture that held it", True),
    "false_launch": Kind("False launch told of by a burn", "the first picture that told it", True),
    "aircraft": Kind("Alarm about an aircraft", "its first flight", True),
    "announced_launch": Kind("Alarm about an announced launch", "the launch", True),
}
"""All kinds of events, in the order in which they are told."""


def compared(event: Entry, cuts: Sequence[tuple[float, float]] = ()) -> Entry:
    """An event with who knew first and what joining gained.

    event: `kind`, `time_s` from the exercise's start, and `pictures` by key ("joint" and every partner
    alone), each with `knew_s` (s after the event, None if never) and, of a false alarm, `stood_s` (s, None if
    to the end).  cuts: of the link, from and to (s from the exercise's start).

    Adds `first` (keys of all within `SAME_S` of the first); `outcome` and `gained_s` over the better partner
    alone, `outcome_over` and `gained_over_s` over each; `lost_in_cut`: whether joining lost what somebody
    alone first knew while the link was cut.  Outcomes: "gained", "same", "lost", and "never" where neither
    knew.  Seconds are None where one of the two never knew; a false alarm never raised stood for 0 s.
    """
    pictures = event["pictures"]
    false_alarm = KINDS[event["kind"]].false_alarm
    alone = {key: entry for key, entry in pictures.items() if key != "joint"}
    over = {key: _against(false_alarm, pictures["joint"], entry) for key, entry in alone.items()}
    outcome, gained = _against(false_alarm, pictures["joint"], _better(false_alarm, list(alone.values())))
    knew = {key: entry["knew_s"] for key, entry in pictures.items() if entry["knew_s"] is not None}
    first_s = event["time_s"] + min(knew.values(), default=0.0)
    in_cut = any(since <= first_s < until for since, until in cuts)
    return event | {
        "lost_in_cut": in_cut and outcome == "lost" and not false_alarm,
        "first": [key for key, at in knew.items() if at < min(knew.values()) + SAME_S],
        "outcome": outcome,
        "gained_s": gained,
        "outcome_over": {key: pair[0] for key, pair in over.items()},
        "gained_over_s": {key: pair[1] for key, pair in over.items()},
    }


def by_kind(events: Iterable[Entry]) -> Entry:
    """Events that were compared, summed up by kind, in the order of `KINDS`; kinds without events left out.

    Of each: `label`, `since`, `false_alarm`, `events` and the sums of `_summed`; `over` each partner alone
    the same sums; `lost_in_cut`: how many; `error_m`: for each picture, the median error of what it knew,
    where there is one.
    """
    of: dict[str, list[Entry]] = {kind: [] for kind in KINDS}
    for event in events:
        of[event["kind"]].append(event)
    out: Entry = {}
    for kind, found in of.items():
        if not found:
            continue
        keys = list(found[0]["pictures"])
        out[kind] = KINDS[kind]._asdict() | {"events": len(found)}
        out[kind] |= _summed([(e["outcome"], e["gained_s"]) for e in found])
        out[kind]["lost_in_cut"] = sum(e["lost_in_cut"] for e in found)
        out[kind]["over"] = {
            key: _summed([(e["outcome_over"][key], e["gained_over_s"][key]) for e in found])
            for key in keys
            if key != "joint"
        }
        errors = {
            key: [e["pictures"][key]["error_m"] for e in found if "error_m" in e["pictures"][key]]
            for key in keys
        }
        if any(errors.values()):
            out[kind]["error_m"] = {
                key: float(np.median(known)) if (known := [v for v in values if v is not None]) else None
                for key, values in errors.items()
            }
    return out


def joining_sentence(sums: Mapping[str, Entry], labels: Mapping[str, str]) -> str:
    """What joining gained and lost, over each partner alone and over the better each time, in words.

    labels: of the pictures, by key.  "" where nothing happened.
    """
    true = [s for s in sums.values() if not s["false_alarm"]]
    false = [s for s in sums.values() if s["false_alarm"]]
    parts = []
    if true:
        over = []
        for key in true[0]["over"]:
            each = [s["over"][key] for s in true]
            over.append(
                f"over {labels.get(key, key)} it gained {_total(each, 'gained')} and lost "
                f"{_total(each, 'lost')}"
            )
        parts.append(
            f"Of {_total(true, 'events')} things to know, joining brought some sooner or at all, and some "
            f"later or never: {'; '.join(over)}."
        )
        gained, same, lost, never = (_total(true, key) for key in ("gained", "same", "lost", "never"))
        text = (
            f"Against whoever alone knew each of them first, {gained} came sooner or only together, {same} "
            f"within {SAME_S:.0f} s, and {lost} later or never"
        )
        worst = [f"{s['label'].lower()}, {s['lost']} of {s['events']}{_worst(s)}" for s in true if s["lost"]]
        cut = _total(true, "lost_in_cut")
        worst += [f"{cut} of all these first known while the link was cut"] if cut else []
        later = f" ({'; '.join(worst)})" if worst else ""
        nobody = f"; nobody knew of {never}" if never else ""
        parts.append(f"{text}{later}{nobody}.")
    if false:
        gained, same, lost = (_total(false, key) for key in ("gained", "same", "lost"))
        raised = gained + same + lost
        parts.append(
            f"Of {raised} false alarms and alerts left over, joining avoided or shortened {gained}, and "
            f"{lost} were raised only together or stood longer."
            if raised
            else "No picture raised a false alarm."
        )
    return " ".join(parts)


def _worst(sums: Entry) -> str:
    """How bad it was where joining lost: the most seconds, and how many it never knew."""
    worst = sums["gained_s"]["worst"]
    said = [f"by {-worst:,.0f} s at worst"] if worst is not None and worst <= -SAME_S else []
    said += [f"{sums['only_alone']} never"] if sums["only_alone"] else []
    return f" {' and '.join(said)}"


def _total(sums: Sequence[Entry], key: str) -> int:
    return sum(s[key] for s in sums)


def _summed(pairs: Sequence[tuple[str, float | None]]) -> Entry:
    """Counts of outcomes, and the median and worst of the seconds gained (None where none are known).

    only_together, only_alone: of the gained and of the lost, those that have no seconds because the other
    side never knew (or, of a false alarm, never ended it).
    """
    seconds = [gained for _, gained in pairs if gained is not None]
    outcomes = [outcome for outcome, _ in pairs]
    return {outcome: outcomes.count(outcome) for outcome in ("gained", "same", "lost", "never")} | {
        "only_together": sum(pair == ("gained", None) for pair in pairs),
        "only_alone": sum(pair == ("lost", None) for pair in pairs),
        "gained_s": {
            "median": float(np.median(seconds)) if seconds else None,
            "worst": min(seconds, default=None),
        },
    }


def _better(false_alarm: bool, alone: Sequence[Entry]) -> Entry:
    """What the better partner alone knew; alone: at least one."""
    knew = [entry for entry in alone if entry["knew_s"] is not None]
    if not knew:
        return alone[0]
    return min(knew, key=_stood if false_alarm else lambda entry: float(entry["knew_s"]))


def _against(false_alarm: bool, joint: Entry, other: Entry) -> tuple[str, float | None]:
    """Outcome of joining against one picture, and the seconds gained."""
    ours, theirs = joint["knew_s"], other["knew_s"]
    if ours is None and theirs is None:
        return "never", None
    if not false_alarm and (ours is None or theirs is None):
        return ("lost" if ours is None else "gained"), None
    gained = _stood(other) - _stood(joint) if false_alarm else theirs - ours
    seconds = round(gained, 3) if math.isfinite(gained) else None
    if false_alarm and (ours is None) != (theirs is None):
        return ("gained" if ours is None else "lost"), seconds
    least = SAME_STOOD_S if false_alarm else SAME_S
    if gained >= least:
        return "gained", seconds
    return ("lost" if gained <= -least else "same"), seconds


def _stood(entry: Entry) -> float:
    """How long (s) a false alarm stood in a picture: 0 where it was never raised."""
    if entry["knew_s"] is None:
        return 0.0
    return math.inf if entry["stood_s"] is None else float(entry["stood_s"])
