// The integral of exp(g) over the effects of one level, and its derivatives, from nodes around the mode.
#pragma once
#include <vector>

#include "mode.hpp"

namespace {

// Nodes of all effects: an odometer over n_nodes ^ M.
template <int M>
struct Nodes {
  const Rows& rows;
  int at[M] = {};
  explicit Nodes(const Rows& rows_) : rows(rows_) {}
  bool next() {
    for (int m = M - 1; m >= 0; --m) {
      if (++at[m] < rows.n_nodes) return true;
      at[m] = 0;
    }
    return false;
  }
  double log_weight() const {
    double sum = 0;
    for (int m = 0; m < M; ++m) sum += rows.log_weights[at[m]];
    return sum;
  }
  Vector<M> place(const Mode<M>& mode) const {
    Vector<M> v;
    for (int a = 0; a < M; ++a) {
      v[a] = mode.v[a];
      for (int c = 0; c <= a; ++c) v[a] += mode.S.at[a][c] * rows.nodes[at[c]];
    }
    return v;
  }
};

// Sums of derivatives over levels.
template <int M>
struct Sums {
  std::vector<Pack> b, aux, b_aux, threshold, other;
  Matrix<M> T;
  explicit Sums(const Rows& rows)
      : b(rows.K, all(0.0)), aux(A, all(0.0)), b_aux(rows.S, all(0.0)), threshold(rows.Q, all(0.0)),
        other(rows.U, all(0.0)) {
    for (auto& row : T.at)
      for (auto& pack : row) pack = all(0.0);
  }
};

template <int M>
void add_slopes(Level<M>& level, const Mode<M>& mode, const std::vector<Pack>& shares, Sums<M>& sums) {
  const Rows& rows = level.rows;
  std::vector<Pack> first(level.n, all(0.0)), aux(level.n * A, all(0.0));
  for (int i = 0; i < level.n && A > 0; ++i) {
    Pack own[A + 1];
    level.family.aux_base(level.row(i), level.aux_of(i), own);
    for (int a = 0; a < A; ++a) aux[i * A + a] = level.weight(i) * own[a];
  }
  Nodes<M> nodes(rows);
  int q = 0;
  do {
    const Vector<M> v = nodes.place(mode), u = level.effects(v);
    const Pack& share = shares[q++];
    Vector<M> s;
    for (int a = 0; a < M; ++a) s[a] = all(0.0);
    if (level.is_short && nodes.at[M - 1] == 0) level.spread(u);
    const bool briefly = level.has_digits(u);
    const Pack t = briefly ? exp(u[M - 1]) : all(0.0);
    for (int i = 0; i < level.n; ++i) {
      const Pack eta = level.at(i, u);
      const Slopes slopes = briefly ? level.short_slopes(i, t) : level.family.slopes(level.row(i), eta, level.aux_of(i));
      const Pack own = level.weight(i) * share * slopes.first;
      first[i] += own;
      for (int a = 0; a < M; ++a) s[a] += level.z(a, i) * own;
      if (A > 0) {
        Pack of_aux[A + 1];
        if (ORDERED && briefly) level.short_sides(i, t, of_aux);
        else level.family.aux_slopes(level.row(i), eta, level.aux_of(i), of_aux);
        for (int a = 0; a < A; ++a) aux[i * A + a] += level.weight(i) * share * of_aux[a];
      }
    }
    for (int a = 0; a < M; ++a)
      for (int c = 0; c <= a; ++c) sums.T.at[a][c] += s[a] * v[c];
  } while (nodes.next());
  for (int k = 0; k < rows.K; ++k) {
    const double* x = rows.X + k * rows.n_rows + level.first;
    for (int i = 0; i < level.n; ++i) sums.b[k] += x[i] * first[i];
  }
  for (int d = 0; d < rows.D; ++d)
    for (int i = 0; i < level.n; ++i)
      sums.other[rows.code[d * rows.n_rows + level.first + i]] += rows.V[d * rows.n_rows + level.first + i] * first[i];
  for (int i = 0; i < level.n; ++i) {
    if (ORDERED) {
      const int y = static_cast<int>(rows.y[level.first + i]);
      if (y > 0) sums.threshold[y - 1] += aux[i * A];
      if (y < rows.Q) sums.threshold[y] += aux[i * A + 1];
      continue;
    }
    for (int a = 0, s = 0; a < A; ++a) {
      if (rows.S_of[a] == 0) {
        sums.aux[a] += aux[i * A + a];
        continue;
      }
      const Pack own = aux[i * A + a] * link_slope(level.aux_of(i)[a], rows.aux_link[a]);
      for (int e = s + rows.S_of[a]; s < e; ++s) sums.b_aux[s] += rows.X_aux[s * rows.n_rows + level.first + i] * own;
    }
  }
}

// What the integrand's logs are at all nodes, with the weights of these; the highest is returned.
template <int M>
Pack look_at_nodes(Level<M>& level, const Mode<M>& mode, std::vector<Pack>& values) {
  values.clear();
  Nodes<M> nodes(level.rows);
  Pack highest = all(LOWEST);
  do {
    const Vector<M> v = nodes.place(mode), u = level.effects(v);
    if (level.is_short && nodes.at[M - 1] == 0) level.spread(u);
    const Pack value = level.has_digits(u) ? level.short_value(u) : level.long_value(u);
    values.push_back(value - 0.5 * squares(v) + nodes.log_weight());
    highest = max(highest, values.back());
  } while (nodes.next());
  return highest;
}

// log density of one level
template <int M>
Pack integrate(Level<M>& level, const Mode<M>& mode, std::vector<Pack>& values, Sums<M>* sums) {
  const Pack highest = look_at_nodes(level, mode, values);
  Pack sum = all(0.0);
  for (Pack& value : values) {
    value = exp(value - highest);
    sum += value;
  }
  if (sums) {
    for (Pack& value : values) value /= sum;
    add_slopes(level, mode, values, *sums);
  }
  return highest + log(sum) + mode.log_det + level.base();
}

}  // namespace
