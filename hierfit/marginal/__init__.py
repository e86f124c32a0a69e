"""The collapsed engine for several grouping factors: exact marginal density, chains of their own instead of Stan's."""
