// Packs: one number for each of W points. A kernel that is written in packs runs W points side by side, whatever the
// number of rows of a level: compilers make vector instructions of them.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>

#if defined(__AVX512F__)
constexpr int W = 8;  // as many as a register holds: wider packs are taken apart, some operations number by number
#elif defined(__AVX__)
constexpr int W = 4;
#else
constexpr int W = 2;
#endif
typedef double Pack __attribute__((vector_size(W * 8)));
typedef int64_t Bits __attribute__((vector_size(W * 8)));  // and what a comparison gives: -1 or 0

inline Pack all(double x) { return Pack{} + x; }
inline Pack select(const Bits& which, const Pack& a, const Pack& b) { return which ? a : b; }
inline bool any(const Bits& which) {
  int64_t found = 0;
  for (int l = 0; l < W; ++l) found |= which[l];
  return found != 0;
}
inline Pack min(const Pack& a, const Pack& b) { return a < b ? a : b; }
inline Pack max(const Pack& a, const Pack& b) { return a > b ? a : b; }
inline Pack min(const Pack& a, double b) { return min(a, all(b)); }
inline Pack max(const Pack& a, double b) { return max(a, all(b)); }
inline Pack abs(const Pack& x) { return (Pack)((Bits)x & INT64_MAX); }
inline Pack sqrt(const Pack& x) {
  Pack root;
  for (int l = 0; l < W; ++l) root[l] = std::sqrt(x[l]);
  return root;
}

constexpr double LN2_HIGH = 6.93147180369123816490e-01, LN2_LOW = 1.90821492927058770002e-10;
constexpr double TO_INTEGER = 0x1.8p52;  // x + TO_INTEGER has x, rounded, as an integer in its lowest bits

// x = n ln 2 + r, |r| <= ln 2 / 2: exp(r) - 1 by its Taylor series, to 2e-17, and 2^n
struct Exponential {
  Pack minus_one, power;
};

inline Exponential exponential(const Pack& given) {
  const Pack x = min(max(given, -708.0), 709.0);
  const Pack shifted = x * 1.44269504088896340736 + TO_INTEGER, n = shifted - TO_INTEGER;
  const Pack r = (x - n * LN2_HIGH) - n * LN2_LOW;
  Pack series = all(1.0 / 6227020800);
  for (const double factorial : {479001600.0, 39916800.0, 3628800.0, 362880.0, 40320.0, 5040.0, 720.0, 120.0, 24.0, 6.0, 2.0})
    series = series * r + 1.0 / factorial;
  const Bits exponent = ((Bits)shifted << 52) + (Bits)all(1.0);
  return {r + r * r * series, (Pack)exponent};
}

inline Pack exp(const Pack& x) {
  const Exponential e = exponential(x);
  return e.power + e.power * e.minus_one;
}
inline Pack expm1(const Pack& x) {
  const Exponential e = exponential(x);
  return e.power * e.minus_one + (e.power - 1.0);
}

// Of normal numbers greater than 0: x = 2^k m, sqrt(1/2) <= m < sqrt(2), and the series of log((1 + s) / (1 - s)), as
// in fdlibm's e_log.c.
inline Pack log(const Pack& x) {
  const int64_t root_half = 0x3fe6a09e667f3bcd, top = static_cast<int64_t>(0xfff0000000000000ULL);
  const Bits from = (Bits)x - root_half, k_bits = from >> 52;
  const Pack m = (Pack)((Bits)x - (from & top)), k = (Pack)(k_bits + (Bits)all(TO_INTEGER)) - TO_INTEGER;
  const Pack f = m - 1.0, s = f / (2.0 + f), z = s * s, half = 0.5 * f * f;
  Pack series = all(1.479819860511658591e-01);
  for (const double next : {1.531383769920937332e-01, 1.818357216161805012e-01, 2.222219843214978396e-01,
                            2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01})
    series = series * z + next;
  return k * LN2_HIGH - ((half - (s * (half + series * z) + k * LN2_LOW)) - f);
}
inline Pack log1p(const Pack& x) {
  const Pack whole = 1.0 + x;
  return log(whole) + (x - (whole - 1.0)) / whole;
}

