"""hierfit timed against its peers; see bench/README.md. Nothing in hierfit imports it."""
