"""`hierfit plot`: pictures of a run, the usual ones or those that are asked for."""

from __future__ import annotations

from hierfit.cli.options.declared import takes_options
from hierfit.cli.options.plot import PlotOptions, pictures_request
from hierfit.cli.page import in_lines, show


@takes_options
def plot(options: PlotOptions) -> None:
    """Draw pictures of a run, into its folder plots/ or elsewhere.

    [dim]hierfit plot runs/pupils-20261120-084120[/dim]

    [dim]hierfit plot RUN --kind lines --column ses --out lines.pdf[/dim]

    [dim]hierfit plot RUN --kind effects --kind coefficients --format svg[/dim]
    """
    request = pictures_request(options)
    from hierfit.runs import pictures

    if options.out is None:
        drawn = pictures.plot(options.run, request)
    else:
        drawn = pictures.plot_to(options.run, options.out, request, overwrite=options.overwrite)
    for path, caption in drawn:
        if not options.quiet:
            show(in_lines([f"{path}  {caption}"]))
