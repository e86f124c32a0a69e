"""The run of the tests of the command line."""

from tests.cli.conftest import fitted as fitted
