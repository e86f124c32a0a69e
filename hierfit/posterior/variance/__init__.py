"""Draws x Design -> how the variance divides: between predictors, factors and what is left; R2.

shares      the sentence of every fit: intraclass correlations where columns are at their means
answer      the whole answer, on request: on the scale of the link and on that of the outcome, at stated values
link        the division on the scale of the link
outcome     what outcomes do over groups: quadrature, or simulated groups
r2          R2 with and without the effects of groups
rows        which rows are averaged over
estimates   draws of a number -> mean, sd, interval
"""
