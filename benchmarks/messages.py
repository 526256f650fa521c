"""Messages: a hundred thousand in a hostile stream, and what the gate of a node makes of them.

In: how many, and a seed; out: one JSON line.  Half of the stream of `hostile_stream` is bad.  A bad message
counts as refused if it is refused for what was done to it, a good one as accepted if its record comes out
with all that is good in it and nothing else.  `us_per_message` is the gate's own time, the mean over all;
`us_seal` that of sealing one.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from time import perf_counter
from typing import Any

from hostile_stream import Stream, new_gate

from jointwatch.joint.gatekeeper import Admitted


def run(messages: int, seed: int) -> dict[str, Any]:
    """The line of one stream."""
    gate, stream = new_gate(), Stream(seed)
    refused_bad = accepted_good = bad = good = 0
    reasons: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    spent_s = 0.0
    for event in stream.events(messages):
        began = perf_counter()
        answer = gate.open(event.data, event.received_ns)
        spent_s += perf_counter() - began
        if event.attack:
            bad += 1
            refused_bad += not isinstance(answer, Admitted) and answer.reason in event.reasons
        else:
            good += 1
            kinds[type(event.record).__name__] += 1
            accepted_good += (
                isinstance(answer, Admitted)
                and answer.record == event.record
                and len(answer.dropped) == event.dropped
            )
        if not isinstance(answer, Admitted):
            reasons[answer.reason] += 1
    return {
        "case": "messages",
        "messages": messages,
        "seed": seed,
        "bad": bad,
        "refused_bad": refused_bad,
        "good": good,
        "accepted_good": accepted_good,
        "us_per_message": round(1e6 * spent_s / messages, 1),
        "us_seal": round(1e6 * stream.seal_s / stream.seals, 1),
        "refused": dict(sorted(reasons.items())),
        "accepted": dict(sorted(kinds.items())),
    }


def main() -> None:
    """Print the line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(json.dumps(run(arguments.messages, arguments.seed)), flush=True)


if __name__ == "__main__":
    main()
