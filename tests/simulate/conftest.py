"""Made-up draws, as the tests of results have them."""

from tests.results.conftest import synthetic

__all__ = ["synthetic"]
