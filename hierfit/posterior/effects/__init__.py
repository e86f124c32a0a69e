"""What a change of a predictor does to the outcome: averages over rows, and what they differ by."""
