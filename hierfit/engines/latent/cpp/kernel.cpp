// The log density of an outcome given coefficients, sds and auxiliary parameters, effects of one grouping factor being
// integrated out level by level: adaptive Gauss-Hermite quadrature (Liu & Pierce 1994; Pinheiro & Bates 1995).
//
// With effects u = T v, v standard normal, a level's density is the integral of exp(g(v)), g(v) = sum over its rows of
// log p(y | eta + z'T v) - v'v / 2. The mode of g is found by damped Newton steps; nodes lie around it in the metric of
// the curvature there. Derivatives are expectations over the nodes (Fisher's identity). Compiled once for each family,
// which FAMILY names.
#include "kernel.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "families.hpp"

using Family = FAMILY;
constexpr int A = Family::A;
constexpr bool ORDERED = std::is_same<Family, Cumulative>::value;

namespace {

constexpr double NEAR = 1e-3;    // the squared distance from a mode, in sds, at which a last step is taken
constexpr double STEADY = 0.1;   // change of the log determinant of S over a step, as long as which it does not end
constexpr double FAR_OFF = 0.5;  // and beyond which a step is taken only as far as it leads uphill
constexpr int MOST_STEPS = 200, MOST_HALVINGS = 60;  // an exponent that is too high by 100 takes 100 steps
constexpr double HIGHEST = 80;   // of exponents in short forms: products of TOGETHER do not overflow
constexpr double HIGHEST_ALONE = 600;  // of exponents without the last effect, which exp must have
constexpr int TOGETHER = 8, SMALL_COUNTS = 256;
constexpr double LOWEST = -std::numeric_limits<double>::infinity();

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

template <int M>
Pack squares(const Vector<M>& v) {
  Pack sum = v[0] * v[0];
  for (int m = 1; m < M; ++m) sum += v[m] * v[m];
  return sum;
}

// The mode of g, and S with S S' the inverse of the curvature there.
template <int M>
struct Mode {
  Vector<M> v;
  Matrix<M> S;
  Vector<M> pull;
  Pack log_det;   // of S
  Pack curvature; // of the rows in the first effect
};

// Newton's step from v, and what is known there.
template <int M>
struct Step {
  Matrix<M> S;
  Vector<M> full, pull;
  Pack log_det, curvature, distance;
};

template <int M>
Step<M> newton_step(Level<M>& level, const Vector<M>& v) {
  Step<M> found;
  const Matrix<M>& T = level.lanes.T;
  Matrix<M> h, hT, C;
  level.slopes(level.effects(v), found.pull, h);
  found.curvature = h.at[0][0];
  // gradient T's - v; curvature I + T'h T = C C', C upper triangular, so that S = C'^-1 is lower triangular
  Vector<M> gradient, move;
  for (int a = 0; a < M; ++a) {
    gradient[a] = -v[a];
    for (int c = 0; c < M; ++c) {
      gradient[a] += T.at[c][a] * found.pull[c];
      hT.at[c][a] = all(0.0);
      for (int e = a; e < M; ++e) hT.at[c][a] += (c >= e ? h.at[c][e] : h.at[e][c]) * T.at[e][a];
    }
  }
  found.log_det = all(0.0);
  for (int a = M - 1; a >= 0; --a)
    for (int c = M - 1; c >= a; --c) {
      Pack sum = all(a == c ? 1.0 : 0.0);
      for (int e = a; e < M; ++e) sum += T.at[e][a] * hT.at[e][c];
      for (int e = c + 1; e < M; ++e) sum -= C.at[a][e] * C.at[c][e];
      C.at[a][c] = a == c ? sqrt(sum) : sum / C.at[c][c];
      if (a == c) found.log_det -= log(C.at[a][a]);
    }
  for (int c = 0; c < M; ++c)
    for (int a = c; a < M; ++a) {
      Pack sum = all(a == c ? 1.0 : 0.0);
      for (int e = c; e < a; ++e) sum -= C.at[e][a] * found.S.at[e][c];
      found.S.at[a][c] = sum / C.at[a][a];
    }
  for (int c = 0; c < M; ++c) {
    move[c] = all(0.0);
    for (int a = c; a < M; ++a) move[c] += found.S.at[a][c] * gradient[a];
  }
  for (int a = 0; a < M; ++a) {
    found.full[a] = all(0.0);
    for (int c = 0; c <= a; ++c) found.full[a] += found.S.at[a][c] * move[c];
  }
  found.distance = squares(move);
  return found;
}

// Where a search begins: the nearer to 0 of T^-1 u and T' pull, which are the same where both were remembered.
template <int M>
Vector<M> first_place(const Level<M>& level, int64_t at) {
  const Matrix<M>& T = level.lanes.T;
  Vector<M> inverse, product;
  for (int a = 0; a < M; ++a) {
    Pack rest = all(level.rows.mode[at * M + a]);
    for (int c = 0; c < a; ++c) rest -= T.at[a][c] * inverse[c];
    inverse[a] = rest / max(T.at[a][a], 1e-100);
    product[a] = all(0.0);
    for (int c = a; c < M; ++c) product[a] += T.at[c][a] * level.rows.pull[at * M + c];
  }
  const Bits nearer = squares(inverse) < squares(product);
  for (int a = 0; a < M; ++a) inverse[a] = nearer ? inverse[a] : product[a];
  return inverse;
}

// How much of a step leads uphill; 0 where nothing does but for rounding. `here` are the values of g before and after.
template <int M>
Pack uphill(Level<M>& level, const Vector<M>& v, const Vector<M>& full, Bits open, Pack& here) {
  Pack length = all(1.0);
  for (int halving = 0; halving < MOST_HALVINGS && any(open); ++halving) {
    Vector<M> there;
    for (int a = 0; a < M; ++a) there[a] = v[a] + length * full[a];
    const Pack value = level.value(level.effects(there)) - 0.5 * squares(there);
    const Bits better = open & (value > here);
    here = better ? value : here;
    open &= ~better;
    length = open ? 0.5 * length : length;
  }
  return open ? all(0.0) : length;
}

// Each point stays where its own search ends, so that what is found does not depend on the others in its pack.
template <int M>
Mode<M> find_mode(Level<M>& level, int64_t at) {
  Mode<M> found{};
  found.v = first_place(level, at);
  Bits open = all(0.0) == all(0.0);
  Pack before = all(0.0);
  for (int step = 0; step < MOST_STEPS && any(open); ++step) {
    const Step<M> next = newton_step(level, found.v);
    const Bits far = open & (next.distance > FAR_OFF);
    Pack length = all(1.0);
    if (any(far)) {
      Pack here = level.value(level.effects(found.v)) - 0.5 * squares(found.v);
      length = uphill(level, found.v, next.full, far, here);
    }
    for (int a = 0; a < M; ++a) {
      found.v[a] = open ? found.v[a] + length * next.full[a] : found.v[a];
      found.pull[a] = open ? next.pull[a] : found.pull[a];
      for (int c = 0; c <= a; ++c) found.S.at[a][c] = open ? next.S.at[a][c] : found.S.at[a][c];
    }
    const Bits settled = step == 0 ? open : abs(next.log_det - before) < STEADY;
    before = next.log_det;
    found.log_det = open ? next.log_det : found.log_det;
    found.curvature = open ? next.curvature : found.curvature;
    open &= ((next.distance > NEAR) | ~settled) & (length > 0.0);
  }
  return found;
}

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

// Work that several threads share: packs of points, and stretches of levels with about as many rows each.
struct Work {
  int64_t packs;
  std::vector<int64_t> ends;
  Work(const Rows& rows, const Points& points, int n_threads) : packs((points.B + W - 1) / W) {
    const int64_t wanted = packs >= 4 * n_threads ? 1 : (n_threads == 1 ? 1 : 4 * n_threads);
    ends.push_back(0);
    for (int64_t level = 0; level < rows.n_levels; ++level) {
      if (rows.start[level + 1] * wanted >= static_cast<int64_t>(ends.size()) * rows.n_rows && level + 1 < rows.n_levels)
        ends.push_back(level + 1);
    }
    ends.push_back(rows.n_levels);
  }
  int64_t stretches() const { return static_cast<int64_t>(ends.size()) - 1; }
  int64_t size() const { return packs * stretches(); }
};

template <class Do>
void share(int64_t tasks, int n_threads, Do&& run) {
  std::atomic<int64_t> next{0};
  auto worker = [&] {
    for (int64_t task; (task = next++) < tasks;) run(task);
  };
  std::vector<std::thread> threads;
  for (int t = 1; t < std::min<int64_t>(n_threads, tasks); ++t) threads.emplace_back(worker);
  worker();
  for (auto& thread : threads) thread.join();
}

template <int M>
void evaluate(const Rows& rows, const Points& points, Found& found, int n_threads, bool remember) {
  const Work work(rows, points, n_threads);
  const bool with_slopes = found.b != nullptr;
  const int64_t stretches = work.stretches();
  std::vector<Pack> parts(work.size(), all(0.0)), curvatures(work.size(), all(0.0));
  std::vector<Sums<M>> sums(with_slopes ? work.size() : 0, Sums<M>(rows));
  share(work.size(), n_threads, [&](int64_t task) {
    const int64_t pack = task / stretches, stretch = task % stretches;
    const Lanes<M> lanes(rows, points, pack * W);
    Level<M> level(rows, lanes);
    std::vector<Pack> values;
    for (int64_t at = work.ends[stretch]; at < work.ends[stretch + 1]; ++at) {
      level.load(at);
      const Mode<M> mode = find_mode(level, at);
      const Pack log_density = integrate(level, mode, values, with_slopes ? &sums[task] : nullptr);
      parts[task] += log_density;
      curvatures[task] += mode.curvature;
      if (found.by_level)
        for (int l = 0; l < W && pack * W + l < points.B; ++l) found.by_level[(pack * W + l) * rows.n_levels + at] = log_density[l];
      if (remember && pack == 0) {
        const Vector<M> u = level.effects(mode.v);
        for (int a = 0; a < M; ++a) {
          rows.mode[at * M + a] = u[a][0];
          rows.pull[at * M + a] = mode.pull[a][0];
        }
      }
    }
  });
  if (found.curvature) {
    *found.curvature = 0;
    for (int64_t stretch = 0; stretch < stretches; ++stretch) *found.curvature += curvatures[stretch][0] / rows.n_rows;
  }
  for (int64_t point = 0; point < points.B; ++point) {
    const int64_t pack = point / W;
    const int l = point % W;
    auto total = [&](auto&& of) {
      double sum = 0;
      for (int64_t task = pack * stretches; task < (pack + 1) * stretches; ++task) sum += of(task)[l];
      return sum;
    };
    found.log_density[point] = total([&](int64_t task) -> const Pack& { return parts[task]; });
    if (!with_slopes) continue;
    for (int k = 0; k < rows.K; ++k) found.b[point * rows.K + k] = total([&](int64_t t) -> const Pack& { return sums[t].b[k]; });
    for (int a = 0; a < (ORDERED ? 0 : A); ++a) found.aux[point * A + a] = total([&](int64_t t) -> const Pack& { return sums[t].aux[a]; });
    for (int s = 0; s < rows.S; ++s) found.b_aux[point * rows.S + s] = total([&](int64_t t) -> const Pack& { return sums[t].b_aux[s]; });
    for (int q = 0; q < rows.Q; ++q) found.threshold[point * rows.Q + q] = total([&](int64_t t) -> const Pack& { return sums[t].threshold[q]; });
    for (int64_t u = 0; u < rows.U; ++u) found.other[point * rows.U + u] = total([&](int64_t t) -> const Pack& { return sums[t].other[u]; });
    for (int a = 0; a < M; ++a)
      for (int c = 0; c < M; ++c) found.T[(point * M + a) * M + c] = total([&](int64_t t) -> const Pack& { return sums[t].T.at[a][c]; });
  }
}

// Random numbers that depend on nothing but where they are used (Steele, Lea & Flood 2014, splitmix64), so that draws
// are the same whatever the number of threads.
struct Stream {
  uint64_t state;
  Stream(uint64_t seed, uint64_t point, uint64_t level) : state(mixed(mixed(seed + 0x9e3779b97f4a7c15ULL * point) + level)) {}
  static uint64_t mixed(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  }
  double uniform() { return (mixed(state += 0x9e3779b97f4a7c15ULL) >> 11) * 0x1.0p-53 + 0x1.0p-54; }
};

// Effects are drawn from their distribution given a point by independence Metropolis steps, in c of v = mode + S c. What
// is proposed is a mixture of normal distributions around the mean, as wide as the distribution and wider, and one around
// the mode. Mean and root of the covariance are 0 and 1 where the density two probes away is about normal, and are taken
// from the nodes where it is not: levels that are all alike lean far to one side.
constexpr double SHARES[3] = {0.6, 0.2, 0.2}, WIDTHS[3] = {1.1, 2.0, 1.2}, PROBE = 1.5, LEANS = 0.2;

template <int M>
struct Around {
  Vector<M> mean;
  Matrix<M> root;  // lower triangular
  Pack log_det;

