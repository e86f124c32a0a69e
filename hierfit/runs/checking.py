"""A finished run -> the checks of its model, and their pictures in its folder or in another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hierfit.disk.folder import claimed
from hierfit.posterior.check.checked import Checked, check_model
from hierfit.posterior.diagnostics import Diagnosis, Level
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.truth import Truth
from hierfit.runs.files import MANIFEST, PLOTS, write_manifest, written
from hierfit.runs.finished import Opened, open_fit
from hierfit.runs.stored import truth_of

PREFIX = "check_"


@dataclass(frozen=True, eq=False)
class RunChecks:
    """A run, and the checks of its model.

    Attributes:
        run: the run.
        checked: what the checks found.
        truth: true values, where the data were simulated.
        seed: what replicated outcomes follow from.
    """

    run: Opened
    checked: Checked
    truth: Truth | None
    seed: int

    @property
    def folder(self) -> Path:
        """Where the run is."""
        return self.run.folder

    @property
    def diagnosis(self) -> Diagnosis:
        """The checks of its draws, as they were saved."""
        return self.run.diagnosis


def check_run(run: Path, seed: int = 1) -> RunChecks:
    """Check the model of a run against its data; of a run from the priors alone, say what these imply.

    Raises:
        RunFolderError: there is no such run.
    """
    found = open_fit(run)
    stored = truth_of(found.folder)
    truth = None if stored is None else Truth.from_json(stored, found.design)
    checked = check_model(found.draws, found.design, found.spec, str(run), truth, seed)
    return RunChecks(found, checked, truth, seed)


def picture_checks(found: RunChecks) -> Iterator[tuple[Path, str]]:
    """Draw the pictures of checks into the folder of the run; yield the path and caption of each as it is drawn.

    They take the place of earlier ones of checks when all are drawn; other pictures stay.
    """
    from hierfit.posterior.plots.beside import saved_beside
    from hierfit.posterior.plots.saving import save_figure

    folder = found.folder
    with claimed(folder) as place:
        own = {name for name in written(folder) if name.startswith(f"{PLOTS}/{PREFIX}")}
        with place.replacing({*own, MANIFEST}, MANIFEST) as new:
            (new / PLOTS).mkdir()

            def save(drawn: tuple[str, Plate]) -> None:
                name, plate = drawn
                save_figure(plate.figure, new / name, plate.caption)

            def named() -> Iterator[tuple[str, Plate]]:
                for stem, plate in _plates(found):
                    name = f"{PLOTS}/{PREFIX}{stem}.png"
                    place.refuse_obstacles([name], own)
                    yield name, plate

            for name, plate in saved_beside(named(), save):
                yield folder / name, plate.caption
            kept = {name: file for name, file in (found.run.manifest.get("files") or {}).items() if name not in own}
            write_manifest(new, found.run.manifest, kept)


def picture_checks_in(found: RunChecks, folder: Path, *, overwrite: bool = False) -> Iterator[tuple[Path, str]]:
    """Draw the pictures of checks into any folder, which is made where there is none.

    Raises:
        UsageError: a picture of that name is there, and is not to be replaced.
        DiskError: the folder cannot be written.
    """
    from hierfit.disk.new_file import refuse_taken, written_whole
    from hierfit.disk.writing import disk_error
    from hierfit.posterior.plots.beside import saved_beside
    from hierfit.posterior.plots.saving import save_figure

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error, folder) from error

    def save(drawn: tuple[Path, Plate]) -> None:
        path, plate = drawn
        with written_whole(path) as part:
            save_figure(plate.figure, part, plate.caption)

    def placed() -> Iterator[tuple[Path, Plate]]:
        for stem, plate in _plates(found):
            path = folder / f"{PREFIX}{stem}.png"
            refuse_taken(path, "--out", overwrite=overwrite)
            yield path, plate

    for path, plate in saved_beside(placed(), save):
        yield path, plate.caption


def _plates(found: RunChecks) -> Iterator[tuple[str, Plate]]:
    from hierfit.posterior.plots.check import draw_checks

    run = found.run
    failed = found.diagnosis.status is Level.FAIL
    material = Material(run.draws, run.design, run.spec, found.truth, failed=failed)
    yield from draw_checks(material, found.checked)
