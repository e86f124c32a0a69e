// The log density of an outcome given coefficients, sds and auxiliary parameters, effects of one grouping factor being
// integrated out level by level: adaptive Gauss-Hermite quadrature (Liu & Pierce 1994; Pinheiro & Bates 1995).
//
// With effects u = T v, v standard normal, a level's density is the integral of exp(g(v)), g(v) = sum over its rows of
// log p(y | eta + z'T v) - v'v / 2. The mode of g is found by damped Newton steps; nodes lie around it in the metric of
// the curvature there. Derivatives are expectations over the nodes (Fisher's identity). Compiled once for each family,
// which FAMILY names.
#include "effects.hpp"
#include "evaluate.hpp"

extern "C" {

int n_auxiliaries() { return ORDERED ? 0 : A; }

// Log densities and derivatives of points; `remember` keeps the modes of the first for the next call.
int latent_evaluate(const Rows* rows, const Points* points, Found* found, int n_threads, int remember) {
  switch (rows->M) {
    case 1: evaluate<1>(*rows, *points, *found, n_threads, remember); return 0;
    case 2: evaluate<2>(*rows, *points, *found, n_threads, remember); return 0;
    case 3: evaluate<3>(*rows, *points, *found, n_threads, remember); return 0;
  }
  return 1;
}

// A draw of the effects given each point [B][n_levels][M]; `first_point` is the number of the first point.
int latent_effects(const Rows* rows, const Points* points, int steps, uint64_t seed, int64_t first_point, double* u,
                   double* accepted, int n_threads) {
  switch (rows->M) {
    case 1: draw_effects<1>(*rows, *points, steps, seed, first_point, u, accepted, n_threads); return 0;
    case 2: draw_effects<2>(*rows, *points, steps, seed, first_point, u, accepted, n_threads); return 0;
    case 3: draw_effects<3>(*rows, *points, steps, seed, first_point, u, accepted, n_threads); return 0;
  }
  return 1;
}
}
