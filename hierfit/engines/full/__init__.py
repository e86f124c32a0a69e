"""The full engine: every effect is a parameter of Stan's sampler; any model."""
