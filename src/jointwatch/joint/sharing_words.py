"""What a set of sharing rules will release, in words that need no manual.

In: a partner's rules and the partners; out: one sentence for each kind and each partner, or each group of
partners that are treated alike, with what stays because no rule lets it go.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from jointwatch.joint.coarsening import FLOOR_M
from jointwatch.joint.sharing import SENSOR_KINDS, SharingRule
from jointwatch.records import KINDS, PHASES, Kind

NAMES: dict[Kind, str] = {
    "plots": "plots",
    "tracks": "tracks",
    "launch_areas": "launch areas",
    "impacts": "predicted impacts",
    "alerts": "alerts",
    "health": "reports on the health of sensors",
    "announced": "announced launches",
}
"""Kinds as people say them."""
_NAMING = ("plots", "tracks", "health")
"""Kinds that name the sensors behind them."""


def describe(rules: Sequence[SharingRule], partner: str, partners: Collection[str]) -> list[str]:
    """What a partner's rules release to the others, and what they keep: a sentence a kind, in words."""
    lines: list[str] = []
    others = sorted(name for name in partners if name != partner)
    for kind in KINDS:
        alike: dict[tuple[int, ...], list[str]] = {}
        for to in others:
            holding = (i for i, r in enumerate(rules) if r.is_for(kind, to))
            alike.setdefault(tuple(holding), []).append(to)
        for places, group in alike.items():
            lines.append(_sentence(kind, [rules[i] for i in places], group))
    return lines


def _sentence(kind: Kind, rules: Sequence[SharingRule], group: Sequence[str]) -> str:
    who = f"{_listed(group, 'and')} {'gets' if len(group) == 1 else 'get'}"
    if not rules:
        return f"{who} no {NAMES[kind]}: no rule releases them"
    parts = [_rule(rule, first=i == 0) for i, rule in enumerate(rules)]
    if not _takes_all(rules):
        parts.append("no others: no rule releases them")
    return f"{who} {'; '.join(parts)}"


def _rule(rule: SharingRule, first: bool) -> str:
    """What one rule does; later rules speak of what is left by those before."""
    what = NAMES[rule.kind] if first else "those" if _which(rule) else "all"
    lead = "" if first else "of the others "
    no = "" if rule.releases else "no " if first else "not "
    how = f" {_how(rule)}" if rule.releases else ""
    if rule.releases and rule.kind == "plots" and (rule.area is not None or rule.territories or rule.classes):
        # whoever promises them should know
        how += ", as parts of looks, which no tracker takes yet"
    return f"{lead}{no}{what}{_which(rule)}{how} (rule {rule.title})"


def _which(rule: SharingRule) -> str:
    """Of what and where, in words; nothing for all."""
    words = ""
    if rule.sensors and set(rule.sensors) != set(SENSOR_KINDS):
        words += " of radars" if rule.sensors[0] == "radar" else " of infrared sensors"
    if rule.classes:
        of = [f"in {w}" if w in PHASES else f"of class {w.replace('_', ' ')}" for w in rule.classes]
        words += f" {_listed(of, 'or')}"
    if rule.area is not None:
        a = rule.area
        north = f"{abs(a.latitude_deg):g}° {'N' if a.latitude_deg >= 0.0 else 'S'}"
        east = f"{abs(a.longitude_deg):g}° {'E' if a.longitude_deg >= 0.0 else 'W'}"
        words += f" within {a.radius_km:g} km of {north} {east}"
    if rule.territories:
        words += f" over {_listed(rule.territories, 'or')}"
    return words


def _how(rule: SharingRule) -> str:
    """In what form they leave."""
    if rule.release == "as is":
        floor = f", places to {FLOOR_M / 1e3:g} km" if rule.kind == "launch_areas" else ""
        return "as they are" + floor + (", with the names of the sensors" if rule.kind in _NAMING else "")
    changed = []
    if rule.round_m > 0.0:
        least_m = FLOOR_M if rule.kind == "launch_areas" else 0.0
        changed.append(f"places rounded to {max(rule.round_m, least_m):g} m")
        if rule.kind == "launch_areas":
            changed += ["azimuths as coarse", "no probability of a territory"]
    if rule.round_ms > 0.0:
        changed.append(f"velocities rounded to {rule.round_ms:g} m/s")
    if rule.pseudonyms:
        changed.append("the sensors under pseudonyms")
    ways = [f"with {_listed(changed, 'and')}"] if changed else []
    if rule.delay_s > 0.0:
        ways.append(f"{rule.delay_s:g} s late")
    if rule.exact:
        ways.append("else as they are")
    if rule.kind in _NAMING and not rule.pseudonyms:
        ways.append("with the names of the sensors")
    return ", ".join(ways)


def _takes_all(rules: Sequence[SharingRule]) -> bool:
    """Whether something decides on every item of the kind."""
    anywhere = [rule for rule in rules if rule.anywhere]
    free = [rule for rule in anywhere if not rule.classes]
    if all(any(not rule.sensors or sensor in rule.sensors for rule in free) for sensor in SENSOR_KINDS):
        return True
    named = {word for rule in anywhere for word in rule.classes}
    return rules[0].kind == "tracks" and named >= set(PHASES)


def _listed(words: Sequence[str], last: str) -> str:
    """ "a", "a and b", "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
