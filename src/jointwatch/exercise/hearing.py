"""Others' alerts that a played exercise hears, from sources that were made for exercises.

In: what the file of sources gives each partner's node, the time, which is the exercise's, and what a node put
out upon what it was handed; out: the inputs that are due, and what became of them all.  Where nothing has to
keep pace with a clock a look takes none of the exercise's time, so that the same answers of the sources give
the same journals, at any speed; else each source has a thread of its own, as for a running node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from jointwatch.node.config import NodeConfig
from jointwatch.node.others import REFUSED
from jointwatch.node.scribe import Output
from jointwatch.node.sources.listening import Listening, Looker, SourceState
from jointwatch.node.sources.source import Source
from jointwatch.node.sources.sources_file import Heeded
from jointwatch.records import Note, OthersAlert, ReceivedCap


@dataclass
class Heard:
    """What one node heard of others: what it took, in order, what it refused, and how its sources did."""

    taken: list[OthersAlert] = field(default_factory=list)
    refused: list[Note] = field(default_factory=list)
    sources: tuple[SourceState, ...] = ()


def heeding(configs: Mapping[str, NodeConfig], heeded: Mapping[str, Heeded]) -> dict[str, NodeConfig]:
    """Configurations of nodes that listen, by partner, to the senders of a file of sources."""
    return {
        key: replace(config, alert_senders=heeded[key].senders) if key in heeded else config
        for key, config in configs.items()
    }


class Hearing:
    """What the linked nodes of one exercise hear of others."""

    def __init__(self, heeded: Mapping[str, Heeded], looker: Callable[[Source], Looker]) -> None:
        """heeded: by partner.  BadInput if two sources of one node have one name."""
        self._listening = {
            p: Listening(p, heeds.sources, True, looker, (sender.name for sender in heeds.senders))
            for p, heeds in heeded.items()
        }
        self._heard = {partner: Heard() for partner in heeded}

    def due(self, now: int) -> list[tuple[str, ReceivedCap]]:
        """What is for the nodes now, by partner."""
        return [(p, received) for p, listening in self._listening.items() for received in listening.take(now)]

    def keep(self, partner: str, outputs: Sequence[Output]) -> None:
        """Keep what a node put out upon what it was handed."""
        heard = self._heard[partner]
        heard.taken += [output for output in outputs if isinstance(output, OthersAlert)]
        heard.refused += [o for o in outputs if isinstance(o, Note) and o.kind == REFUSED]

    def finish(self) -> dict[str, Heard]:
        """Look no more; what each node heard."""
        for partner, listening in self._listening.items():
            self._heard[partner].sources = listening.states()
            listening.close()
        return self._heard
