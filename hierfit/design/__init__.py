"""Formula x Table -> Design: terms that can be evaluated again, groups, scaling, default priors."""
