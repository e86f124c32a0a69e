// population: Intercept b[1] sd_1 sigma
// As brms would write one slope for every row: effects standardised, with the tutorial's priors.
data {
  int<lower=1> N;
  vector[N] y;
  int<lower=1> K;
  matrix[N, K] X;
  vector[N] x;
  int<lower=1> J_1;
  array[N] int<lower=1> g_1;
}
parameters {
  vector[K] b;
  real Intercept;
  real<lower=0, upper=10> sigma;
  real<lower=0, upper=100> sd_1;
  vector[J_1] z_1;
}
transformed parameters {
  vector[J_1] r_1 = sd_1 * z_1;
}
model {
  vector[N] mu = rep_vector(Intercept, N);
  for (n in 1 : N) mu[n] += r_1[g_1[n]] * x[n];
  target += normal_id_glm_lpdf(y | X, mu, b, sigma);
  target += normal_lpdf(b | 0, 10000);
  target += normal_lpdf(Intercept | 0, 10000);
  target += std_normal_lpdf(z_1);
}
