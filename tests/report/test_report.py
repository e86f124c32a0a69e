"""The whole report of a run: its parts, that its numbers are those of the tables, and the methods paragraph."""

from dataclasses import replace

import pytest

from hierfit.engines.names import EngineName
from hierfit.engines.start import Start
from hierfit.model.priors import SET_BY_USER
from hierfit.plain import to_plain
from hierfit.report.document import Code, Items, Paragraph, Table
from hierfit.report.methods import methods_text, references
from hierfit.report.report import report
from hierfit.report.sections import Reported, document
from hierfit.runs.finished import load_summary, open_fit
from hierfit.told.cells import cells

PARTS = ["verdict", "model", "data", "estimates", "effects", "variance", "groups", "fit", "priors", "methods", "again"]


@pytest.fixture(scope="module")
def found(fitted):
    return report(fitted, pictures=False)


def blocks(found, name, kind):
    (section,) = [section for section in found.document.sections if section.name == name]
    return [block for block in section.blocks if isinstance(block, kind)]


def test_its_parts_stand_in_order(found):
    assert [section.name for section in found.document.sections] == PARTS


def test_estimates_are_those_of_the_table(found, fitted):
    (table,) = blocks(found, "estimates", Table)
    shown = {row[0]: row[1:] for _, section in table.sections for row in section}
    for row in load_summary(fitted).summary.rows:
        assert shown[row.name] == tuple(cells(row)[title] for title in table.header[1:])


def test_all_priors_are_there_with_their_sources(found, fitted):
    (table,) = blocks(found, "priors", Table)
    priors = open_fit(fitted).spec.priors
    assert [row[0] for row in table.sections[0][1]] == list(priors)
    assert all(prior.source in row[2] for row, prior in zip(table.sections[0][1], priors.values(), strict=True))


def test_the_command_can_be_copied(found, fitted):
    argv = ["/usr/bin/hierfit", "fit", "data.csv", "--formula", "score ~ ses + (1 | school)"]
    told = document(
        Reported(replace(found.run, manifest={**found.run.manifest, "argv": argv}), None, None, None, (), ())
    )
    (code,) = [block for block in told.sections[-1].blocks if isinstance(block, Code)]
    assert code.text == "hierfit fit data.csv --formula 'score ~ ses + (1 | school)'"
    versions = " ".join(blocks(found, "again", Items)[0].items)
    assert "seed 1" in versions and "numpy" in versions and open_fit(found.run.folder).record.data.sha256 in versions


def test_other_intervals_are_asked_for(fitted):
    at_half = report(fitted, ci=0.5, pictures=False)
    assert "50% interval" in blocks(at_half, "estimates", Table)[0].caption
    assert "50% interval" in blocks(at_half, "methods", Paragraph)[0].text


def test_the_methods_paragraph_says_what_was_done(found, fitted):
    record, manifest = open_fit(fitted).record, found.run.manifest
    text = methods_text(record, manifest, 0.95)
    for said in (
        "32 rows from 4 schools",
        record.formula,
        "Normal distribution",
        "seed 1",
        "250 draws",
        "95% interval",
    ):
        assert said in text
    assert "integrated out" in text and "No-U-Turn" in text
    names = [reference.split(",")[0] for reference in references(record)]
    assert names == sorted(names) and {"Vehtari", "Carpenter", "Hoffman", "Lewandowski"} == set(names)


@pytest.mark.parametrize(
    ("engine", "said", "not_said"),
    [
        (EngineName.FULL, "No-U-Turn", "integrated out"),
        (EngineName.MARGINAL, "independence Metropolis (Tierney, 1994)", "diverged"),
    ],
)
def test_each_engine_is_described_as_it_works(found, fitted, engine, said, not_said):
    record = replace(open_fit(fitted).record, engine=engine)
    text = methods_text(record, found.run.manifest, 0.95)
    assert said in text and not_said not in text
    for reference in references(record):
        assert reference.split(",")[0] in text


@pytest.mark.parametrize(
    ("start", "said", "not_said"),
    [
        (Start("proposal", 0), "independence Metropolis (Tierney, 1994)", "diverged"),
        (Start("adaptation", 250), "Hamiltonian Monte Carlo (Neal, 2011), and these", "Tierney"),
    ],
)
def test_both_ways_of_the_latent_engine_are_told_apart(found, fitted, start, said, not_said):
    record = replace(open_fit(fitted).record, engine=EngineName.LATENT, start=start)
    text = methods_text(record, found.run.manifest, 0.95)
    assert said in text and not_said not in text
    assert ("draws diverged" in text) == ("250 iterations of warmup" in text) == (start.origin == "adaptation")
    for reference in references(record):
        assert reference.split(",")[0] in text


def test_rows_left_out_and_priors_of_the_user_are_said(found, fitted):
    record = open_fit(fitted).record
    data = replace(record.data, rows_read=40, missing={"ses": 8})
    priors = {name: replace(prior, source=SET_BY_USER) for name, prior in record.model.priors.items() if name == "ses"}
    model = replace(record.model, priors={**record.model.priors, **priors})
    text = methods_text(replace(record, data=data, model=model), found.run.manifest, 0.95)
    assert "8 rows dropped (missing: 8 ses), of 40" in text
    assert "but for that of ses, which was chosen by us" in text


def test_pictures_have_their_captions_and_no_name_twice(fitted):
    drawn = report(fitted).pictures
    assert {"posterior", "lines", "groups"} <= {picture.stem for picture in drawn}
    assert len({picture.stem for picture in drawn}) == len(drawn)
    for picture in drawn:
        assert picture.png.startswith(b"\x89PNG") and picture.caption and picture.alt and picture.width > 300


def test_what_is_said_is_of_this_run(found, fitted):
    assert found.document.title == "score"
    assert to_plain(found.run.diagnosis) == to_plain(open_fit(fitted).diagnosis)
