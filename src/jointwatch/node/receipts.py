"""Receipts: what became of a node's alerts at its sinks goes into its journal, and only then counts.

In: a node, the dispatch of its alerts, and the time; out: steps of the node, each of one `Delivered` or,
where the certificate of its key is to be told of, `CertificateChecked`, and the next messages handed over.  A
running node and an exercise do it alike, so either's journal can be replayed.
"""

from __future__ import annotations

from jointwatch.node.dispatch import Dispatch
from jointwatch.node.node import Node
from jointwatch.node.outbox import Told
from jointwatch.node.scribe import Output
from jointwatch.records import CertificateChecked, Delivered, Header


def pump(node: Node, dispatch: Dispatch, now_ns: int) -> tuple[list[Output], int]:
    """Take what became of alerts at the sinks, and hand over what is due: several times a second.

    The outputs of the steps this gave rise to (notes of what is given up, and of the key's certificate), and
    how many steps there were.
    """
    outputs: list[Output] = []
    steps = 0
    state = dispatch.certificate.due(now_ns)
    if state is not None:
        header = _header(node, "the key's certificate", 0, now_ns)
        said = dispatch.certificate.words(state)
        checked = CertificateChecked(header=header, sender=node.config.name, state=state, detail=said)
        outputs += node.step(checked, now_ns)
        node.journal.sync()
        dispatch.certificate.took(checked)
        steps += 1
    while told := dispatch.to_journal(now_ns):
        records = [_delivered(node, n, one, now_ns) for n, one in enumerate(told)]
        for record in records:
            outputs += node.step(record, now_ns)
        node.journal.sync()
        for record in records:
            dispatch.outbox.took(record)
        steps += len(records)
    dispatch.hand_over(now_ns)
    return outputs, steps


def _delivered(node: Node, n: int, told: Told, now_ns: int) -> Delivered:
    return Delivered(
        header=_header(node, f"sink {told.sink}", n, now_ns),
        sink=told.sink,
        identifier=told.identifier,
        outcome=told.outcome,
        detail=told.detail,
        retry_after_s=told.retry_after_s,
    )


def _header(node: Node, source: str, n: int, now_ns: int) -> Header:
    sequence = node.journal.count + n
    return Header(originator=node.config.partner, source=source, sequence=sequence, measured_ns=now_ns)
