"""What the user gets to read: runs, plans, tables, progress, laid out as text."""
