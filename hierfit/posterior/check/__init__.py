"""Model checks: what a fitted model says of the data that it was fitted to, held against these data."""
