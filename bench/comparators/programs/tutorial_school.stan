// population: alpha beta sigma_y
// The school regression as the tutorial has it: the sd between schools is fixed at 1.
data {
  int<lower=1> N;
  int<lower=1> J_1;
  array[N] int<lower=1, upper=J_1> g_1;
  vector[N] x;
  vector[N] y;
}
parameters {
  real alpha;
  real beta;
  vector[J_1] eta;
  real<lower=0> sigma_y;
}
model {
  alpha ~ normal(0, 10);
  beta ~ normal(0, 10);
  eta ~ normal(0, 1);
  sigma_y ~ cauchy(0, 5);
  for (n in 1 : N)
    y[n] ~ normal(alpha + beta * x[n] + eta[g_1[n]], sigma_y);
}