  // c of component k, given standard normal numbers
  Vector<M> place(const Vector<M>& noise, const Vector<M>& width, const Bits& at_mode) const {
    Vector<M> c;
    for (int a = 0; a < M; ++a) {
      Pack sum = mean[a];
      for (int e = 0; e <= a; ++e) sum += root.at[a][e] * width[e] * noise[e];
      c[a] = at_mode ? WIDTHS[2] * noise[a] : sum;
    }
    return c;
  }

  Pack log_density(const Vector<M>& c) const {
    Vector<M> apart;
    for (int a = 0; a < M; ++a) {
      Pack rest = c[a] - mean[a];
      for (int e = 0; e < a; ++e) rest -= root.at[a][e] * apart[e];
      apart[a] = rest / root.at[a][a];
    }
    Pack sum = all(0.0);
    for (int k = 0; k < 3; ++k) {
      const Pack size = squares(k == 2 ? c : apart);
      sum += SHARES[k] * std::pow(WIDTHS[k], -M) * exp(-0.5 / (WIDTHS[k] * WIDTHS[k]) * size - (k == 2 ? all(0.0) : log_det));
    }
    return log(max(sum, 1e-300));
  }
};

template <int M>
Pack log_target(Level<M>& level, const Vector<M>& v) { return level.value(level.effects(v)) - 0.5 * squares(v); }

template <int M>
Vector<M> away(const Mode<M>& mode, const Vector<M>& c) {
  Vector<M> v;
  for (int a = 0; a < M; ++a) {
    v[a] = mode.v[a];
    for (int e = 0; e <= a; ++e) v[a] += mode.S.at[a][e] * c[e];
  }
  return v;
}

template <int M>
Bits leans(Level<M>& level, const Mode<M>& mode) {
  const Pack top = log_target(level, mode.v);
  Bits found = top != top;
  for (int m = 0; m < M; ++m)
    for (const double side : {-PROBE, PROBE}) {
      Vector<M> c{};
      c[m] = all(side);
      found |= abs(log_target(level, away(mode, c)) - top + 0.5 * PROBE * PROBE) > LEANS;
    }
  return found;
}

template <int M>
Around<M> look_around(Level<M>& level, const Mode<M>& mode) {
  Around<M> found{};
  for (int a = 0; a < M; ++a) found.root.at[a][a] = all(1.0);
  const Bits leaning = leans(level, mode);
  if (!any(leaning)) return found;
  std::vector<Pack> values;
  const Pack highest = look_at_nodes(level, mode, values);
  Pack total = all(0.0);
  Nodes<M> nodes(level.rows);
  Matrix<M> second{};
  int q = 0;
  do {
    const Pack share = exp(values[q++] - highest);
    total += share;
    for (int a = 0; a < M; ++a) {
      found.mean[a] += share * level.rows.nodes[nodes.at[a]];
      for (int c = 0; c <= a; ++c) second.at[a][c] += share * (level.rows.nodes[nodes.at[a]] * level.rows.nodes[nodes.at[c]]);
    }
  } while (nodes.next());
  for (int a = 0; a < M; ++a) found.mean[a] /= total;
  for (int a = 0; a < M; ++a)
    for (int c = 0; c <= a; ++c) {
      Pack sum = second.at[a][c] / total - found.mean[a] * found.mean[c];
      for (int e = 0; e < c; ++e) sum -= found.root.at[a][e] * found.root.at[c][e];
      found.root.at[a][c] = a == c ? sqrt(max(sum, 0.01)) : sum / found.root.at[c][c];
    }
  for (int a = 0; a < M; ++a) {
    found.mean[a] = leaning ? found.mean[a] : all(0.0);
    for (int c = 0; c <= a; ++c) found.root.at[a][c] = leaning ? found.root.at[a][c] : all(a == c ? 1.0 : 0.0);
    found.log_det += log(found.root.at[a][a]);
  }
  return found;
}

template <int M>
void draw_effects(const Rows& rows, const Points& points, int steps, uint64_t seed, int64_t first_point, double* u_out, double* accepted,
                  int n_threads) {
  const Work work(rows, points, n_threads);
  const int64_t stretches = work.stretches();
  std::vector<double> rates(work.size(), 0.0);
  share(work.size(), n_threads, [&](int64_t task) {
    const int64_t pack = task / stretches, stretch = task % stretches;
    const Lanes<M> lanes(rows, points, pack * W);
    Level<M> level(rows, lanes);
    for (int64_t at = work.ends[stretch]; at < work.ends[stretch + 1]; ++at) {
      level.load(at);
      const Mode<M> mode = find_mode(level, at);
      const Around<M> around = look_around(level, mode);
      std::vector<Stream> streams;
      for (int l = 0; l < W; ++l) streams.emplace_back(seed, first_point + pack * W + l, at);
      Vector<M> here{};
      Pack weight = all(LOWEST);
      for (int step = 0; step <= steps; ++step) {
        Vector<M> noise, width;
        Pack luck;
        Bits at_mode;
        for (int l = 0; l < W; ++l) {
          Stream& stream = streams[l];
          const double which = stream.uniform();
          at_mode[l] = which >= SHARES[0] + SHARES[1] ? -1 : 0;
          for (int m = 0; m < M; ++m) width[m][l] = WIDTHS[which < SHARES[0] ? 0 : 1];
          for (int m = 0; m < M; m += 2) {  // Box & Muller 1958
            const double radius = std::sqrt(-2 * std::log(stream.uniform())), angle = 2 * M_PI * stream.uniform();
            noise[m][l] = radius * std::cos(angle);
            if (m + 1 < M) noise[m + 1][l] = radius * std::sin(angle);
          }
          luck[l] = stream.uniform();
        }
        const Vector<M> c = around.place(noise, width, at_mode), v = away(mode, c), u = level.effects(v);
        const Pack proposed = log_target(level, v) - around.log_density(c);
        const Pack chance = exp(min(proposed - weight, 0.0));
        const Bits moves = luck < chance;
        weight = moves ? proposed : weight;
        for (int a = 0; a < M; ++a) here[a] = step == 0 ? u[a] : (moves ? u[a] : here[a]);
        for (int l = 0; l < W && step > 0; ++l) rates[task] += chance[l];
      }
      for (int l = 0; l < W && pack * W + l < points.B; ++l)
        for (int a = 0; a < M; ++a) u_out[((pack * W + l) * rows.n_levels + at) * M + a] = here[a][l];
    }
  });
  double sum = 0;
  for (const double rate : rates) sum += rate;
  *accepted = sum / (static_cast<double>(W) * work.packs * rows.n_levels * std::max(steps, 1));
}

}  // namespace

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
