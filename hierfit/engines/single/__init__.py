"""One grouping factor with many levels: effects integrated out exactly, many points side by side, and no Stan."""
