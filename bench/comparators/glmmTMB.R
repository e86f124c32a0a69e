# glmmTMB: maximum likelihood by the Laplace approximation; estimates and conditional modes, no posterior.
suppressPackageStartupMessages(library(glmmTMB))
data <- read_data()
started <- proc.time()[["elapsed"]]
# REML of measurements, as lme4's default.
fit <- glmmTMB(model_of(), data, family = family_of(), REML = job$call == "gaussian()")
seconds <- proc.time()[["elapsed"]] - started
for (factor in names(ranef(fit)$cond)) {
  write.csv(ranef(fit)$cond[[factor]], file.path(job$out, paste0("effects-", factor, ".csv")))
}
# Of nbinom2, sigma() is the shape.
write_estimates(fixef(fit)$cond, VarCorr(fit)$cond, c(sigma = sigma(fit), shape = sigma(fit)), seconds)
