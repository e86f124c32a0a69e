"""What of data and model a reader of the results should know: found before sampling, said once."""
