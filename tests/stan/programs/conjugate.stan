// Two posteriors in closed form: mu | y is normal, rate | counts is gamma. b has any length, 0 included, and keeps its prior.
data {
  int<lower=0> N;
  vector[N] y;
  real<lower=0> sigma;
  real<lower=0> prior_sd;
  int<lower=0> M;
  array[M] int<lower=0> counts;
  int<lower=0> K;
  matrix[K, 2] X;
  vector[2] bounds;
}
parameters {
  real mu;
  real<lower=0> rate;
  vector[K] b;
}
model {
  mu ~ normal(0, prior_sd);
  y ~ normal(mu, sigma);
  rate ~ gamma(2, 1);
  counts ~ poisson(rate);
  b ~ std_normal();
}
generated quantities {
  real replicate = normal_rng(mu, sigma);
  matrix[2, 3] grid = [[1, 2, 3], [4, 5, mu]];
  real low = bounds[1];
}
