# lme4: maximum likelihood (REML of measurements); estimates and conditional modes, no posterior.
suppressPackageStartupMessages(library(lme4))
data <- read_data()
started <- proc.time()[["elapsed"]]
measured <- job$call == "gaussian()"
fit <- if (measured) lmer(model_of(), data) else glmer(model_of(), data, family = family_of(), nAGQ = whole("nagq"))
seconds <- proc.time()[["elapsed"]] - started
write.csv(as.data.frame(ranef(fit)), file.path(job$out, "effects.csv"), row.names = FALSE)
write_estimates(fixef(fit), VarCorr(fit), if (measured) c(sigma = sigma(fit)), seconds)
