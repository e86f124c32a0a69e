// A program without parameters: the sampler only draws the generated quantities.
data {
  real scale;
}
generated quantities {
  real z = normal_rng(0, scale);
}
