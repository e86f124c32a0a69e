# Writes estimates.csv: maximum likelihood and REML estimates of the models of tests/reference_cases.py.
#
#     cd tests/reference_data && Rscript estimates.R
#
# No test needs R. Debian 12: r-base-core r-cran-lme4 r-cran-glmmtmb r-cran-ordinal.
suppressMessages({library(lme4); library(glmmTMB); library(ordinal)})

read <- function(name, folder = ".") read.csv(file.path(folder, paste0(name, ".csv")), stringsAsFactors = TRUE)
version_of <- function(package) paste(package, sub("\\.(\\d+)$", "-\\1", as.character(packageVersion(package))))
rows <- list()

record <- function(case, software, method, names, estimates, errors = NA) {
  rows[[length(rows) + 1]] <<- data.frame(
    case, parameter = names, estimate = signif(estimates, 7), standard_error = signif(errors, 4), software, method)
}
coefficients_of <- function(case, fit, names, software, method) {
  table <- if (inherits(fit, "glmmTMB")) summary(fit)$coefficients$cond else coef(summary(fit))
  record(case, software, method, c("Intercept", names), table[, 1], table[, 2])
}
with_lme4 <- function(case, fit, names, sds) {
  software <- version_of("lme4")
  method <- if (isREML(fit)) "REML" else if (fit@devcomp$dims["nAGQ"] > 1) "ML, 25 quadrature points" else "ML, Laplace"
  coefficients_of(case, fit, names, software, method)
  components <- as.data.frame(VarCorr(fit))
  record(case, software, method, sds, components$sdcor[seq_along(sds)])
}
record_link <- function(case, fit, part, names, factor) {
  table <- summary(fit)$coefficients[[part]]
  record(case, version_of("glmmTMB"), "ML, Laplace", names, factor * table[, 1], factor * table[, 2])
}
with_template <- function(case, fit, names, sds, others = NULL) {
  software <- version_of("glmmTMB")
  coefficients_of(case, fit, names, software, "ML, Laplace")
  if (length(sds)) record(case, software, "ML, Laplace", sds, sapply(VarCorr(fit)$cond, function(v) attr(v, "stddev")))
  if (length(others)) record(case, software, "ML, Laplace", names(others), others)
}

slopes <- function(factor, x) c(sprintf(c("sd(%s)", "sd(%s: %s)", "cor(%s: Intercept, %s)"), factor, x), "sigma")
rats <- read("rats", "../../sample_data")
with_lme4("rats", lmer(weight ~ day + (1 + day | rat), rats), "day", slopes("rat", "day"))
dyestuff <- read("dyestuff", "../../sample_data")
with_lme4("dyestuff", lmer(yield ~ 1 + (1 | batch), dyestuff), NULL, c("sd(batch)", "sigma"))
sleep <- read("sleepstudy")
with_lme4("sleepstudy", lmer(reaction ~ days + (1 + days | subject), sleep), "days", slopes("subject", "days"))
assay <- read("penicillin")
with_lme4("penicillin", lmer(diameter ~ 1 + (1 | plate) + (1 | sample), assay), NULL,
          c("sd(plate)", "sd(sample)", "sigma"))
oats <- read("oats")
with_lme4("oats", lmer(yield ~ nitrogen + variety + (1 | block/variety), oats),
      c("nitrogen", "variety[marvellous]", "variety[victory]"), c("sd(block:variety)", "sd(block)", "sigma"))
growth <- read("orthodont")
terms <- c("age", "sex[girl]", "age:sex[girl]")
with_lme4("orthodont", lmer(distance ~ age * sex + (1 | child), growth), terms, c("sd(child)", "sigma"))
fit <- glmmTMB(distance ~ age * sex + (1 | child), growth, t_family)
with_template("orthodont_student", fit, terms, "sd(child)", c(sigma = sigma(fit), nu = unname(family_params(fit))))

