"""What the statistician said: table, formula, family, priors, design. Knows neither Stan nor ArviZ."""
