"""Sphinx: the pages of docs/ and those that they lead to, where they stand in the checkout. `make docs` builds them."""

from hierfit import __version__

project = "hierfit"
copyright = "hierfit developers"
author = "hierfit developers"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"

# Sources are the whole checkout, so that links between pages are those that a code host shows.
root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "THIRD_PARTY.md",
    "bench/README.md",
    "sample_data/README.md",
    "tests/reference_data/README.md",
]

html_theme = "furo"
html_title = f"hierfit {__version__}"
html_copy_source = False
