// Log densities and derivatives of many points and levels, shared among threads.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "quadrature.hpp"

namespace {

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

}  // namespace
