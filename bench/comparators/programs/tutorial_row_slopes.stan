// population: a mu_b sigma_b eps
// One slope for every row, as the tutorial has it.
data {
  int<lower=1> N;
  vector[N] x;
  vector[N] y;
}
parameters {
  real a;
  real mu_b;
  real<lower=0, upper=100> sigma_b;
  real<lower=0, upper=10> eps;
  vector[N] b;
}
model {
  a ~ normal(0, 10000);
  mu_b ~ normal(0, 10000);
  b ~ normal(mu_b, sigma_b);
  y ~ normal(a + b .* x, eps);
}
