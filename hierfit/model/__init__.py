"""What was said: formula, family, priors, and the model that they make. Sees no rows."""
