"""One case of the simulator, drawn from its seed: who is there, who is linked to whom, and what goes wrong.

In: a seed; out: a `Case`, all of it data, so that it can be read before it is played.
"""

from __future__ import annotations

import hashlib
from itertools import pairwise
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from jointwatch.exercise.simulator import sky
from jointwatch.exercise.simulator.disk import FUSES, Fuse
from jointwatch.exercise.simulator.link import Quality
from jointwatch.exercise.simulator.sky import Flown, S, aircraft, missile, radar
from jointwatch.joint.gatekeeper import Correspondent
from jointwatch.joint.sharing import SharingRule
from jointwatch.joint.signing import Signer
from jointwatch.node.config import NodeConfig
from jointwatch.records import KINDS, Kind, Sensor, Zone
from jointwatch.warning.policy import Policy

NAMES = ("Amber", "Blue", "Coral", "Dune")
START_NS = 1_767_650_400 * S
LONG_CUTS = 0.05
"""In so many cases a link is cut for a minute or more; longer would cost more than it finds."""
SETTLE_S = 9.0
"""So long the links are well and nothing crashes before all is compared."""


class Fault(Struct, frozen=True):
    """What happens to one node: it crashes and starts again later, or its clock is set."""

    time_ns: int
    partner: str
    fuse: Fuse = ""
    restart_ns: int = 0
    clock_ns: int | None = None


class Case(Struct, frozen=True, kw_only=True):
    """One case.  rogue: the partner that lies, "" if none does.  clocks: offset (ns) and drift of each.
    struck: when a missile comes down on a zone, by its key."""

    seed: int
    configs: dict[str, NodeConfig]
    links: tuple[tuple[str, str], ...]
    qualities: dict[tuple[str, str], Quality]
    flown: list[Flown]
    faults: tuple[Fault, ...]
    clocks: dict[str, tuple[int, float]]
    rogue: str
    struck: dict[str, int]
    snapshot_steps: dict[str, int]
    sensing_ns: int
    healed_ns: int
    end_ns: int

    @property
    def honest(self) -> tuple[str, ...]:
        """Partners with a node, in order."""
        return tuple(self.configs)

    def neighbours(self, partner: str) -> tuple[str, ...]:
        """Whom a partner has a link to."""
        return tuple(b if a == partner else a for a, b in self.links if partner in (a, b))


def key_of(partner: str) -> Signer:
    """The key that a partner signs with in the simulator: no secret."""
    return Signer(hashlib.sha256(f"simulator's {partner}, not a secret".encode()).digest())


def draw_case(seed: int) -> Case:
    """The case of a seed."""
    rng = Random(f"case {seed}")
    names = list(NAMES[: 3 if rng.random() < 0.15 else 2])
    links = list(pairwise(names))
    if len(names) == 3 and rng.random() < 0.5:
        links.append((names[0], names[2]))
    rogue = ""
    if rng.random() < 0.25:
        rogue = NAMES[len(names)]
        links += [(name, rogue) for name in names if rng.random() < 0.7 or name == names[0]]
    sensing_ns = START_NS + round(rng.uniform(15.0, 28.0) * S)
    healed_ns = sensing_ns + round(rng.uniform(-7.0, 3.0) * S)
    # drawn apart: now and then a link is cut for long
    apart = Random(f"long cut {seed}")
    long_ns = round(apart.uniform(40.0, 90.0) * S) if apart.random() < LONG_CUTS else 0
    missiles = [missile(rng, START_NS) for _ in range(rng.choice((1, 1, 1, 1, 2, 2, 3, 4)))]
    flown = [m.flown for m in missiles]
    if rng.random() < 0.3:
        flown.append(aircraft(rng, START_NS))
    return Case(
        seed=seed,
        configs=_configs(rng, names, rogue, missiles),
        links=tuple(links),
        qualities=_cut_long(_qualities(rng, links, healed_ns), healed_ns + long_ns)
        if long_ns
        else _qualities(rng, links, healed_ns),
        flown=flown,
        faults=_faults(rng, names, healed_ns),
        clocks={
            name: (round(rng.uniform(-1.0, 1.0) * S), rng.uniform(-1e-4, 1e-4)) for name in (*names, rogue)
        },
        rogue=rogue,
        struck={f"{name.lower()}-zone-{n}": m.flown.end_ns for name in names for n, m in enumerate(missiles)},
        snapshot_steps={name: rng.choice((10**9, 10**9, 20, 45)) for name in names},
        sensing_ns=sensing_ns,
        healed_ns=healed_ns + long_ns,
        end_ns=max(sensing_ns, healed_ns + long_ns) + round(SETTLE_S * S),
    )


