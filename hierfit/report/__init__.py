"""A finished run -> a document that says all of it, from the equation to the methods, as HTML or Markdown."""
