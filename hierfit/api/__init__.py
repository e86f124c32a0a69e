"""What `import hierfit` offers: a thin typed layer over `hierfit.workflow`, with the options of the command line."""