def _configs(rng: Random, names: list[str], rogue: str, missiles: list[sky.Missile]) -> dict[str, NodeConfig]:
    sensors: dict[str, list[Sensor]] = {
        name: [radar(rng, name, f"{name.lower()}-{k}") for k in range(rng.choice((1, 1, 1, 2)))]
        for name in names
    }
    zones: dict[str, list[Zone]] = {name: [] for name in names}
    for n, one in enumerate(missiles):
        for name in names if rng.random() < 0.3 else [rng.choice(names)]:
            zones[name].append(_zone(rng, name, n, one.latitude_deg, one.longitude_deg))
    for name in names:
        if not zones[name] or rng.random() < 0.3:
            place = sky.MIDDLE_DEG[0] + rng.uniform(-1.0, 1.0), sky.MIDDLE_DEG[1] + rng.uniform(-1.0, 1.0)
            zones[name].append(_zone(rng, name, 9, *place))
    rules = {name: _rules(rng, name, [n for n in names if n != name]) for name in names}
    everybody = [*names, rogue] if rogue else names
    configs = {}
    for name in names:
        others = [other for other in everybody if other != name]
        configs[name] = NodeConfig(
            partner=name,
            name=f"case-{name.lower()}",
            sensors=tuple(sensors[name]),
            zones=tuple(zones[name]),
            policy=Policy(),
            territories={},
            sharing=rules[name],
            correspondents=tuple(
                Correspondent(
                    name=other,
                    public_key=key_of(other).public.hex(),
                    sensors=()
                    if other == rogue or any(r.pseudonyms for r in rules[other])
                    else tuple(s.name for s in sensors[other]),
                )
                for other in others
            ),
            partner_sensors=tuple(s for other in names if other != name for s in sensors[other]),
            capacity=128,
        )
    return configs


def _zone(rng: Random, partner: str, n: int, latitude_deg: float, longitude_deg: float) -> Zone:
    return Zone(
        key=f"{partner.lower()}-zone-{n}",
        name=f"Zone {n}",
        partner=partner,
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        shelter_s=rng.choice((10.0, 15.0, 30.0)),
        radius_m=rng.uniform(800.0, 3000.0),
    )


def _rules(rng: Random, partner: str, others: list[str]) -> tuple[SharingRule, ...]:
    """What a partner shares, in whatever way: by kind, some of it coarsened or withheld."""
    rules: list[SharingRule] = []
    for kind in KINDS:
        chance = rng.random()
        if kind == "plots":
            if chance < 0.15:
                rules.append(SharingRule(name="plots", kind=kind, release="as is"))
            continue
        if kind == "tracks":
            rules += _track_rules(rng, partner, others)
            continue
        if chance < 0.75:
            rules.append(SharingRule(name=f"all {kind}", kind=kind, release="as is"))
        elif chance < 0.9:
            delay_s = rng.uniform(0.5, 6.0)
            rules.append(SharingRule(name=f"late {kind}", kind=kind, release="coarsened", delay_s=delay_s))
    return tuple(rules)


