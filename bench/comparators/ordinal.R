# ordinal::clmm: maximum likelihood by the Laplace approximation; estimates and conditional modes, no posterior.
suppressPackageStartupMessages(library(ordinal))
data <- read_data()
factors <- strsplit(job$factors, " ")[[1]]
data[factors] <- lapply(data[factors], factor)
data[[job$response]] <- factor(data[[job$response]], ordered = TRUE)
started <- proc.time()[["elapsed"]]
fit <- clmm(model_of(), data, link = job$call)
seconds <- proc.time()[["elapsed"]] - started
for (factor in names(ranef(fit))) {
  write.csv(ranef(fit)[[factor]], file.path(job$out, paste0("effects-", factor, ".csv")))
}
thresholds <- setNames(fit$alpha, sprintf("threshold[%s]", names(fit$alpha)))
write_estimates(c(thresholds, fit$beta), VarCorr(fit), NULL, seconds)
