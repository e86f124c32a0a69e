"""`hierfit effects`: what changes of predictors do to the outcome, on average over the rows of the data."""

from __future__ import annotations

import typer

from hierfit.cli.options.declared import takes_options
from hierfit.cli.options.effects import EffectsOptions, effects_request
from hierfit.cli.page import in_lines, show
from hierfit.cli.saving import refuse_picture


@takes_options
def effects(options: EffectsOptions) -> None:
    """Say what changes of predictors do to the outcome: average effects, contrasts of levels, averages at values.

    [dim]hierfit effects runs/pupils-20261120-084120 --of ses[/dim]

    [dim]hierfit effects RUN --of sector --contrast pairwise --by region[/dim]

    [dim]hierfit effects RUN --marginal --at ses=-2,-1,0,1,2 --plot ses.png[/dim]

    [dim]hierfit effects RUN --marginal --of sector --at ses=0,10 --groups average-over[/dim]
    """
    request = effects_request(options)
    if options.plot is not None:
        refuse_picture(options.plot, "--plot", overwrite=options.overwrite)
    from hierfit import asked
    from hierfit.cli.show import fit as verdict
    from hierfit.cli.show.effects import effects_text

    found = asked.effects(options.run, request)
    show(effects_text(found, options.output), exactly=options.output.is_exact)
    if options.plot is not None:
        from hierfit.runs.effects import draw

        caption = draw(found, options.plot)
        show(in_lines([f"Saved    {options.plot}  {caption}"]), err=True)
    warning = verdict.warning_text(found.run)
    if warning:
        show(warning, err=True)
    raise typer.Exit(verdict.exit_code(found.run, exit_zero=options.exit_zero))
