"""What came back: draws, diagnostics, summaries, predictions, plots."""
