// What tests call of pack.hpp: each function on n numbers.
#include "pack.hpp"

template <class Function>
static void each(const double* x, double* y, int64_t n, Function&& of) {
  for (int64_t at = 0; at < n; at += W) {
    Pack pack = all(1.0);
    for (int l = 0; l < W && at + l < n; ++l) pack[l] = x[at + l];
    const Pack found = of(pack);
    for (int l = 0; l < W && at + l < n; ++l) y[at + l] = found[l];
  }
}

#define HOOK(name, value) \
  extern "C" void hook_##name(const double* x, double* y, int64_t n) { \
    each(x, y, n, [](const Pack& pack) { return value; }); \
  }

HOOK(exp, exp(pack))
HOOK(expm1, expm1(pack))
HOOK(log, log(pack))
HOOK(log1p, log1p(pack))
HOOK(log1m_exp, log1m_exp(pack))
HOOK(log1p_exp, log1p_exp(pack))
HOOK(inv_logit, inv_logit(pack))
HOOK(log_gamma, log_gamma(pack))
HOOK(digamma, gammas(pack).digamma)
HOOK(trigamma, gammas(pack).trigamma)
HOOK(log_cdf, normal_tail(pack).log_cdf)
HOOK(mills, normal_tail(pack).ratio)
