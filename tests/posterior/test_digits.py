"""The digits of a table row: table-driven."""

import math

import pytest

from hierfit.posterior.digits import (
    decimals,
    format_count,
    format_number,
    format_probability,
    format_ratio,
    format_rhat,
    format_row,
    format_share,
)


@pytest.mark.parametrize(
    ("sd", "mcse", "places"),
    [
        (0.19, math.nan, 2),  # second significant digit of the sd
        (0.19, 0.004, 2),
        (0.19, 0.02, 2),  # 2 mcse = 0.04: hundredths are still backed
        (0.19, 0.06, 1),  # 2 mcse = 0.12: only tenths are
        (0.19, 0.5, 1),  # the sd itself must not print as 0.0
        (0.05, 0.001, 3),
        (0.99, math.nan, 2),
        (1.0, math.nan, 1),
        (9.99, math.nan, 1),
        (10.0, math.nan, 0),
        (1234.0, math.nan, -2),
        (0.004, 0.004, 3),
        (3e-6, math.nan, 7),
        (0.0, math.nan, None),
        (math.nan, math.nan, None),
        (math.inf, 0.1, None),
    ],
)
def test_decimals(sd, mcse, places):
    assert decimals(sd, mcse) == places


@pytest.mark.parametrize(
    ("row", "texts"),
    [
        ((12.6581, 0.1912, 12.2934, 13.0302, 0.004), ("12.66", "0.19", "12.29", "13.03")),
        ((2.3, 0.5, 1.0, 3.0, math.nan), ("2.30", "0.50", "1.00", "3.00")),  # trailing zeros stay
        ((-0.001, 0.19, -0.38, 0.37, 0.003), ("0.00", "0.19", "-0.38", "0.37")),  # no negative zero
        ((523.4, 77.7, 371.2, 676.0, 1.0), ("523", "78", "371", "676")),
        ((1234.5, 321.0, 600.0, 1900.0, 2.0), ("1234", "321", "600", "1900")),
        ((123456.0, 2000.0, 119500.0, 127400.0, 20.0), ("1.235e+05", "2000", "1.195e+05", "1.274e+05")),
        ((5.2e-6, 3.1e-6, -1e-6, 1.1e-5, 1e-8), ("5.2e-06", "3.1e-06", "-1.0e-06", "1.10e-05")),
        (
            (1e12 + 0.25, 0.19, 1e12, 1e12 + 0.6, 0.001),
            ("1.00000000000025e+12", "0.19", "1.00000000000000e+12", "1.00000000000060e+12"),
        ),
        ((1.0, 0.0, 1.0, 1.0, math.nan), ("1", "0", "1", "1")),  # fixed by its prior
        ((math.nan, math.nan, math.nan, math.nan, math.nan), ("-", "-", "-", "-")),
        ((math.inf, math.nan, -math.inf, math.inf, math.nan), ("inf", "-", "-inf", "inf")),
        ((0.02, 0.004, 0.011, 0.028, 0.004), ("0.020", "0.004", "0.011", "0.028")),
    ],
)
def test_rows(row, texts):
    assert format_row(*row) == texts


@pytest.mark.parametrize("exponent", range(-12, 13))
@pytest.mark.parametrize("mcse_ratio", [0.001, 0.05, 0.5, 3.0])
def test_a_nonzero_sd_never_prints_as_zero(exponent, mcse_ratio):
    sd = 1.7 * 10.0**exponent
    text = format_row(3.0, sd, 3.0 - 2 * sd, 3.0 + 2 * sd, sd * mcse_ratio)[1]
    assert float(text) == pytest.approx(sd, rel=0.5)


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1.00"), (1.004, "1.00"), (1.0104, "1.010"), (1.17, "1.17"), (math.nan, "-")]
)
def test_rhat(value, text):
    assert format_rhat(value) == text


@pytest.mark.parametrize(("value", "text"), [(912.9, "912"), (1604.2, "1,604"), (math.nan, "-"), (0.0, "0")])
def test_counts(value, text):
    assert format_count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.036, "3.6%"), (0.12, "12%"), (0.0002, "<0.1%"), (0.9999, ">99%"), (1.0, "100%"), (0.0, "0%"), (math.nan, "-")],
)
def test_shares(value, text):
    assert format_share(value) == text


def test_without_decimals_four_significant_digits():
    assert [format_number(value, None) for value in (1.0, 0.123456, 1e-7, 1234567.0)] == [
        "1",
        "0.1235",
        "1.000e-07",
        "1.235e+06",
    ]


@pytest.mark.parametrize(
    ("value", "mcse", "effective", "shown"),
    [
        (0.95812, 0.0031, 4_000, "0.958"),
        (0.95812, 0.011, 400, "0.96"),
        (0.5, 0.2, 10, "0.50"),
        (0.99971, 0.0008, 4_000, ">0.999"),
        (0.0004, 0.0008, 4_000, "<0.001"),
        (1.0, math.nan, 3_400, ">0.999"),
        (0.0, math.nan, 3_400, "<0.001"),
        (1.0, math.nan, 80, ">0.9"),
        (0.9731, math.nan, 3_400, "0.973"),
        (math.nan, math.nan, 3_400, "-"),
    ],
)
def test_a_probability_is_no_certainty(value, mcse, effective, shown):
    assert format_probability(value, mcse, effective) == shown


@pytest.mark.parametrize(
    ("value", "effective", "shown"),
    [(22.8095, 4_000, "22.8"), (0.36365, 4_000, "0.364"), (1_234.5, 4_000, "1,230"), (math.inf, 3_400, ">999"),
     (0.0, 3_400, "<0.001"), (math.nan, 10, "-"), (3e7, 4_000, "3.00e+07")],
)  # fmt: skip
def test_odds_end_where_draws_do(value, effective, shown):
    assert format_ratio(value, effective) == shown
