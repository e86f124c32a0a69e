// W points with their numbers side by side, and small vectors and matrices of such packs.
#pragma once
#include <algorithm>
#include <vector>

#include "families.hpp"
#include "kernel.hpp"

namespace {

using Family = FAMILY;
constexpr int A = Family::A;
constexpr bool ORDERED = std::is_same<Family, Cumulative>::value;

template <int M>
struct Vector {
  Pack at[M];
  Pack& operator[](int m) { return at[m]; }
  const Pack& operator[](int m) const { return at[m]; }
};
template <int M>
struct Matrix {
  Pack at[M][M];
};

// W points with their numbers side by side.
template <int M>
struct Lanes {
  std::vector<Pack> b, b_aux, threshold, other;
  Matrix<M> T;
  Pack aux[A + 1];

  Lanes(const Rows& rows, const Points& points, int64_t first)
      : b(rows.K), b_aux(rows.S), threshold(rows.Q), other(rows.U) {
    auto gather = [&](Pack& pack, const double* from, int64_t width, int64_t at) {
      for (int l = 0; l < W; ++l) pack[l] = from[std::min(first + l, points.B - 1) * width + at];
    };
    for (int k = 0; k < rows.K; ++k) gather(b[k], points.b, rows.K, k);
    for (int s = 0; s < rows.S; ++s) gather(b_aux[s], points.b_aux, rows.S, s);
    for (int q = 0; q < rows.Q; ++q) gather(threshold[q], points.threshold, rows.Q, q);
    for (int64_t u = 0; u < rows.U; ++u) gather(other[u], points.other, rows.U, u);
    for (int a = 0; a < M; ++a)
      for (int c = 0; c < M; ++c) gather(T.at[a][c], points.T, M * M, a * M + c);
    for (int a = 0; a < (ORDERED ? 0 : A); ++a) gather(aux[a], points.aux, A, a);
    for (int a = 0; a < (ORDERED ? 0 : A); ++a) aux[a] = min(aux[a], rows.aux_most[a]);
  }
};

Pack inverse_link(const Pack& x, int link) {
  if (link == 1) return inv_logit(x);
  return exp(x) + (link == 2 ? 1.0 : 0.0);
}

// Derivative of an auxiliary parameter in its linear predictor.
Pack link_slope(const Pack& value, int link) {
  if (link == 1) return value * (1.0 - value);
  return link == 2 ? value - 1.0 : value;
}

}  // namespace
