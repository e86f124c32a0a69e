"""A finished fit as a folder: what it holds, how it is written, read, and what can be done with it."""
