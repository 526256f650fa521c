"""A seeded simulator of the whole system, nodes, links, clocks and disks, that breaks it in every way it can.

In: a seed; out: what was injected, and which invariant broke, if any did.  Time is virtual and all chance
comes from the seed, so a seed that fails fails again, exactly.  Start reading at `simulation.py`.
"""
