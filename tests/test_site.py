"""The site that `make docs` builds: without warnings, every page in its contents, every link leading somewhere."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    place = tmp_path_factory.mktemp("site")
    command = [
        "-m",
        "sphinx",
        "-q",
        "-W",
        "-b",
        "html",
        "-c",
        "docs",
        "-d",
        str(place / "trees"),
        ".",
        str(place / "html"),
    ]
    built = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return place / "html"


def test_it_is_what_make_builds():
    assert "-m sphinx -q -W -b html -c docs -d site/.trees . site" in (ROOT / "Makefile").read_text()


def test_every_page_is_in_the_contents():
    index = (ROOT / "docs" / "index.md").read_text()
    listed = re.findall(
        r"^[\w./-]+$", "\n".join(re.findall(r"```\{toctree\}\n(.*?)```", index, re.DOTALL)), re.MULTILINE
    )
    pages = {path.relative_to(ROOT / "docs").with_suffix("").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert pages - {"index"} == {name for name in listed if not name.startswith("../")}


def test_links_lead_somewhere(site):
    pages = {path: Links(path.read_text()) for path in site.rglob("*.html")}
    assert len(pages) > 15
    dangling = []
    for path, page in pages.items():
        for link in page.links:
            target, _, anchor = link.partition("#")
            if not target or re.match(r"[a-z]+:", target):
                continue
            file = (path.parent / target.partition("?")[0]).resolve()
            if not file.exists() or (anchor and file in pages and anchor not in pages[file].names):
                dangling.append((path.name, link))
    assert dangling == []


class Links(HTMLParser):
    """Where the links of a page lead, and the names of its places."""

    def __init__(self, text):
        super().__init__()
        self.links, self.names = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
            elif name == "id":
                self.names.add(value)
