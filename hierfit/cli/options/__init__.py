"""What the user typed: options as fields of dataclasses, and what they ask for."""
