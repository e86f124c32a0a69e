"""Made-up draws, as the tests of results have them."""

from tests.posterior.conftest import synthetic

__all__ = ["synthetic"]
