// What Python hands over (hierfit/engines/latent/kernel.py has the same in the same order), and what all families share.
#pragma once
#include <cstdint>

extern "C" {

// Rows, sorted by level, and what else is the same for all points. Arrays of columns are column by column.
struct Rows {
  int64_t n_rows, n_levels;
  const int64_t* start;     // [n_levels + 1], where the rows of each level begin
  const double* y;          // [n_rows]
  const double* trials;     // [n_rows], or null
  const double* weights;    // [n_rows], or null: 1
  const double* fixed;      // [n_rows], what eta has without coefficients and effects
  const double* X;          // [K][n_rows]
  const double* Z;          // [M][n_rows]; effects are ordered so that ones, where there are any, are the last column
  const double* X_aux;      // [S][n_rows], columns that predict auxiliaries, one auxiliary's after the other's
  const int32_t* S_of;      // [A], how many of each; 0: it is one number
  const int32_t* aux_link;  // [A], 0: log, 1: logit, 2: log of what is above 1
  const double* aux_most;   // [A], above it the density is that at this value
  const int64_t* code;      // [D][n_rows], which of the other effects each of D further columns multiplies
  const double* V;          // [D][n_rows], these columns
  int32_t K, M, A, S, D, Q; // Q thresholds
  int64_t U;                // other effects
  int32_t link, ones_last, n_nodes;
  const double* nodes;      // [n_nodes], of Gauss and Hermite, in sds
  const double* log_weights;
  double* mode;             // [n_levels][M], effects at the mode of a point not far; written by `remember`
  double* pull;             // [n_levels][M], what the rows say there: derivatives of their log density in the effects
};

// B points.
struct Points {
  int64_t B;
  const double* b;          // [B][K]
  const double* T;          // [B][M][M], square roots of the covariance of effects, lower triangles
  const double* aux;        // [B][A]
  const double* b_aux;      // [B][S]
  const double* threshold;  // [B][Q]
  const double* other;      // [B][U]
};

// What comes back; null where it is not wanted.
struct Found {
  double* log_density;      // [B], of the outcome, effects integrated out
  double* by_level;         // [B][n_levels], its parts
  double *b, *T, *aux, *b_aux, *threshold, *other;  // derivatives in all these, shaped like them
  double* curvature;        // [1], mean curvature of a row's log density in eta at the modes of the first point
};
}
