"""A symmetric matrix -> its Cholesky factor in the same memory, while other threads run.

numpy's `cholesky` copies twice and clears a triangle, which for a thousand effects takes as long as the factorisation;
scipy's works in place, but lets no other thread run. So LAPACK's own routine is called, at the address that scipy
gives out (`scipy.linalg.cython_lapack`): a call through `ctypes` holds nobody up.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def factor_in_place(S: Array) -> Array:
    """Return L with L L' = S [n, n], rows one after another, in the memory of S.

    Only what is on and below the diagonal is read and written; what is above it stays as it was.

    Raises:
        numpy.linalg.LinAlgError: S is not positive definite.
    """
    assert S.flags.c_contiguous and S.dtype == np.float64
    n, info = ctypes.c_int(len(S)), ctypes.c_int(0)
    _dpotrf()(b"U", n, S.ctypes.data, n, info)  # read column by column, the triangle below is the one above
    if info.value != 0:
        raise np.linalg.LinAlgError("not positive definite")
    return S


@cache
def _dpotrf() -> Callable[..., None]:
    from scipy.linalg import cython_lapack

    python, capsule = ctypes.pythonapi, cython_lapack.__pyx_capi__["dpotrf"]
    name_of = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", python))
    address_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_GetPointer", python))
    integer = ctypes.POINTER(ctypes.c_int)
    routine = ctypes.CFUNCTYPE(None, ctypes.c_char_p, integer, ctypes.c_void_p, integer, integer)
    return routine(address_of(capsule, name_of(capsule)))
