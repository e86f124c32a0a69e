"""truth.json in the order of the design."""

import numpy as np
import pytest

from hierfit.plain import UnexpectedError
from hierfit.posterior.truth import Truth


def test_effects_follow_the_designs_labels_and_terms(synthetic):
    design = synthetic(5).design
    values = {f"s{j:02d}": [float(j), 10.0 * j] for j in (5, 3, 1, 2, 4)} | {"elsewhere": [0.0, 0.0]}
    content = {"parameters": {"ses": 2}, "effects": {"school": {"terms": ["ses", "Intercept"], "values": values}}}
    truth = Truth.from_json(content, design)
    assert truth.parameters == {"ses": 2.0}
    assert truth.effects["school"].tolist() == [[10.0 * j, float(j)] for j in range(1, 6)]
    group = design.groups[0]
    assert truth.levels(group, 1).tolist() == [3.0, 4.0, 5.0, 6.0, 7.0]
    assert truth.levels(group, 1, deviation=True).tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_unknown_levels_and_factors_are_left_open(synthetic):
    design = synthetic(5).design
    content = {"effects": {"school": {"terms": ["Intercept"], "values": {"s02": [1.5]}}}}
    effects = Truth.from_json(content, design).effects["school"]
    assert effects[1, 0] == 1.5
    assert np.isnan(effects[[0, 2, 3, 4], 0]).all()
    assert np.isnan(effects[:, 1]).all()
    nothing = Truth.from_json({}, design)
    assert nothing.levels(design.groups[0], 0) is None


@pytest.mark.parametrize(
    "content",
    [
        {"parameters": [1, 2]},
        {"parameters": {"ses": "two"}},
        {"effects": {"school": {"values": {}}}},
        {"effects": {"school": {"terms": ["Intercept", "ses"], "values": {"s01": [1.0]}}}},
        {"effects": {"school": [1]}},
    ],
)
def test_another_form_is_refused(synthetic, content):
    with pytest.raises(UnexpectedError, match=r"^(parameters|effects).*expected"):
        Truth.from_json(content, synthetic(5).design)
