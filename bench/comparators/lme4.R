# lme4: maximum likelihood (REML for gaussian outcomes); estimates and conditional modes, no posterior.
suppressPackageStartupMessages(library(lme4))
data <- read_data()
started <- proc.time()[["elapsed"]]
model <- as.formula(job$formula)
fit <- if (job$family == "gaussian") lmer(model, data) else glmer(model, data, family = family_of())
seconds <- proc.time()[["elapsed"]] - started
spread <- as.data.frame(VarCorr(fit))
named <- ifelse(is.na(spread$var2), paste("sd", spread$grp, spread$var1), paste("cor", spread$grp, spread$var1, spread$var2))
estimates <- c(fixef(fit), setNames(spread$sdcor, named))
write.csv(data.frame(name = names(estimates), value = estimates), file.path(job$out, "estimates.csv"), row.names = FALSE)
write.csv(as.data.frame(ranef(fit)), file.path(job$out, "effects.csv"), row.names = FALSE)
write_seconds(seconds)
