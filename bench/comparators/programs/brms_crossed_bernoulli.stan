// population: b_Intercept b[1] b[2] b[3] b[4] b[5] b[6] sd_1 sd_2
// As brms would write two crossed factors and a binary outcome: standardised effects, GLM density.
data {
  int<lower=1> N;
  array[N] int<lower=0, upper=1> y;
  int<lower=1> K;
  matrix[N, K] X;
  int<lower=1> J_1;
  array[N] int<lower=1> g_1;
  int<lower=1> J_2;
  array[N] int<lower=1> g_2;
  real location;
  real scale;
}
transformed data {
  matrix[N, K] Xc;
  vector[K] means_X;
  for (k in 1 : K) {
    means_X[k] = mean(X[, k]);
    Xc[, k] = X[, k] - means_X[k];
  }
}
parameters {
  vector[K] b;
  real Intercept;
  real<lower=0> sd_1;
  vector[J_1] z_1;
  real<lower=0> sd_2;
  vector[J_2] z_2;
}
transformed parameters {
  vector[J_1] r_1 = sd_1 * z_1;
  vector[J_2] r_2 = sd_2 * z_2;
}
model {
  vector[N] mu = rep_vector(Intercept, N);
  for (n in 1 : N) mu[n] += r_1[g_1[n]] + r_2[g_2[n]];
  target += bernoulli_logit_glm_lpmf(y | Xc, mu, b);
  target += student_t_lpdf(Intercept | 3, location, scale);
  target += student_t_lpdf(sd_1 | 3, 0, scale) - student_t_lccdf(0 | 3, 0, scale);
  target += std_normal_lpdf(z_1);
  target += student_t_lpdf(sd_2 | 3, 0, scale) - student_t_lccdf(0 | 3, 0, scale);
  target += std_normal_lpdf(z_2);
}
generated quantities {
  real b_Intercept = Intercept - dot_product(means_X, b);
}
