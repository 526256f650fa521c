"""The staff of an exercise: what nodes draft of the assessment leaves by a second role, with its marks."""

from __future__ import annotations

from pathlib import Path

from jointwatch.assessment import assess
from jointwatch.exercise.nodes import node_configs
from jointwatch.exercise.scenario import load_scenario
from jointwatch.exercise.staff import DUTY_OFFICER, posture_told, releases
from jointwatch.node.journal import Journal
from jointwatch.node.node import Node
from jointwatch.records import Advisory

SCENARIO = Path(__file__).parents[2] / "scenarios" / "two-partners.toml"


def test_each_partner_advises_its_own_places_by_two_roles() -> None:
    scenario = load_scenario(SCENARIO)
    assessment = assess(scenario.file(scenario.assessment))
    assert assessment.posture != "normal"
    now, configs = scenario.start_ns, node_configs(scenario)
    for partner in scenario.partners:
        node = Node(configs[partner.name], Journal(None))
        node.step(posture_told(assessment, partner.name, now), now)
        assert not node.standing_advisories(now), "nothing leaves yet"
        out = [o for release in releases(node, now) for o in node.step(release, now)]
        (advisory,) = [o for o in out if isinstance(o, Advisory)]
        assert advisory.partner == partner.name and advisory.exercise
        assert advisory.identifier.startswith("EX-")
        assert advisory.reviewed_by == f"{DUTY_OFFICER}, {partner.name}" != advisory.drafted_by
        own = {partner.name, *(site.name for site in partner.sites)}
        assert set(advisory.places) <= own
        assert node.standing_advisories(now) == (advisory,)