seeds <- transform(read("seeds"), variety = relevel(variety, "a75"))
terms <- c("variety[a73]", "extract[cucumber]", "variety[a73]:extract[cucumber]")
with_lme4("seeds", glmer(cbind(germinated, seeds - germinated) ~ variety * extract + (1 | plate), seeds, binomial,
                         nAGQ = 25), terms, "sd(plate)")
fit <- glmmTMB(cbind(germinated, seeds - germinated) ~ variety * extract, seeds, betabinomial)
with_template("seeds_beta_binomial", fit, terms, NULL, c(phi = sigma(fit)))
cattle <- read("cbpp")
with_lme4("cbpp", glmer(cbind(cases, animals - cases) ~ factor(period) + (1 | herd), cattle, binomial, nAGQ = 25),
      sprintf("C(period)[%d]", 2:4), "sd(herd)")
asthma <- read("wheeze")
with_lme4("wheeze", glmer(wheeze ~ age + smoker + (1 | child), asthma, binomial, nAGQ = 25),
          c("age", "smoker"), "sd(child)")
epilepsy <- transform(read("epilepsy"), treatment = relevel(treatment, "placebo"))
model <- seizures ~ log(base) * treatment + log(age) + I(visit > 3) + (1 | patient)
terms <- c("log(base)", "treatment[progabide]", "log(age)", "I(visit > 3)", "log(base):treatment[progabide]")
with_lme4("epilepsy", glmer(model, epilepsy, poisson, nAGQ = 25, control = glmerControl("bobyqa")), terms,
          "sd(patient)")
fit <- glmmTMB(model, epilepsy, nbinom2)
with_template("epilepsy_negbinomial", fit, terms, "sd(patient)", c(shape = sigma(fit)))
pumps <- read("pumps")
with_lme4("pumps", glmer(failures ~ 1 + (1 | pump), pumps, poisson, offset = log_hours, nAGQ = 25), NULL, "sd(pump)")
gasoline <- read("gasoline")
fit <- glmmTMB(share ~ temperature + (1 | crude), gasoline, beta_family())
with_template("gasoline", fit, "temperature", "sd(crude)", c(phi = sigma(fit)))
streams <- read("salamanders")
fit <- glmmTMB(count ~ species + mined + (1 | site), streams, poisson, ziformula = ~1)
species <- sprintf("species[%s]", levels(streams$species)[-1])
with_template("salamanders", fit, c(species, "mined[yes]"), "sd(site)", c(zi = plogis(unname(fixef(fit)$zi))))
fit <- glmmTMB(count ~ mined + (1 | site), streams, poisson, ziformula = ~mined)
with_template("salamanders_zi", fit, "mined[yes]", "sd(site)")
record_link("salamanders_zi", fit, "zi", c("zi_Intercept", "zi_mined[yes]"), 1)
# Of gaussian models this version predicts the log of the variance.
fit <- glmmTMB(distance ~ age * sex + (1 | child), read("orthodont"), dispformula = ~sex, REML = FALSE)
with_template("orthodont_sigma", fit, c("age", "sex[girl]", "age:sex[girl]"), "sd(child)")
record_link("orthodont_sigma", fit, "disp", c("sigma_Intercept", "sigma_sex[girl]"), 0.5)

wine <- transform(read("wine"), bitterness = factor(bitterness, ordered = TRUE))
fit <- clmm(bitterness ~ temperature + contact + (1 | judge), wine, nAGQ = 25)
table <- coef(summary(fit))
record("wine", paste("ordinal", "2022.11-16"), "ML, 25 quadrature points",
       c(sprintf("threshold[%d|%d]", 1:4, 2:5), "temperature[warm]", "contact[yes]"), table[, 1], table[, 2])
record("wine", paste("ordinal", "2022.11-16"), "ML, 25 quadrature points", "sd(judge)", sqrt(VarCorr(fit)$judge[1]))

write.csv(do.call(rbind, rows), "estimates.csv", row.names = FALSE, na = "")
