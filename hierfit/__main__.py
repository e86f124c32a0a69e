"""`python -m hierfit`."""

from hierfit.cli import main

main()
