"""The collapsed engine, for one grouping factor: effects integrated out, and drawn given what was sampled."""
