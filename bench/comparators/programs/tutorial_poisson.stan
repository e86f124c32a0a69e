// population: a b[*] tau
// Counts with a varying intercept, as tutorials write it: effects drawn around 0, a loop over the rows.
data {
  int<lower=1> N;
  int<lower=1> K;
  matrix[N, K] X;
  int<lower=1> J_1;
  array[N] int<lower=1, upper=J_1> g_1;
  array[N] int<lower=0> y;
}
parameters {
  real a;
  vector[K] b;
  vector[J_1] u;
  real<lower=0> tau;
}
model {
  a ~ normal(0, 10);
  b ~ normal(0, 10);
  tau ~ cauchy(0, 2.5);
  u ~ normal(0, tau);
  for (n in 1 : N)
    y[n] ~ poisson_log(a + X[n] * b + u[g_1[n]]);
}
