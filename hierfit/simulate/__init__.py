"""Data with a known truth: a formula with true values, drawn and written."""
