"""A file -> Table: rows and columns, typed, as they are written there. Knows nothing of models."""
