"""A run -> its sentences and the cells of its tables: what the terminal, Markdown and reports share."""
