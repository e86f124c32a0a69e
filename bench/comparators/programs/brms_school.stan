// population: Intercept b[1] sigma
// As brms would write the school regression: effects standardised, with the tutorial's priors (raw intercept, sd 1).
data {
  int<lower=1> N;
  vector[N] y;
  int<lower=1> K;
  matrix[N, K] X;
  int<lower=1> J_1;
  array[N] int<lower=1> g_1;
}
transformed data {
  real sd_1 = 1;
}
parameters {
  vector[K] b;
  real Intercept;
  real<lower=0> sigma;
  vector[J_1] z_1;
}
transformed parameters {
  vector[J_1] r_1 = sd_1 * z_1;
}
model {
  vector[N] mu = rep_vector(Intercept, N);
  for (n in 1 : N) mu[n] += r_1[g_1[n]];
  target += normal_id_glm_lpdf(y | X, mu, b, sigma);
  target += normal_lpdf(b | 0, 10);
  target += normal_lpdf(Intercept | 0, 10);
  target += cauchy_lpdf(sigma | 0, 5) - cauchy_lccdf(0 | 0, 5);
  target += std_normal_lpdf(z_1);
}
