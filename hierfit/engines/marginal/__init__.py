"""The marginal engine, for several grouping factors: exact density with effects integrated out, chains of its own."""
