// population: a b tau[1] tau[2] Omega[1,2] sigma
// Intercept and slope of every group vary together, as tutorials write it: each group's pair is drawn around 0.
data {
  int<lower=1> N;
  int<lower=1> J_1;
  array[N] int<lower=1, upper=J_1> g_1;
  vector[N] x;
  vector[N] y;
}
parameters {
  real a;
  real b;
  array[J_1] vector[2] u;
  vector<lower=0>[2] tau;
  corr_matrix[2] Omega;
  real<lower=0> sigma;
}
model {
  a ~ normal(0, 100);
  b ~ normal(0, 100);
  tau ~ cauchy(0, 2.5);
  Omega ~ lkj_corr(1);
  sigma ~ cauchy(0, 5);
  u ~ multi_normal(rep_vector(0, 2), quad_form_diag(Omega, tau));
  for (n in 1 : N)
    y[n] ~ normal(a + u[g_1[n], 1] + (b + u[g_1[n], 2]) * x[n], sigma);
}
