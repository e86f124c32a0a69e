"""A run -> its report: gathered here, laid out by `sections`, written by `html` or `markdown`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hierfit.design.axes import factors, number_axes
from hierfit.design.design import Design
from hierfit.posterior.check.checked import check_model
from hierfit.posterior.check.verdicts import Check
from hierfit.posterior.group_summary import GroupSummary, summarize_groups
from hierfit.posterior.plots import Drawing, Material, Truth, draw_figures, save_figure
from hierfit.posterior.plots.beside import saved_beside
from hierfit.posterior.verdict import Level
from hierfit.report.document import Document, Picture
from hierfit.report.html import html_text
from hierfit.report.markdown import markdown_text
from hierfit.report.sections import Reported, document
from hierfit.runs.compared import compare_runs
from hierfit.runs.effects import EffectsRequest, effects_in
from hierfit.runs.finished import Fit, load_summary, open_fit, stored_truth
from hierfit.runs.hypotheses import test
from hierfit.runs.variance import variance_in

_INCH = 96  # CSS pixels


@dataclass(frozen=True)
class Report:
    """A report, not yet written.

    Attributes:
        run: the run that it is of.
        document: what it says.
    """

    run: Fit
    document: Document

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Its pictures."""
        blocks = (block for section in self.document.sections for block in section.blocks)
        return tuple(block for block in blocks if isinstance(block, Picture))

    def html(self) -> str:
        """Return it as one page, its pictures in it."""
        return html_text(self.document)

    def markdown(self, pictures: PurePosixPath) -> str:
        """Return it as Markdown, which shows the pictures in a folder."""
        return markdown_text(self.document, pictures)


@dataclass(frozen=True)
class Beside:
    """What is reported beside the run itself.

    Attributes:
        runs: others that it is compared with.
        expressions: of which it is told what the posterior says.
    """

    runs: tuple[Path, ...] = ()
    expressions: tuple[str, ...] = ()


NOTHING_BESIDE = Beside()


def report(path: Path, *, ci: float | None = None, pictures: bool = True, beside: Beside = NOTHING_BESIDE) -> Report:
    """Return the report of a run.

    Raises:
        RunFolderError: there is no such run, or it cannot be read.
        UsageError: there is no interval of mass `ci`, runs cannot be compared, or an expression cannot be read.
    """
    answers = test(path, beside.expressions, ci=ci) if beside.expressions else None
    compared = compare_runs([path, *beside.runs]) if beside.runs else None
    opened = open_fit(path)
    table = load_summary(path, ci)
    run = Fit(opened.folder, opened.manifest, opened.spec, opened.design, opened.draws, table.summary, table.diagnosis)
    groups = None
    if opened.design.groups:
        groups = summarize_groups(opened.draws, opened.design, opened.spec, run.summary.ci)
    effects = None
    if _moves(opened.design) and not opened.spec.prior_only:
        effects = effects_in(opened, EffectsRequest(ci=run.summary.ci))
    variance, checks = None, tuple[Check, ...]()
    truth = stored_truth(run)
    if not opened.spec.prior_only:
        variance = variance_in(opened, {}, run.summary.ci).answer
        checks = check_model(opened.draws, opened.design, opened.spec, str(path), truth).checks
    drawn = tuple(_pictures(run, truth, groups)) if pictures else ()
    return Report(run, document(Reported(run, groups, effects, variance, checks, drawn, compared, answers)))


def _moves(design: Design) -> bool:
    """Whether there is a predictor whose effect can be told."""
    terms = design.all_terms
    return design.inputs is not None and bool(number_axes(terms) or factors(terms, design.inputs))


def _pictures(run: Fit, truth: Truth | None, groups: GroupSummary | None) -> Iterator[Picture]:
    failed = run.diagnosis.status is Level.FAIL
    material = Material(run.draws, run.design, run.spec, truth, summary=groups, failed=failed)
    with tempfile.TemporaryDirectory() as folder:

        def file(drawing: Drawing) -> Path:
            return Path(folder) / f"{drawing.stem}.png"

        def save(drawing: Drawing) -> None:
            save_figure(drawing.figure, file(drawing), drawing.caption)

        for drawing in saved_beside(draw_figures(material), save):
            yield _picture(drawing, file(drawing))


def _picture(drawing: Drawing, file: Path) -> Picture:
    width, height = (round(_INCH * inches) for inches in drawing.figure.get_size_inches())
    return Picture(drawing.stem, file.read_bytes(), width, height, f"Plot: {drawing.stem}", drawing.caption)
