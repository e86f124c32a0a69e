// population: b_Intercept b[1] sd_1[1] sd_1[2] cor_1 sigma
// As brms would write intercept and slope that vary together: standardised effects, Cholesky factor, GLM density.
data {
  int<lower=1> N;
  vector[N] y;
  int<lower=1> K;
  matrix[N, K] X;
  vector[N] x;
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
  real<lower=0> sigma;
  vector<lower=0>[2] sd_1;
  matrix[2, J_1] z_1;
  cholesky_factor_corr[2] L_1;
}
transformed parameters {
  matrix[J_1, 2] r_1 = (diag_pre_multiply(sd_1, L_1) * z_1)';
  vector[J_1] r_1_1 = r_1[, 1];
  vector[J_1] r_1_2 = r_1[, 2];
}
model {
  vector[N] mu = rep_vector(Intercept, N);
  for (n in 1 : N) mu[n] += r_1_1[g_1[n]] + r_1_2[g_1[n]] * x[n];
  target += normal_id_glm_lpdf(y | Xc, mu, b, sigma);
  target += student_t_lpdf(Intercept | 3, location, scale);
  target += student_t_lpdf(sigma | 3, 0, scale) - student_t_lccdf(0 | 3, 0, scale);
  target += student_t_lpdf(sd_1 | 3, 0, scale) - 2 * student_t_lccdf(0 | 3, 0, scale);
  target += std_normal_lpdf(to_vector(z_1));
  target += lkj_corr_cholesky_lpdf(L_1 | 1);
}
generated quantities {
  real b_Intercept = Intercept - dot_product(means_X, b);
  real cor_1 = multiply_lower_tri_self_transpose(L_1)[1, 2];
}
