from dataclasses import replace

import numpy as np
import pytest

from hierfit.errors import UsageError
from hierfit.model.priors import Prior
from hierfit.posterior.compare.folds import Folds, deal_levels, deal_rows, refuse_unknown, unlearnt

from ..conftest import make_case
from ..family_draws import family_case


@pytest.mark.parametrize(("n_rows", "count"), [(10, 10), (32, 5), (7185, 10), (11, 2)])
def test_rows_are_dealt_evenly_and_at_random(n_rows, count):
    folds = deal_rows(n_rows, count, 1)
    sizes = np.bincount(folds.of_part, minlength=count)
    assert folds.count == count and sizes.max() - sizes.min() <= 1 and sizes.sum() == n_rows
    assert sorted(np.concatenate([folds.rows(fold) for fold in range(count)])) == list(range(n_rows))
    np.testing.assert_array_equal(folds.of_part, deal_rows(n_rows, count, 1).of_part)
    assert (folds.of_part != deal_rows(n_rows, count, 2).of_part).any()


def test_levels_are_dealt_whole_with_about_as_many_rows():
    rng = np.random.default_rng(3)
    group = make_case(40, 1, (2, 60)).design.groups[0]
    for count in (2, 7, 10, 40):
        folds = deal_levels(group, count, 4)
        sizes = np.bincount(folds.of_part, minlength=count)
        assert sizes.max() - sizes.min() <= 1
        rows = [len(folds.rows(fold)) for fold in range(count)]
        assert sum(rows) == len(group.codes)
        if count == 10:
            assert max(rows) < 1.35 * min(rows)
        for fold in range(count):
            assert set(group.codes[folds.rows(fold)]) == set(folds.parts(fold))
    # and in whatever order a file has them
    order = rng.permutation(40)
    codes = np.argsort(order)[group.codes].astype(np.int32)
    moved = replace(group, labels=tuple(group.labels[j] for j in order), codes=codes)
    again = deal_levels(moved, 10, 4)
    np.testing.assert_array_equal(again.of_part, deal_levels(group, 10, 4).of_part[order])
    assert (deal_levels(group, 10, 5).of_part != deal_levels(group, 10, 4).of_part).any()


def test_too_many_folds_are_refused():
    with pytest.raises(UsageError, match="--folds 33: there are 32 rows") as error:
        deal_rows(32, 33, 1)
    assert "--folds 2 to 32" in error.value.hint
    group = make_case(8, 1, (3, 4)).design.groups[0]
    with pytest.raises(UsageError, match=f"there are 8 {group.factor}s"):
        deal_levels(group, 9, 1)


def test_coefficients_that_no_row_is_left_for_are_named():
    case = family_case("gaussian", levels=(8,), rows=6, kind="categories", sigma=True)
    design = replace(case.design, distributional=())
    church = next(k for k, name in enumerate(design.coefficients) if "Church" in name)
    rows = np.flatnonzero(design.X[:, church])
    assert list(unlearnt(design, rows)) == [design.coefficients[church]]
    assert list(unlearnt(design, rows[1:])) == []
    assert list(unlearnt(replace(design, weights=np.where(np.arange(48) == rows[0], 0.0, 1.0)), rows[1:])) != []
    own = replace(case.design.distributional[0], X=np.column_stack([np.ones(48), np.arange(48) == 3]))
    assert list(unlearnt(replace(design, distributional=(own,)), np.array([3]))) == ["sigma_ses"]


def test_a_flat_prior_is_not_left_alone():
    case = family_case("gaussian", levels=(8,), rows=6)
    name = case.design.coefficients[0]
    refuse_unknown(case.spec, (name,), "fold 3 of 10")
    flat = replace(case.spec, priors={**case.spec.priors, name: Prior("flat", (), "test")})
    with pytest.raises(UsageError, match=f"without fold 3 of 10 no row says anything of {name}"):
        refuse_unknown(flat, (name,), "fold 3 of 10")


def test_parts_of_rows_and_of_levels():
    assert Folds(np.array([1, 0, 1])).rows(1).tolist() == [0, 2]
