"""The command line: read options, call one workflow function, show what it returned."""