def _track_rules(rng: Random, partner: str, others: list[str]) -> list[SharingRule]:
    kind: Kind = "tracks"
    rules = []
    if rng.random() < 0.2:
        rules.append(SharingRule(name="no aircraft", kind=kind, release="withheld", classes=("cruise",)))
    if len(others) > 1 and rng.random() < 0.2:
        rules.append(SharingRule(name="not him", kind=kind, release="withheld", to=(rng.choice(others),)))
    chance = rng.random()
    if chance < 0.55:
        rules.append(SharingRule(name="all tracks", kind=kind, release="as is"))
    elif chance < 0.7:
        rules.append(
            SharingRule(
                name="hidden", kind=kind, release="coarsened", pseudonyms=True, key=f"{partner}'s pseudonyms"
            )
        )
    elif chance < 0.85:
        rules.append(SharingRule(name="late", kind=kind, release="coarsened", delay_s=rng.uniform(0.5, 8.0)))
    else:
        rules.append(
            SharingRule(
                name="rounded", kind=kind, release="coarsened", round_m=rng.choice((200.0, 1000.0)),
                round_ms=rng.choice((0.0, 10.0)),
            )
        )  # fmt: skip
    return rules


def _qualities(rng: Random, links: list[tuple[str, str]], healed_ns: int) -> dict[tuple[str, str], Quality]:
    """How bad each direction is; a cut may be of one direction or of both."""
    out = {}
    for a, b in links:
        both = _cuts(rng, healed_ns)
        for way in ((a, b), (b, a)):
            bad = rng.random() < 0.7
            out[way] = Quality(
                delay_ms=rng.choice((5.0, 50.0, 400.0)),
                jitter_ms=rng.choice((0.0, 100.0, 1500.0)) if bad else 0.0,
                lost=rng.choice((0.0, 0.1, 0.4)) if bad else 0.0,
                doubled=rng.choice((0.0, 0.1, 0.3)) if bad else 0.0,
                corrupted=rng.choice((0.0, 0.05, 0.15)) if bad else 0.0,
                cut_short=rng.choice((0.0, 0.05)) if bad else 0.0,
                cuts=both if rng.random() < 0.7 else _cuts(rng, healed_ns),
            )
    return out


def _cut_long(qualities: dict[tuple[str, str], Quality], healed_ns: int) -> dict[tuple[str, str], Quality]:
    """The same with the first link cut both ways from soon after the start until all is healed."""
    first = next(iter(qualities))
    cut = (START_NS + 10 * S, healed_ns)
    return {
        way: replace(quality, cuts=(*quality.cuts, cut)) if set(way) == set(first) else quality
        for way, quality in qualities.items()
    }


def _cuts(rng: Random, healed_ns: int) -> tuple[tuple[int, int], ...]:
    out = []
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        begin_ns = START_NS + round(rng.random() * (healed_ns - START_NS))
        length_s = rng.choice((rng.uniform(1.0, 6.0), rng.uniform(5.0, 30.0), 300.0))
        out.append((begin_ns, min(begin_ns + round(length_s * S), healed_ns)))
    return tuple(out)


def _faults(rng: Random, names: list[str], healed_ns: int) -> tuple[Fault, ...]:
    out = []
    for name in names:
        for _ in range(rng.choice((0, 0, 1, 1, 1, 2, 3))):
            time_ns = START_NS + round(rng.uniform(1.0, (healed_ns - START_NS) / S - 1.0) * S)
            down_s = rng.choice((rng.uniform(0.2, 2.0), rng.uniform(2.0, 12.0)))
            restart_ns = min(time_ns + round(down_s * S), healed_ns)
            out.append(Fault(time_ns, name, rng.choice(FUSES), restart_ns))
        for _ in range(rng.choice((0, 0, 0, 1, 2))):
            time_ns = START_NS + round(rng.random() * (healed_ns - START_NS))
            out.append(Fault(time_ns, name, clock_ns=round(rng.uniform(-2.2, 2.2) * S)))
    return tuple(sorted(out, key=lambda f: (f.time_ns, f.partner)))
