"""Models held against each other by what each says of data that it has not seen."""
