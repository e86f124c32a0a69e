// population: a b[1] tau_1 tau_2 tau_3 sigma
// Three crossed factors, as tutorials write it: effects drawn around 0, a loop over the rows.
data {
  int<lower=1> N;
  int<lower=1> K;
  matrix[N, K] X;
  int<lower=1> J_1;
  int<lower=1> J_2;
  int<lower=1> J_3;
  array[N] int<lower=1, upper=J_1> g_1;
  array[N] int<lower=1, upper=J_2> g_2;
  array[N] int<lower=1, upper=J_3> g_3;
  vector[N] y;
}
parameters {
  real a;
  vector[K] b;
  vector[J_1] u;
  vector[J_2] v;
  vector[J_3] w;
  real<lower=0> tau_1;
  real<lower=0> tau_2;
  real<lower=0> tau_3;
  real<lower=0> sigma;
}
model {
  a ~ normal(0, 10);
  b ~ normal(0, 10);
  tau_1 ~ cauchy(0, 2.5);
  tau_2 ~ cauchy(0, 2.5);
  tau_3 ~ cauchy(0, 2.5);
  sigma ~ cauchy(0, 5);
  u ~ normal(0, tau_1);
  v ~ normal(0, tau_2);
  w ~ normal(0, tau_3);
  for (n in 1 : N)
    y[n] ~ normal(a + X[n] * b + u[g_1[n]] + v[g_2[n]] + w[g_3[n]], sigma);
}
