// population: b_Intercept b[1] sd_1 sd_2 sd_3 sigma
// As brms would write three crossed factors: standardised effects, GLM density.
data {
  int<lower=1> N;
  vector[N] y;
  int<lower=1> K;
  matrix[N, K] X;
  int<lower=1> J_1;
  array[N] int<lower=1> g_1;
  int<lower=1> J_2;
  array[N] int<lower=1> g_2;
  int<lower=1> J_3;
  array[N] int<lower=1> g_3;
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
  real<lower=0> sigma;
  real<lower=0> sd_1;
  vector[J_1] z_1;
  real<lower=0> sd_2;
  vector[J_2] z_2;
  real<lower=0> sd_3;
  vector[J_3] z_3;
}
transformed parameters {
  vector[J_1] r_1 = sd_1 * z_1;
  vector[J_2] r_2 = sd_2 * z_2;
  vector[J_3] r_3 = sd_3 * z_3;
}
model {
  vector[N] mu = rep_vector(Intercept, N);
  for (n in 1 : N) mu[n] += r_1[g_1[n]] + r_2[g_2[n]] + r_3[g_3[n]];
  target += normal_id_glm_lpdf(y | Xc, mu, b, sigma);
  target += student_t_lpdf(Intercept | 3, location, scale);
  target += student_t_lpdf(sigma | 3, 0, scale) - student_t_lccdf(0 | 3, 0, scale);
  target += student_t_lpdf(sd_1 | 3, 0, scale) - student_t_lccdf(0 | 3, 0, scale);
  target += std_normal_lpdf(z_1);
  target += student_t_lpdf(sd_2 | 3, 0, scale) - student_t_lccdf(0 | 3, 0, scale);
  target += std_normal_lpdf(z_2);
  target += student_t_lpdf(sd_3 | 3, 0, scale) - student_t_lccdf(0 | 3, 0, scale);
  target += std_normal_lpdf(z_3);
}
generated quantities {
  real b_Intercept = Intercept - dot_product(means_X, b);
}
