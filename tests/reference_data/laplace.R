# Writes laplace.csv: what glmer says of the two simulated data sets of docs/laplace.md, which name the commands.
#
#     cd FOLDER_OF_rare_AND_pairs && Rscript .../tests/reference_data/laplace.R > .../tests/reference_data/laplace.csv
#
# and, with `repeated` as argument, of 100 data sets like each (some minutes). No test needs R.
suppressMessages(library(lme4))
software <- paste("lme4", sub("\\.(\\d+)$", "-\\1", as.character(packageVersion("lme4"))))
quietly <- function(...) suppressMessages(suppressWarnings(glmer(...)))
nodes <- c(0, 1, 25)

if ("repeated" %in% commandArgs(TRUE)) {
  set.seed(1)
  estimates <- function(levels, rows, intercept, sd) {
    g <- rep(seq_len(levels), each = rows)
    y <- rbinom(levels * rows, 1, plogis(intercept + rnorm(levels, 0, sd)[g]))
    sapply(nodes, function(n) sqrt(unlist(VarCorr(quietly(y ~ 1 + (1 | g), family = binomial, nAGQ = n)))))
  }
  for (of in list(c(500, 10, -5.5, 1.5), c(300, 2, 0, 2))) {
    found <- replicate(100, do.call(estimates, as.list(of)))
    print(signif(apply(found, 1, quantile, c(0.1, 0.5, 0.9)), 4))
  }
} else {
  rows <- NULL
  for (data in c("rare", "pairs")) {
    d <- read.csv(file.path(data, "data.csv"))
    formula <- as.formula(paste("event ~ 1 + (1 |", setdiff(names(d), "event"), ")"))
    for (n in nodes) {
      fit <- quietly(formula, d, binomial, nAGQ = n)
      rows <- rbind(rows, data.frame(data, nodes = n, sd = signif(sqrt(unlist(VarCorr(fit))), 7),
                                     intercept = signif(unname(fixef(fit)), 7), software))
    }
  }
  write.csv(rows, row.names = FALSE)
}
