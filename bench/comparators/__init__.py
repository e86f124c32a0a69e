"""Everybody that the benchmark knows, in the order of the tables; hierfit first, the others are measured against it."""

from __future__ import annotations

from collections.abc import Mapping

from bench.comparators.bambi_models import BambiModel
from bench.comparators.contract import Comparator
from bench.comparators.hierfit_command import HierfitCommand
from bench.comparators.r_packages import R_PACKAGES
from bench.comparators.read_csv import ReadCsv
from bench.comparators.stan_programs import BRMS_STYLE, TUTORIAL

HIERFIT = "hierfit"
_ALL: tuple[Comparator, ...] = (
    HierfitCommand(),
    TUTORIAL,
    BRMS_STYLE,
    *R_PACKAGES,
    BambiModel("nutpie"),
    BambiModel("numpyro"),
    ReadCsv(),
)
COMPARATORS: Mapping[str, Comparator] = {comparator.name: comparator for comparator in _ALL}
