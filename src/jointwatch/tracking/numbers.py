"""The numbers under which people know tracks: given once, and never rolled back.

In: chains as they are confirmed, and after a replay those that went and those that came; out: each chain's
number, and which numbers people were told of.  A row's own number is its place in the order of confirmations
and is replayed with the rest (`tracking.history`); the number that people see belongs to the plot that began
its chain, so that late data changes what a track is, and not what it is called.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jointwatch.tracking.engine import Chain
from jointwatch.tracking.history import History
from jointwatch.tracking.table import NOTHING

FEW = 16
"""Numbers kept before it is worth looking for those that cannot return."""


class Numbers:
    """What one partner's chains are called.  told: numbers that people know and that have not ended."""

    def __init__(self, partner: str) -> None:
        self._partner = partner
        self._of: dict[Chain, int] = {}
        self._odds: dict[Chain, float] = {}
        self._next = 1
        self._many = FEW
        self.told: set[int] = set()

    def __len__(self) -> int:
        return len(self._of)

    def __contains__(self, chain: Chain) -> bool:
        return chain in self._of

    def __getitem__(self, chain: Chain) -> int:
        """The number of a chain that was confirmed."""
        return self._of[chain]

    def confirmed(self, chain: Chain, log_odds: float) -> None:
        """A chain was confirmed with these log odds, perhaps once more: it has a number from now on."""
        self._odds[chain] = log_odds
        if chain not in self._of:
            self._of[chain] = self._next
            self._next += 1

    def odds(self, chain: Chain) -> float:
        """Log odds with which a chain was confirmed."""
        return self._odds[chain]

    def name(self, number: int) -> str:
        """A number as people and partners see it."""
        return f"{self._partner.upper()}-{number:04d}"

    def name_of(self, chain: Chain) -> str:
        """The same of a chain; "" of none."""
        return self.name(self._of[chain]) if chain[0] != NOTHING else ""

    def hand_over(self, gone: dict[Chain, np.void], come: Mapping[Chain, np.void]) -> None:
        """Let a chain that took another's plots have its number: late data showed where it really began.

        gone, come: the rows that a replay ended and began; of gone those are left that nobody followed.
        """
        for chain, row in come.items():
            plots = set(row["evidence"].tolist()) - {NOTHING}
            shared = {c: len(plots & set(old["evidence"].tolist())) for c, old in gone.items()}
            best = max(shared, key=lambda c: (shared[c], -self._of[c]), default=chain)
            if shared.get(best, 0):
                self._of[chain], self._of[best] = self._of[best], self._of[chain]
                del gone[best]

    def forget(self, history: History) -> None:
        """Forget chains that no replay can bring back, once there are enough of them to be worth it."""
        if len(self._of) <= self._many:
            return
        known = history.may_return(self._of)
        self._of = {chain: n for chain, n in self._of.items() if chain in known}
        self._odds = {chain: odds for chain, odds in self._odds.items() if chain in known}
        self._many = 2 * len(known) + FEW
