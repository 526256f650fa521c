"""What a node says, and the one who numbers it: every output carries the node's name and the next sequence.

In: what happened and when; out: headers and notes under the node's own count.  epoch: that of the journal, by
which identifiers of messages to people are told from those of another (`warning.standing`).
"""

from __future__ import annotations

from jointwatch.records import (
    Advisory,
    Alert,
    Disagreement,
    Forwarded,
    Group,
    Header,
    LaunchReport,
    Note,
    OthersAlert,
    Sent,
    Withholding,
)

Output = (
    Sent
    | Forwarded
    | Withholding
    | Disagreement
    | LaunchReport
    | Group
    | Alert
    | Advisory
    | OthersAlert
    | Note
)


class Scribe:
    """Headers and notes of one node, numbered in the order they were asked for."""

    def __init__(self, partner: str, name: str, epoch: str = "") -> None:
        self.partner, self.name, self.epoch = partner, name, epoch
        self._sequence = 0

    def header(self, time_ns: int, handling: str = "own") -> Header:
        """The header of the node's next output."""
        self._sequence += 1
        return Header(
            originator=self.partner,
            source=self.name,
            sequence=self._sequence,
            measured_ns=time_ns,
            handling=handling,
        )

    def note(self, time_ns: int, kind: str, subject: str, detail: str = "", partner: str = "") -> Note:
        """A note of something that happened at time_ns; partner: whom it concerns, if not the node's own."""
        return Note(
            header=self.header(time_ns),
            kind=kind,
            subject=subject,
            partner=partner or self.partner,
            detail=detail,
        )

    def said(self, output: Output) -> None:
        """An output of the node's that stands, whoever numbered it: the next has a later number."""
        if output.header.source == self.name:
            self._sequence = max(self._sequence, output.header.sequence)
