"""The one sentence that an exercise ends with: what joining was worth, from measured figures only.

In: the summary; out: a sentence that says less where less was measured, and says so where joining cost
something.
"""

from __future__ import annotations

from typing import Any

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def sentence(summary: dict[str, Any]) -> str:
    """One sentence on the joint picture against the better partner alone."""
    joint, value = summary["pictures"]["joint"], summary["value_of_joining"]
    zones = joint["zones"]
    gains = []
    saved = value.get("zones_saved")
    possible = zones.get("feasible_any", zones["feasible"])
    if saved is not None and possible:
        count = "as many" if saved == 0 else f"{abs(saved)} {'more' if saved > 0 else 'fewer'}"
        than = "as" if saved == 0 else "than"
        of = f"{zones['warned_in_time']} of {possible}"
        noun = "zones" if saved == 0 else _noun("zone", abs(saved))
        gains.append(f"{count} {noun} warned in time {than} by the better partner alone ({of})")
    gained = value.get("lead_seconds_gained")
    if gained is not None:
        # rounded first, so that a gain of less than half a second is not written "+0 s"
        whole = round(gained)
        gains.append(_lead(whole, value.get("lead_seconds_gained_over") or {}, summary.get("labels") or {}))
    parts = [", ".join(gains)] if gains else []
    parts.append(
        f"{_number(zones['false'])} {_noun('zone', zones['false'])} told to take shelter without need"
    )
    parts += _withdrawn(summary.get("withdrawn") or [])
    parts += _shed(summary.get("load") or {})
    launches = summary["truth"]["launches"]
    if launches:
        parts.append(f"{joint['detected']} of {launches} launches in the joint picture")
    return "Together: " + "; ".join(parts) + "."


def _lead(whole: int, over: dict[str, float | None], labels: dict[str, str]) -> str:
    """Median warning gained over the better partner; where that is nothing or less, also over the other."""
    if whole > 0:
        return f"{_signed(whole)} s median warning"
    most = max(((gain, key) for key, gain in over.items() if gain is not None), default=None)
    if most is None or round(most[0]) <= 0:
        return f"{_signed(whole)} s median warning" if whole else "the same median warning"
    name = labels.get(most[1], most[1])
    rest = f"{-whole:,} s less than" if whole else "the same as"
    return f"{_signed(round(most[0]))} s median warning over {name} and {rest} the better partner's"


def _withdrawn(objects: list[dict[str, Any]]) -> list[str]:
    """What became of the alerts on account of missiles that broke up."""
    out = []
    taken = [o for o in objects if o["alerted"] and o["zones_left"] == 0]
    left = [o for o in objects if o["alerted"] and o["zones_left"] > 0]
    if taken:
        worst = max(o["last_cancel_after_s"] for o in taken)
        alerts = "alert" if len(taken) == 1 else "alerts"
        out.append(f"{_number(len(taken))} {alerts} withdrawn in {worst:.0f} s after a break-up in flight")
    if left:
        alerts = "alert" if len(left) == 1 else "alerts"
        out.append(f"{_number(len(left))} {alerts} not withdrawn after a break-up in flight")
    return out


def _shed(load: dict[str, dict[str, Any]]) -> list[str]:
    """What nodes left out because they could not keep up."""
    out = []
    for partner, shed in load.items():
        waited = f" and let tracks wait for {shed['tracks']:,} looks" if shed["tracks"] else ""
        out.append(f"under load {partner} shed {shed['plots']:,} plots in {shed['limited_s']:.0f} s{waited}")
    return out


def _number(n: int) -> str:
    return NUMBERS[n] if 0 <= n < len(NUMBERS) else f"{n:,}"


def _signed(n: int) -> str:
    return f"+{n:,}" if n > 0 else f"−{-n:,}"


def _noun(noun: str, n: int) -> str:
    return noun if n == 1 else noun + "s"
