"""The functions of cpp/pack.hpp against scipy's, over all that densities can ask of them.

Tolerances are some units in the last place, 2e-16 each; where a function passes through 0 they are absolute. The
trigamma function is wanted for curvatures alone, that is for where nodes lie, and its series is shorter.
"""

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from hierfit.engines.latent.building import FLAGS, SOURCES, _suiting
from hierfit.stan.toolchain import find_compiler

pytestmark = pytest.mark.stan

Array = NDArray[np.float64]
Hook = Callable[[str, Array], Array]
TINY = np.geomspace(1e-300, 1e-3, 400)


@pytest.fixture(scope="session")
def hook(tmp_path_factory: pytest.TempPathFactory) -> Hook:
    """Name of a function, numbers -> its values."""
    built, source = tmp_path_factory.mktemp("pack") / "pack.so", Path(__file__).parent / "pack_hook.cpp"
    subprocess.run(
        [*find_compiler(), *FLAGS, *_suiting()[0].flags, f"-I{SOURCES}", str(source), "-o", str(built)], check=True
    )
    code = ctypes.CDLL(str(built))

    def call(name: str, x: Array) -> Array:
        given, found = np.ascontiguousarray(x, dtype=np.float64), np.empty(len(x))
        getattr(code, f"hook_{name}")(
            ctypes.c_void_p(given.ctypes.data), ctypes.c_void_p(found.ctypes.data), ctypes.c_int64(len(x))
        )
        return found

    return call


def both(*parts: Array) -> Array:
    """Numbers and their negatives."""
    found = np.concatenate(parts)
    return np.concatenate([found, -found])


ALL_SIZES = both(TINY, np.linspace(0.001, 50, 5001), np.linspace(50, 700, 1001))
POSITIVE = np.concatenate([TINY, np.linspace(0.001, 30, 5001), np.geomspace(30, 1e8, 2001)])
CASES = [
    ("exp", ALL_SIZES, lambda x: np.exp(x.astype(np.longdouble)), 4e-16, 0.0),
    ("expm1", ALL_SIZES, lambda x: np.expm1(x.astype(np.longdouble)), 6e-16, 0.0),
    ("log", np.concatenate([np.geomspace(1e-307, 1e307, 4001), np.linspace(0.5, 2, 4001)]), np.log, 4e-16, 0.0),
    (
        "log1p",
        np.concatenate([TINY, -TINY, np.linspace(-0.9, 9, 4001), np.geomspace(9, 1e300, 400)]),
        np.log1p,
        8e-16,
        0.0,
    ),
    ("log1m_exp", -np.concatenate([TINY, np.linspace(0.001, 700, 20001)]), None, 8e-16, 0.0),
    ("log1p_exp", ALL_SIZES, lambda x: np.logaddexp(0, x), 8e-16, 1e-307),
    ("inv_logit", ALL_SIZES, special.expit, 8e-16, 0.0),
    ("log_gamma", POSITIVE, special.gammaln, 1e-15, 4e-14),
    ("digamma", POSITIVE, special.digamma, 1e-15, 1e-14),
    ("trigamma", POSITIVE[POSITIVE > 1e-150], lambda x: special.polygamma(1, x), 2e-13, 0.0),
    ("log_cdf", both(np.linspace(0, 37, 5001), np.geomspace(37, 1e150, 501)), special.log_ndtr, 2e-15, 2e-16),
    ("mills", np.linspace(-1e4, 37, 20001), None, 1e-12, 0.0),
]


def expected_log1m_exp(x: Array) -> Array:
    long = x.astype(np.longdouble)
    return np.asarray(np.where(x > -0.69, np.log(-np.expm1(long)), np.log1p(-np.exp(long))), dtype=np.float64)


def expected_mills(x: Array) -> Array:
    """Density over distribution function: sqrt(2 / pi) / erfcx(-x / sqrt 2)."""
    return np.asarray(np.sqrt(2 / np.pi) / special.erfcx(-x / np.sqrt(2)))


@pytest.mark.parametrize(("name", "x", "expected", "relative", "absolute"), CASES, ids=[case[0] for case in CASES])
def test_functions_are_those_of_scipy(
    hook: Hook, name: str, x: Array, expected: Callable[[Array], Array] | None, relative: float, absolute: float
) -> None:
    of = expected or {"log1m_exp": expected_log1m_exp, "mills": expected_mills}[name]
    np.testing.assert_allclose(hook(name, x), of(x).astype(np.float64), rtol=relative, atol=absolute)


def test_exponents_that_would_overflow_are_cut_off(hook: Hook) -> None:
    found = hook("exp", np.array([709.0, 1e3, 1e300, np.inf, -708.0, -1e3, -np.inf]))
    np.testing.assert_allclose(found, np.exp([709.0] * 4 + [-708.0] * 3), rtol=4e-16)
    np.testing.assert_array_equal(hook("inv_logit", np.array([1e3, 1e300])), 1)
