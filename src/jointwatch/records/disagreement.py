"""A disagreement: where partners' pictures of one object, or of one place, conflict beyond chance.

Neither side is taken for wrong: both are kept, and the record says which evidence differs.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from jointwatch.records.header import Header

DisagreementKind = Literal["unseen", "apart", "phase", "evidence", "fall"]
"""unseen: one side's sensors covered the place of the other's track and saw nothing.  apart: two tracks of
one object, or what was one object, lie farther from each other than their errors explain.  phase: one side
is sure that it moves otherwise than the other is.  evidence: one side's looks keep missing what the other's
show. fall: the two expect it to come down in different places."""


class Disagreement(Struct, frozen=True, kw_only=True, tag="disagreement"):
    """What two partners do not agree on, from the header's time on; over: it no longer is so.

    numbers: tracks that it is about.  between: whose pictures.  sigmas: how far apart, in standard deviations
    of what chance explains (0 where that is no measure).  detail: which evidence differs, in words.
    """

    header: Header
    kind: DisagreementKind
    numbers: tuple[str, ...]
    between: tuple[str, str]
    sigmas: float
    detail: str
    over: bool = False
