"""Model x Design -> draws: how each engine sees the rows, samples, and comes back to names and units of the CSV."""
