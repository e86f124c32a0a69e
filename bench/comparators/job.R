# The words name=value of the command line, the data, and the files that the harness reads.
words <- commandArgs(trailingOnly = TRUE)
job <- as.list(sub("^[^=]*=", "", words))
names(job) <- sub("=.*$", "", words)
whole <- function(name) as.integer(job[[name]])

# data.table's reader where it is installed; else R's own, told the types, which is its fast way.
read_data <- function() {
  if (requireNamespace("data.table", quietly = TRUE)) return(as.data.frame(data.table::fread(job$csv)))
  types <- sapply(read.csv(job$csv, nrows = 1000), class)
  # A column may look whole in its first rows only.
  types[types == "integer" & !(names(types) %in% strsplit(job$factors, " ")[[1]])] <- "numeric"
  read.csv(job$csv, colClasses = types, comment.char = "", quote = "")
}

model_of <- function() as.formula(job$model)
family_of <- function() eval(parse(text = job$call))

# draws: iterations x chains x parameters.
write_results <- function(draws, seconds) {
  flat <- do.call(rbind, lapply(seq_len(dim(draws)[2]), function(chain) cbind(chain = chain, draws[, chain, ])))
  write.csv(flat, file.path(job$out, "population.csv"), row.names = FALSE)
  write_seconds(seconds)
}

# fixed: named; covariances: a matrix for every factor, with stddev and correlation as attributes; other: named.
write_estimates <- function(fixed, covariances, other, seconds) {
  spread <- lapply(names(covariances), function(factor) {
    sds <- attr(covariances[[factor]], "stddev")
    correlation <- attr(covariances[[factor]], "correlation")
    found <- setNames(as.vector(sds), paste("sd", factor, names(sds)))
    if (length(sds) > 1) found[paste("cor", factor, names(sds)[1], names(sds)[2])] <- correlation[1, 2]
    found
  })
  estimates <- c(fixed, unlist(spread), other)
  table <- data.frame(name = names(estimates), value = as.vector(estimates))
  write.csv(table, file.path(job$out, "estimates.csv"), row.names = FALSE)
  write_seconds(seconds)
}

write_seconds <- function(seconds) {
  cat(sprintf('{"sampling": %f}\n', seconds), file = file.path(job$out, "seconds.json"))
}
