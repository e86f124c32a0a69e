// population: b_Intercept b[*] sd_1
// As brms would write a binary outcome with a varying intercept: standardised effects, GLM density.
data {
  int<lower=1> N;
  array[N] int<lower=0, upper=1> y;
  int<lower=1> K;
  matrix[N, K] X;
  int<lower=1> J_1;
  array[N] int<lower=1> g_1;
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
}
transformed parameters {
  vector[J_1] r_1 = sd_1 * z_1;
}
model {
  vector[N] mu = rep_vector(Intercept, N);
  for (n in 1 : N) mu[n] += r_1[g_1[n]];
  target += bernoulli_logit_glm_lpmf(y | Xc, mu, b);
  target += student_t_lpdf(Intercept | 3, location, scale);
  target += student_t_lpdf(sd_1 | 3, 0, scale) - student_t_lccdf(0 | 3, 0, scale);
  target += std_normal_lpdf(z_1);
}
generated quantities {
  real b_Intercept = Intercept - dot_product(means_X, b);
}
