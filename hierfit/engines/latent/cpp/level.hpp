// The rows of one level as W points see them: g, its slope and curvature at effects v, in short forms where these do.
#pragma once
#include <limits>

#include "lanes.hpp"

namespace {

constexpr double HIGHEST = 80;   // of exponents in short forms: products of TOGETHER do not overflow
constexpr double HIGHEST_ALONE = 600;  // of exponents without the last effect, which exp must have
constexpr int TOGETHER = 8, SMALL_COUNTS = 256;
constexpr double LOWEST = -std::numeric_limits<double>::infinity();

// The rows of one level as W points see them.
template <int M>
struct Level {
  const Rows& rows;
  const Lanes<M>& lanes;
  const Family family;
  int64_t first = 0;
  int n = 0;
  bool aux_of_rows;
  std::vector<Pack> eta, aux;  // without the level's effects
  // of families of a short form: whether it has the digits here; exp(eta - shift), the same with the effects of slopes,
  // its largest exponent, the weighted sum of it; and what speaks for eta without effects, and in each of these.
  // `_below` and `low` are those of the other side
  bool is_short = false;
  std::vector<Pack> e, spread_e, e_below, spread_below;
  const Pack *f = nullptr, *f_below = nullptr;
  Pack top_eta, top, low_eta, low, total, extra, speaks;
  double speaks_of[M];
  // the base of small counts, once it is known
  std::vector<Pack> base_of_y;
  std::vector<bool> is_known;

  Level(const Rows& rows_, const Lanes<M>& lanes_)
      : rows(rows_), lanes(lanes_), family{rows_.link}, aux_of_rows(ORDERED || rows_.S > 0),
        base_of_y(Family::BASE_OF_Y ? SMALL_COUNTS : 0), is_known(base_of_y.size()) {}

  void load(int64_t level) {
    first = rows.start[level];
    n = static_cast<int>(rows.start[level + 1] - first);
    eta.resize(n);
    for (int i = 0; i < n; ++i) eta[i] = all(rows.fixed[first + i]);
    for (int k = 0; k < rows.K; ++k) {
      const double* x = rows.X + k * rows.n_rows + first;
      for (int i = 0; i < n; ++i) eta[i] += x[i] * lanes.b[k];
    }
    for (int d = 0; d < rows.D; ++d) {
      const double* v = rows.V + d * rows.n_rows + first;
      const int64_t* code = rows.code + d * rows.n_rows + first;
      for (int i = 0; i < n; ++i) eta[i] += v[i] * lanes.other[code[i]];
    }
    if (aux_of_rows) {
      aux.resize(n * A);
      for (int i = 0; i < n; ++i) load_aux(i);
    }
    is_short = rows.ones_last && family.form() != Form::NONE && (ORDERED || !aux_of_rows);
    if (is_short) load_short();
  }

  void load_sides() {
    e.resize(n);
    e_below.resize(n);
    top_eta = low_eta = all(-HIGHEST);
    speaks = all(0.0);
    for (int m = 0; m < M; ++m) speaks_of[m] = 0;
    for (int i = 0; i < n; ++i) {
      const Pack above = eta[i] - aux_of(i)[1], below = aux_of(i)[0] - eta[i];
      top_eta = max(top_eta, above);
      low_eta = max(low_eta, below);
      e[i] = exp(above);
      e_below[i] = exp(below);
    }
  }

  void load_short() {
    if (family.form() == Form::TWO_SIDED) return load_sides();
    e.resize(n);
    const Pack shift = family.shift(lanes.aux);
    extra = family.extra(lanes.aux);
    top_eta = all(-HIGHEST);
    speaks = all(0.0);
    for (int m = 0; m < M; ++m) speaks_of[m] = 0;
    for (int i = 0; i < n; ++i) {
      const Pack odds = eta[i] - shift;
      const double wy = weight(i) * rows.y[first + i];
      top_eta = max(top_eta, odds);
      speaks += wy * odds;
      for (int m = 0; m < M; ++m) speaks_of[m] += wy * z(m, i);
      e[i] = exp(odds);
    }
  }

  // Carry e to effects of slopes, the last effect being that of ones.
  void spread(const Vector<M>& u) {
    if (M == 1) {
      f = e.data();
      f_below = e_below.data();
      top = top_eta;
      low = low_eta;
    } else {
      spread_e.resize(n);
      spread_below.resize(ORDERED ? n : 0);
      top = low = all(-HIGHEST);
      for (int i = 0; i < n; ++i) {
        Pack moved = z(0, i) * u[0];
        for (int m = 1; m < M - 1; ++m) moved += z(m, i) * u[m];
        top = max(top, moved);
        spread_e[i] = e[i] * exp(moved);
        if (!ORDERED) continue;
        low = max(low, -moved);
        spread_below[i] = e_below[i] * exp(-moved);
      }
      top += top_eta;
      low += low_eta;
      f = spread_e.data();
      f_below = spread_below.data();
    }
    if (family.form() != Form::EXPONENTIAL) return;
    total = all(0.0);
    for (int i = 0; i < n; ++i) total += weight(i) * f[i];
  }

  bool has_digits(const Vector<M>& u) const {
    const Pack highest = max(top, top_eta), lowest = max(low, low_eta);
    if (!is_short || any((highest + u[M - 1] > HIGHEST) | (highest > HIGHEST_ALONE))) return false;
    return !ORDERED || !any((lowest - u[M - 1] > HIGHEST) | (lowest > HIGHEST_ALONE));
  }

