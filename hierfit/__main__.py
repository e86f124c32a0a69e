"""`python -m hierfit`."""

from hierfit.cli.app import main

main()
