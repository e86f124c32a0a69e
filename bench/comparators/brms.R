# brms with its default priors. prepare=yes compiles the model and keeps it, as brms's users do with file=.
suppressPackageStartupMessages(library(brms))
# Debian's package BH leaves Boost where Debian has it.
if (rstan::rstan_options("boost_lib") == "" && dir.exists("/usr/include/boost")) rstan::rstan_options(boost_lib = "/usr/include")
data <- read_data()
kept <- file.path(job$prepared, "brms.rds")
if (identical(job$prepare, "yes")) {
  if (!file.exists(kept)) saveRDS(brm(model_of(), data, family = family_of(), chains = 0), kept)
  quit()
}
compiled <- readRDS(kept)
started <- proc.time()[["elapsed"]]
fit <- update(
  compiled, newdata = data, recompile = FALSE, chains = whole("chains"), cores = whole("cores"),
  warmup = whole("warmup"), iter = whole("warmup") + whole("draws"), seed = whole("seed"), refresh = 0
)
seconds <- proc.time()[["elapsed"]] - started
saveRDS(fit, file.path(job$out, "fit.rds"))
draws <- as.array(fit)
population <- grep("^(b|sd|cor)_|^(sigma|shape)$", dimnames(draws)[[3]], value = TRUE)
write_results(draws[, , population, drop = FALSE], seconds)
