"""What came back: draws, checks, tables, predictions, pictures."""
