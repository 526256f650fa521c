"""The staff of an exercise: what the people of its partners say into their nodes.

In: the scenario's assessment, and what waits at a node for its release; out: inputs of that node, as a live
one would get them from people.  The node drafts, and the duty officer, a second role, lets it out.
"""

from __future__ import annotations

from collections.abc import Iterator

from jointwatch.assessment import Assessment, as_input
from jointwatch.node.node import Node
from jointwatch.records import Assessed, Header, Released

DUTY_OFFICER = "duty officer"


def posture_told(assessment: Assessment, partner: str, now_ns: int) -> Assessed:
    """A partner's node is told what the partners hold of the days to come."""
    return as_input(assessment, _header(partner, 1, now_ns))


def releases(node: Node, now_ns: int) -> Iterator[Released]:
    """The duty officer of the node's partner lets out whatever waits there, as it stands now."""
    partner = node.config.partner
    for n, draft in enumerate(node.drafts(), start=2):
        yield Released(
            header=_header(partner, n, now_ns),
            draft=draft.name,
            digest=draft.digest,
            released_by=f"{DUTY_OFFICER}, {partner}",
        )


def _header(partner: str, sequence: int, now_ns: int) -> Header:
    return Header(originator=partner, source=f"staff of {partner}", sequence=sequence, measured_ns=now_ns)
