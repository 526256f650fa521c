"""How innermost kernels are compiled: a `leaf` makes no array and hands none back.

Numba counts the references to every array that a function is given or takes a part of, each with an atomic
instruction; round small arithmetic that costs about as much as the arithmetic.  A leaf is compiled without,
which is safe where it makes no array, for Numba refuses to compile one that does, and hands none back, for
which a test looks.  What a leaf calls now and then that makes some is a `limb`; all else is plain `njit`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from numba import njit

if TYPE_CHECKING:
    from numba.core.decorators import _JITWrapper

leaf: _JITWrapper = njit(cache=True, _nrt=False)  # type: ignore[call-overload]
limb: _JITWrapper = njit(cache=True, _nrt=True)  # type: ignore[call-overload]
