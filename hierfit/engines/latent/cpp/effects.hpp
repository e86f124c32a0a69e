// Draws of the effects of all levels given each of many points.
#pragma once
#include <algorithm>
#include <cstring>
#include <vector>

#include "evaluate.hpp"

namespace {

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
