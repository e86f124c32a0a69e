"""Expressions over parameters -> what the posterior says of them: `hierfit test`."""