// log(1 - exp(x)) for x < 0 (Maechler 2012)
inline Pack log1m_exp(const Pack& x) {
  const Exponential e = exponential(x);
  const Pack rest = e.power * e.minus_one + (e.power - 1.0), value = e.power + e.power * e.minus_one;
  return x > -0.693 ? log(max(-rest, 1e-300)) : log1p(-min(value, 0.9));
}

// log(1 + exp(x)) and the inverse of the logit, without overflow
inline Pack log1p_exp(const Pack& x) { return max(x, 0.0) + log1p(exp(-abs(x))); }
inline Pack inv_logit(const Pack& x) {
  const Pack small = exp(-abs(x)), rest = 1.0 / (1.0 + small);
  return x >= 0.0 ? rest : small * rest;
}

// log gamma and its derivatives, where x is 8 or more: Stirling's series (Abramowitz & Stegun 6.1.41, 6.3.18, 6.4.12).
// Below, x is carried there: gamma(x) = gamma(x + 8) / (x (x + 1) ... (x + 7)). x must be greater than 0.
inline Pack log_gamma(const Pack& x) {
  const Pack z = x + 8.0, r = 1.0 / z, r2 = r * r;
  const Pack below = x * (x + 1.0) * (x + 2.0) * (x + 3.0), above = (x + 4.0) * (x + 5.0) * (x + 6.0) * (x + 7.0);
  Pack series = all(-691.0 / 360360);
  for (const double next : {1.0 / 1188, -1.0 / 1680, 1.0 / 1260, -1.0 / 360, 1.0 / 12}) series = series * r2 + next;
  return (z - 0.5) * log(z) - z + 0.91893853320467274178 + series * r - log(below) - log(above);
}

struct Gammas {
  Pack digamma, trigamma;
};

inline Gammas gammas(const Pack& x) {
  Pack reciprocals = all(0.0), squares = all(0.0);
  for (int k = 0; k < 8; ++k) {
    const Pack one = 1.0 / (x + static_cast<double>(k));
    reciprocals += one;
    squares += one * one;
  }
  const Pack z = x + 8.0, r = 1.0 / z, r2 = r * r;
  Pack first = all(691.0 / 32760), second = all(5.0 / 66);
  for (const double next : {-1.0 / 132, 1.0 / 240, -1.0 / 252, 1.0 / 120, -1.0 / 12}) first = first * r2 + next;
  for (const double next : {-1.0 / 30, 1.0 / 42, -1.0 / 30, 1.0 / 6}) second = second * r2 + next;
  return {log(z) - 0.5 * r + r2 * first - reciprocals, r * (1.0 + r * (0.5 + r * second)) + squares};
}

// log of the standard normal distribution function, and the ratio of the density to it: by erfc where that has digits,
// by the continued fraction of Mills' ratio in the far tail (Abramowitz & Stegun 26.2.14).
struct NormalTail {
  Pack log_cdf, ratio;
};

inline NormalTail normal_tail(const Pack& x) {
  NormalTail found;
  for (int l = 0; l < W; ++l) {
    const double v = x[l];
    if (v > -10) {
      const double p = 0.5 * std::erfc(-v * M_SQRT1_2);
      found.log_cdf[l] = v > 5 ? std::log1p(-0.5 * std::erfc(v * M_SQRT1_2)) : std::log(p);
      found.ratio[l] = 0.39894228040143267794 * std::exp(-0.5 * v * v) / p;
    } else {
      double fraction = -v;
      for (int k = 30; k > 0; --k) fraction = -v + k / fraction;
      found.ratio[l] = fraction;
      found.log_cdf[l] = -0.5 * v * v - 0.91893853320467274178 - std::log(fraction);
    }
  }
  return found;
}
