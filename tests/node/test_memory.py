"""What a process put aside is not looked through, and what comes later is collected as ever."""

from __future__ import annotations

import gc
import weakref

from jointwatch.node.memory import settle


class Circle:
    """Refers to itself."""

    def __init__(self) -> None:
        self.me = self


def test_garbage_that_comes_later_is_collected_and_what_stood_is_not_looked_through() -> None:
    stood = Circle()
    try:
        settle()
        assert gc.get_freeze_count() > 10_000
        assert all(o is not stood for o in gc.get_objects())
        gone = weakref.ref(Circle())
        gc.collect()
        assert gone() is None
    finally:
        gc.unfreeze()
