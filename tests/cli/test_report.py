"""`hierfit report`: where it is written, as what, and what is refused."""

import json
import re
import shutil
from pathlib import Path

from hierfit.runs.files import is_unchanged

SCRIPT = "<script>alert(1)</script>"
HOSTILE = "y,<script>alert(1)</script>,g\n" + "".join(f"{i % 7},{i % 5},<b>{'ab|d'[i % 4]}\n" for i in range(32))


def test_a_page_in_the_folder_of_the_run(cli, run):
    done = cli("report", run, "--no-pictures")
    assert done.code == 0 and done.out == "" and "Saved    run/report.html" in done.err
    page = (run / "report.html").read_text()
    assert page.startswith("<!DOCTYPE html>") and "<h1>score</h1>" in page and "<img" not in page


def test_a_page_with_the_run_takes_the_place_of_an_earlier_one(cli, run):
    assert cli("report", run, "--no-pictures", "-q").code == 0
    assert cli("report", run, "--no-pictures", "--ci", "0.5", "-q").code == 0
    assert "50% interval" in (run / "report.html").read_text()
    assert is_unchanged(run / "report.html", json.loads((run / "run.json").read_text())["files"]["report.html"])


def test_a_page_that_the_user_changed_stays(cli, run):
    assert cli("report", run, "--no-pictures", "-q").code == 0
    (run / "report.html").write_text("mine")
    refused = cli("report", run, "--no-pictures")
    assert refused.code == 2 and "report.html" in refused.err
    assert (run / "report.html").read_text() == "mine"


def test_another_file_is_not_written_over_unless_asked(cli, run):
    written = ("report", run, "--no-pictures", "--out", "page.html")
    assert cli(*written, "-q").code == 0
    again = cli(*written)
    assert again.code == 2 and "page.html exists already" in again.err
    assert cli(*written, "--overwrite", "-q").code == 0


def test_markdown_with_its_pictures_beside_it(cli, run):
    done = cli("report", run, "--out", "paper.md")
    assert done.code == 0
    text = Path("paper.md").read_text()
    pictures = re.findall(r"\]\((paper_pictures/[^)]+\.png)\)", text)
    assert len(pictures) > 3
    assert all(Path(picture).read_bytes().startswith(b"\x89PNG") for picture in pictures)


def test_a_name_without_a_format_is_refused(cli, run):
    refused = cli("report", run, "--out", "paper.docx")
    assert refused.code == 2 and ".html or .md" in refused.err
    assert cli("report", run, "--out", "paper.txt", "--format", "md", "--no-pictures").code == 0


def test_comparisons_and_hypotheses_are_asked_for(cli, run):
    shutil.copytree(run, "other")
    done = cli("report", run, "--no-pictures", "--compare", "other", "--test", "ses > 0", "--out", "page.md")
    assert done.code == 0, done.err
    page = Path("page.md").read_text()
    assert "## Hypotheses" in page and "## Beside other models" in page and "P(true)" in page
    refused = cli("report", run, "--no-pictures", "--test", "ses >", "--out", "other.md")
    assert refused.code == 2 and not Path("other.md").exists()
    refused = cli("report", run, "--no-pictures", "--compare", "nowhere", "--out", "other.md")
    assert refused.code == 2 and "nowhere" in refused.err


def test_no_run_no_report(cli, folder):
    refused = cli("report", "nowhere")
    assert refused.code == 2 and "there is no folder 'nowhere'" in refused.err


def test_names_from_the_file_do_nothing(cli, folder, monkeypatch):
    from tests.fake_sampling import replace_sampler

    (folder / "data.csv").write_text(HOSTILE)
    replace_sampler(monkeypatch)
    fitted = cli("fit", "data.csv", "--y", "y", "--x", SCRIPT, "--group", "g", "--out", "run", "-q")
    assert fitted.code == 0, fitted.err
    assert cli("report", "run", "--no-pictures").code == 0
    page = (folder / "run" / "report.html").read_text()
    assert "<script" not in page and "<b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "&lt;b&gt;ab" not in page
