# rstanarm with its default priors; its programs come compiled.
suppressPackageStartupMessages(library(rstanarm))
data <- read_data()
started <- proc.time()[["elapsed"]]
fit <- stan_glmer(
  model_of(), data, family = family_of(), chains = whole("chains"), cores = whole("cores"),
  warmup = whole("warmup"), iter = whole("warmup") + whole("draws"), seed = whole("seed"), refresh = 0
)
seconds <- proc.time()[["elapsed"]] - started
saveRDS(fit, file.path(job$out, "fit.rds"))
draws <- as.array(fit)
population <- grep("^b\\[", dimnames(draws)[[3]], value = TRUE, invert = TRUE)
write_results(draws[, , population, drop = FALSE], seconds)
