"""The whole system under crashes, bad links, clock steps and lies: half of every test run's seeds."""

from __future__ import annotations

from simulator_seeds import all_hold


def test_all_invariants_hold_and_every_fault_was_injected() -> None:
    counts = all_hold(range(0, 40))
    for fault in (
        "crashes while writing", "crashes before sync", "crashes after sync", "crashes in a snapshot",
        "crashes in an alert", "crashes at rest", "torn tails cut", "snapshots left out", "clock steps",
        "frames lost", "frames doubled", "frames corrupted", "frames cut off", "frames cut short", "floods",
        "forgeries", "two stories", "lies", "absurd values", "ends of others' tracks",
        "messages of others repeated", "inputs replayed",
    ):  # fmt: skip
        assert counts[fault] > 0, fault
    assert counts["zones told alone"] > 30 and counts["alerts"] > 60
