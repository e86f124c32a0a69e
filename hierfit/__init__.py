"""hierfit: from a CSV to a checked, explained Bayesian hierarchical regression in one command."""

__version__ = "0.1.0"