  // What `value` is, after `spread`: logs of products, of rows that count alike.
  Pack short_value(const Vector<M>& u) const {
    const Pack t = exp(u[M - 1]);
    Pack sum = speaks;
    for (int m = 0; m < M; ++m) sum += speaks_of[m] * u[m];
    if (family.form() == Form::EXPONENTIAL) return sum - t * total;
    const Pack t_below = ORDERED ? 1.0 / t : t;
    for (int i = 0; i < n && ORDERED;) {
      const double weight_i = weight(i);
      const int stop = std::min(n, i + TOGETHER / 2);
      Pack product = (1.0 + f[i] * t) * (1.0 + f_below[i] * t_below);
      for (++i; i < stop && weight(i) == weight_i; ++i) product *= (1.0 + f[i] * t) * (1.0 + f_below[i] * t_below);
      sum -= weight_i * log(product);
    }
    for (int i = 0; i < n && !ORDERED;) {
      const double weight_i = weight(i), count_i = family.count(row(i));
      const int stop = std::min(n, i + TOGETHER);
      Pack product = 1.0 + f[i] * t;
      for (++i; i < stop && weight(i) == weight_i && family.count(row(i)) == count_i; ++i) product *= 1.0 + f[i] * t;
      sum -= weight_i * (count_i + extra) * log(product);
    }
    return sum;
  }

  // Derivatives of a row of the two-sided form in the thresholds below and above it, after `spread`.
  void short_sides(int i, const Pack& t, Pack* out) const {
    out[0] = t / (t + f_below[i]) - 1.0;
    out[1] = 1.0 - 1.0 / (1.0 + f[i] * t);
  }

  // First derivative of a row in eta and its curvature, after `spread`.
  Slopes short_slopes(int i, const Pack& t) const {
    if (family.form() == Form::EXPONENTIAL) return {rows.y[first + i] - f[i] * t, f[i] * t};
    if (ORDERED) {
      Pack side[A + 1];
      short_sides(i, t, side);
      return {-side[0] - side[1], side[1] * (1.0 - side[1]) - side[0] * (1.0 + side[0])};
    }
    const Pack count = family.count(row(i)) + extra, rest = 1.0 / (1.0 + f[i] * t), p = 1.0 - rest;
    return {rows.y[first + i] - count * p, count * p * rest};
  }

  void load_aux(int i) {
    Pack* own = aux.data() + i * A;
    if (ORDERED) {
      const int y = static_cast<int>(rows.y[first + i]);
      own[0] = y == 0 ? all(-Cumulative::FAR) : lanes.threshold[y - 1];
      own[1] = y == rows.Q ? all(Cumulative::FAR) : lanes.threshold[y];
      return;
    }
    for (int a = 0, s = 0; a < A; ++a) {
      if (rows.S_of[a] == 0) {
        own[a] = lanes.aux[a];
        continue;
      }
      Pack linked = all(0.0);
      for (int e = s + rows.S_of[a]; s < e; ++s) linked += rows.X_aux[s * rows.n_rows + first + i] * lanes.b_aux[s];
      own[a] = min(inverse_link(linked, rows.aux_link[a]), rows.aux_most[a]);
    }
  }

  Row row(int i) const { return {rows.y[first + i], rows.trials ? rows.trials[first + i] : 1.0}; }
  double weight(int i) const { return rows.weights ? rows.weights[first + i] : 1.0; }
  double z(int m, int i) const { return rows.Z[m * rows.n_rows + first + i]; }
  const Pack* aux_of(int i) const { return aux_of_rows ? aux.data() + i * A : lanes.aux; }

  Pack at(int i, const Vector<M>& u) const {
    Pack sum = eta[i];
    for (int m = 0; m < M; ++m) sum += z(m, i) * u[m];
    return sum;
  }

  Vector<M> effects(const Vector<M>& v) const {
    Vector<M> u;
    for (int a = 0; a < M; ++a) {
      u[a] = lanes.T.at[a][0] * v[0];
      for (int c = 1; c < M; ++c) u[a] += lanes.T.at[a][c] * v[c];
    }
    return u;
  }

  // log density of the rows at effects, without their base
  Pack value(const Vector<M>& u) {
    if (is_short) {
      spread(u);
      if (has_digits(u)) return short_value(u);
    }
    return long_value(u);
  }

  Pack long_value(const Vector<M>& u) const {
    Pack sum = all(0.0);
    for (int i = 0; i < n; ++i) sum += weight(i) * family.value(row(i), at(i, u), aux_of(i));
    return sum;
  }

  Pack base() {
    Pack sum = all(0.0);
    for (int i = 0; i < n; ++i) sum += weight(i) * base_of(i);
    return sum;
  }

  Pack base_of(int i) {
    const Row own = row(i);
    if (!Family::BASE_OF_Y || aux_of_rows || own.y >= SMALL_COUNTS) return family.base(own, aux_of(i));
    const int y = static_cast<int>(own.y);
    if (!is_known[y]) base_of_y[y] = family.base(own, lanes.aux);
    is_known[y] = true;
    return base_of_y[y];
  }

  // derivatives of `value` in the effects, and their curvature
  void slopes(const Vector<M>& u, Vector<M>& s, Matrix<M>& h) {
    if (is_short) spread(u);
    const bool briefly = has_digits(u);
    const Pack t = briefly ? exp(u[M - 1]) : all(0.0);
    for (int a = 0; a < M; ++a) {
      s[a] = all(0.0);
      for (int c = 0; c <= a; ++c) h.at[a][c] = all(0.0);
    }
    for (int i = 0; i < n; ++i) {
      const Slopes own = briefly ? short_slopes(i, t) : family.slopes(row(i), at(i, u), aux_of(i));
      const double w = weight(i);
      for (int a = 0; a < M; ++a) {
        const double za = w * z(a, i);
        s[a] += za * own.first;
        for (int c = 0; c <= a; ++c) h.at[a][c] += za * z(c, i) * own.curvature;
      }
    }
  }
};

}  // namespace
