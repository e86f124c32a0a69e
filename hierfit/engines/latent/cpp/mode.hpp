// The mode of g in the effects of one level, by damped Newton steps.
#pragma once
#include "level.hpp"

namespace {

constexpr double NEAR = 1e-3;    // the squared distance from a mode, in sds, at which a last step is taken
constexpr double STEADY = 0.1;   // change of the log determinant of S over a step, as long as which it does not end
constexpr double FAR_OFF = 0.5;  // and beyond which a step is taken only as far as it leads uphill
constexpr int MOST_STEPS = 200, MOST_HALVINGS = 60;  // an exponent that is too high by 100 takes 100 steps

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

}  // namespace
