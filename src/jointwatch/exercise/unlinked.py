"""Nodes of an exercise that no link joins: what each sees, and would warn, alone.

In: their configurations, and what sensors give, in the order it is received; out: by partner, what the node's
picture held and sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jointwatch.exercise.nodes import slug
from jointwatch.exercise.recording import SAMPLE_S, PictureRecord, keep, sampled
from jointwatch.node.config import NodeConfig
from jointwatch.node.journal import Journal
from jointwatch.node.node import Node
from jointwatch.records import InfraredScan, Sector


def play_unlinked(
    configs: Mapping[str, NodeConfig], looks: Iterable[Sector | InfraredScan], start_ns: int
) -> dict[str, tuple[PictureRecord, str]]:
    """Play looks through nodes that get those of their own partner, and nothing else.

    configs: by partner.  looks: of their sensors, none of others'.  start_ns: of the exercise; pictures are
    sampled every `SAMPLE_S` from then on.  Out: by partner, the picture's record and the journal's digest
    (hexadecimal).
    """
    nodes = {partner: Node(config, Journal(None), start_ns) for partner, config in configs.items()}
    pictures = {p: PictureRecord(slug(p), f"{p} alone", (p,)) for p in nodes}
    sample_ns = start_ns
    for look in looks:
        while sample_ns <= look.received_ns:
            for partner, node in nodes.items():
                picture = node.best.at(sample_ns)
                pictures[partner].samples.append((sample_ns, [sampled(t) for t in picture]))
                pictures[partner].impacts.append((sample_ns, node.impacts()))
            sample_ns += round(SAMPLE_S * 1e9)
        partner = look.header.originator
        keep(nodes[partner].step(look, look.received_ns), pictures[partner], nodes[partner])
    return {p: (pictures[p], node.journal.digest.hex()) for p, node in nodes.items()}
