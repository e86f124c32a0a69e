// population: a b[1] b[2] b[3] b[4] b[5] b[6] tau_1 tau_2
// Two crossed factors and a binary outcome, as tutorials write it: effects drawn around 0, a loop over the rows.
data {
  int<lower=1> N;
  int<lower=1> K;
  matrix[N, K] X;
  int<lower=1> J_1;
  int<lower=1> J_2;
  array[N] int<lower=1, upper=J_1> g_1;
  array[N] int<lower=1, upper=J_2> g_2;
  array[N] int<lower=0, upper=1> y;
}
parameters {
  real a;
  vector[K] b;
  vector[J_1] u;
  vector[J_2] v;
  real<lower=0> tau_1;
  real<lower=0> tau_2;
}
model {
  a ~ normal(0, 10);
  b ~ normal(0, 10);
  tau_1 ~ cauchy(0, 2.5);
  tau_2 ~ cauchy(0, 2.5);
  u ~ normal(0, tau_1);
  v ~ normal(0, tau_2);
  for (n in 1 : N)
    y[n] ~ bernoulli_logit(a + X[n] * b + u[g_1[n]] + v[g_2[n]]);
}
