"""The nodes of an exercise: what each partner's two are configured with, and the key that one signs with.

In: a scenario; out: a `NodeConfig` for each partner's linked node and for its shadow, or BadInput with what
of the scenario they cannot start with.  A shadow has the same sensors, everybody's zones, and no
correspondents.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from jointwatch.assessment import LAUNCHES_EXPECTED, assess
from jointwatch.earth.places import load_territories
from jointwatch.exercise.policies import load_policies
from jointwatch.exercise.scenario import Scenario
from jointwatch.joint.coarsening import named
from jointwatch.joint.gatekeeper import Correspondent
from jointwatch.joint.sharing import SharingRule, load_rules
from jointwatch.joint.signing import Signer
from jointwatch.launch.classes import CLASSES
from jointwatch.node.config import NodeConfig
from jointwatch.records import Announcement, BadInput, Satellite


def slug(name: str) -> str:
    """A name in lower case, without what a file's name or a CAP identifier cannot hold."""
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in name.lower())


def node_configs(scenario: Scenario) -> dict[str, NodeConfig]:
    """Configurations of all nodes by key: for each partner a linked node and a shadow ("Amber alone")."""
    configs = {}
    territories = {t.name: tuple(t.countries) for t in scenario.territories}
    disputed = tuple(t.name for t in scenario.territories if t.disputed)
    load_territories(territories, scenario.path, disputed)  # a wrong one is refused with the file's name
    policies = load_policies(scenario)
    names = [p.name for p in scenario.partners]
    zones = {name: scenario.zones(name) for name in names}
    languages = {p.name: p.languages for p in scenario.partners}
    for unknown in sorted(set(scenario.sharing) - set(names)):
        raise BadInput(scenario.path, f"sharing.{unknown}", unknown, f"one of {', '.join(names)}")
    announced = tuple(
        Announcement(
            name=a.name,
            object_class=a.object_class,
            from_ns=scenario.start_ns + round(a.window_from_s * 1e9),
            to_ns=scenario.start_ns + round(a.window_to_s * 1e9),
            latitude_rad=math.radians(a.area.latitude_deg),
            longitude_rad=math.radians(a.area.longitude_deg),
            radius_m=a.area.radius_m,
            azimuth_rad=math.radians(a.azimuth_deg),
            tolerance_rad=math.radians(a.tolerance_deg),
        )
        for a in scenario.announced
    )
    slugs = [slug(name) for name in names]
    for i, name in enumerate(names):
        if slugs[i] in slugs[:i]:
            raise BadInput(
                scenario.path, f"partners[{i}].name", name, "a name that files can be told apart by"
            )
    class_names = (*(c.name for c in CLASSES), "space_launch")
    exercise = slug(scenario.scenario.name)
    grounds = tuple(g.record() for g in scenario.tracking.launch_grounds)
    posture = assess(scenario.file(scenario.assessment)).posture if scenario.assessment else "normal"
    # by another name, or from another folder, the same scenario is the same play
    played = hashlib.sha256(msgspec.json.encode(replace(scenario, path=""), order="deterministic"))
    every_sensor = scenario.sensor_records()
    satellites = scenario.satellite_records()
    names_of = [(s.partner, s.name) for s in every_sensor] + [(s.partner, s.name) for s in satellites]
    owned = {name: tuple(sensor for partner, sensor in names_of if partner == name) for name in names}
    sharing = {
        name: load_rules(
            scenario.sharing.get(name, []), scenario.path, name, names, tuple(territories), class_names
        )
        for name in names
    }
    hides_names = {name: any(rule.pseudonyms for rule in rules) for name, rules in sharing.items()}
    sites = {p.name: tuple(site.name for site in p.sites) for p in scenario.partners}
    for name in names:
        sensors = tuple(s for s in every_sensor if s.partner == name)
        rules = sharing[name]
        alone = NodeConfig(
            partner=name,
            name=f"{exercise}-{slug(name)}-alone",
            sensors=sensors,
            zones=tuple(z for other in names for z in zones[other]),
            policy=policies[name],
            satellites=tuple(s for s in satellites if s.partner == name),
            territories=territories,
            disputed=disputed,
            announced=announced,
            grounds=grounds,
            boost=LAUNCHES_EXPECTED[posture],
            false_tracks_per_day=scenario.tracking.false_tracks_per_day,
            languages=languages[name],
        )
        configs[name] = replace(
            alone,
            name=f"{exercise}-{slug(name)}",
            zones=zones[name],
            sharing=rules,
            correspondents=tuple(
                Correspondent(
                    name=other,
                    public_key=exercise_key(scenario, other).public.hex(),
                    sensors=() if hides_names[other] else owned[other],
                )
                for other in names
                if other != name
            ),
            partner_sensors=tuple(s for s in every_sensor if s.partner != name),
            partner_satellites=tuple(
                _as_told(s, sharing[s.partner], name) for s in satellites if s.partner != name
            ),
            # a partner that has a territory is advised as a whole
            places=() if name in territories else sites[name],
            play=played.hexdigest()[:16],
        )
        configs[f"{name} alone"] = alone
    return configs


def _as_told(satellite: Satellite, rules: Sequence[SharingRule], to: str) -> Satellite:
    """A satellite under the name that its scans have when they come to a partner."""
    by = next((r for r in rules if r.is_for("plots", to, "infrared") and r.releases), None)
    return satellite if by is None else replace(satellite, name=named(satellite.name, by))


def exercise_key(scenario: Scenario, partner: str) -> Signer:
    """The key that a partner's node signs with in an exercise: anybody can make it, and none is ever live."""
    text = f"exercise {scenario.scenario.name} of {partner}, not a secret"
    return Signer(hashlib.sha256(text.encode()).digest())
