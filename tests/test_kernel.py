"""Leaves are compiled without counting references: none may hand an array back."""

from __future__ import annotations

import importlib
import pkgutil
import typing

import numpy as np
import pytest
from numba import njit
from numba.core.dispatcher import Dispatcher

import jointwatch
from jointwatch.kernel import leaf

PLAIN = (float, int, bool, type(None), str)


def leaves() -> list[Dispatcher]:
    """All leaves of the package."""
    found = {}
    for info in pkgutil.walk_packages(jointwatch.__path__, "jointwatch."):
        if "__main__" not in info.name:
            for value in vars(importlib.import_module(info.name)).values():
                if isinstance(value, Dispatcher) and value.targetoptions.get("_nrt") is False:
                    found[id(value)] = value
    return list(found.values())


def is_plain(hint: typing.Any) -> bool:
    """Whether a type holds numbers alone."""
    if hint in PLAIN:
        return True
    if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
        return all(is_plain(part) for part in typing.get_type_hints(hint).values())
    return typing.get_origin(hint) is tuple and all(is_plain(part) for part in typing.get_args(hint))


def test_no_leaf_hands_an_array_back() -> None:
    assert len(leaves()) > 50
    for kernel in leaves():
        hint = typing.get_type_hints(kernel.py_func)["return"]
        assert is_plain(hint), kernel.py_func.__qualname__
        for overload in kernel.overloads.values():  # and what Numba inferred, where it was compiled
            assert "array" not in str(overload.signature.return_type)


def test_the_test_sees_one_that_does() -> None:
    assert not is_plain(np.ndarray) and not is_plain(tuple[float, np.ndarray]) and is_plain(tuple[float, int])


def test_a_leaf_that_makes_an_array_is_refused() -> None:
    @leaf
    def makes(n: int) -> float:
        return float(np.empty(n)[0])

    makes._cache = njit(lambda: None)._cache  # nothing of it is kept
    with pytest.raises(Exception, match=r"(?i)nrt|array|nopython"):
        makes(3)
