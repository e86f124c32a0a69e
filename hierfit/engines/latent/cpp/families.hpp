// Families: what a row of the outcome says of its linear predictor eta and of the auxiliary parameters. One struct each:
//
//   A            auxiliary parameters, in the order of hierfit/model/families.py
//   value        log density without what depends on neither eta nor ... see `base`
//   slopes       first derivative in eta, and the curvature: the negative second, or its expectation where that is
//                not positive everywhere
//   base         what of the log density does not depend on eta; added once for each row
//   aux_slopes   derivatives of `value` in the auxiliary parameters
//   aux_base     those of `base`
//   BASE_OF_Y    whether `base` depends on nothing but y, which is a count, and the auxiliaries
//
// A row is y, trials; auxiliaries come as packs, those that rows share and those of their own alike.
#pragma once
#include "pack.hpp"

struct Row {
  double y, trials;
};
struct Slopes {
  Pack first, curvature;
};

// Of some families, what a row says against eta has a short form in e = exp(eta), up to a shift: LOGISTIC c log(1 + e),
// c = count + extra; EXPONENTIAL e itself, y eta being what speaks for it in both; TWO_SIDED log(1 + e) + log(1 + f), f =
// exp(-eta) up to another shift, and nothing speaks for it.
enum class Form { NONE, LOGISTIC, EXPONENTIAL, TWO_SIDED };

struct Plain {
  Form form() const { return Form::NONE; }
  double count(const Row&) const { return 1.0; }
  Pack extra(const Pack*) const { return all(0.0); }
  Pack shift(const Pack*) const { return all(0.0); }
};

enum Link { LOGIT = 0, PROBIT = 1, CLOGLOG = 2 };

// Log probability of success and of failure, and their derivatives: first, second.
struct Chance {
  Pack log_p, first, second;
};

inline Chance chance(bool success, const Pack& eta, int link) {
  const double sign = success ? 1.0 : -1.0;
  if (link == LOGIT) {
    const Pack x = sign * eta, rest = inv_logit(-x);
    return {-log1p_exp(-x), sign * rest, -rest * (1.0 - rest)};
  }
  if (link == PROBIT) {
    const Pack x = sign * eta;
    const NormalTail tail = normal_tail(x);
    return {tail.log_cdf, sign * tail.ratio, -tail.ratio * (x + tail.ratio)};
  }
  const Pack e = exp(min(eta, 700.0));
  if (!success) return {-e, -e, -e};
  // log(1 - exp(-e)): its slope is e / expm1(e)
  const Pack big = min(e, 700.0), q = e < 1e-8 ? 1.0 - 0.5 * e : big / expm1(big);
  const Pack log_p = e < 1e-8 ? eta - 0.5 * e : log1m_exp(-e);
  return {log_p, q, q * (1.0 - big - q)};
}

struct Bernoulli {
  static constexpr bool BASE_OF_Y = false;
  static constexpr int A = 0;
  int link;
  Form form() const { return link == LOGIT ? Form::LOGISTIC : Form::NONE; }
  double count(const Row&) const { return 1.0; }
  Pack extra(const Pack*) const { return all(0.0); }
  Pack shift(const Pack*) const { return all(0.0); }
  Pack value(const Row& r, const Pack& eta, const Pack*) const { return chance(r.y > 0.5, eta, link).log_p; }
  Slopes slopes(const Row& r, const Pack& eta, const Pack*) const {
    const Chance c = chance(r.y > 0.5, eta, link);
    return {c.first, -c.second};
  }
  Pack base(const Row&, const Pack*) const { return all(0.0); }
  void aux_slopes(const Row&, const Pack&, const Pack*, Pack*) const {}
  void aux_base(const Row&, const Pack*, Pack*) const {}
};

struct Binomial {
  static constexpr bool BASE_OF_Y = false;
  static constexpr int A = 0;
  int link;
  Form form() const { return link == LOGIT ? Form::LOGISTIC : Form::NONE; }
  double count(const Row& r) const { return r.trials; }
  Pack extra(const Pack*) const { return all(0.0); }
  Pack shift(const Pack*) const { return all(0.0); }
  Pack value(const Row& r, const Pack& eta, const Pack*) const {
    if (link == LOGIT) return r.y * eta - r.trials * log1p_exp(eta);
    return both(r, eta).log_p;
  }
  Slopes slopes(const Row& r, const Pack& eta, const Pack*) const {
    if (link == LOGIT) {
      const Pack p = inv_logit(eta), q = inv_logit(-eta);
      return {r.y - r.trials * p, r.trials * p * q};
    }
    const Chance c = both(r, eta);
    return {c.first, -c.second};
  }
  Pack base(const Row&, const Pack*) const { return all(0.0); }
  void aux_slopes(const Row&, const Pack&, const Pack*, Pack*) const {}
  void aux_base(const Row&, const Pack*, Pack*) const {}

 private:
  Chance both(const Row& r, const Pack& eta) const {
    Chance sum{all(0.0), all(0.0), all(0.0)};
    for (int success = 0; success < 2; ++success) {
      const double n = success ? r.y : r.trials - r.y;
      if (n == 0) continue;
      const Chance c = chance(success, eta, link);
      sum.log_p += n * c.log_p;
      sum.first += n * c.first;
      sum.second += n * c.second;
    }
    return sum;
  }
};

struct Poisson {
  static constexpr bool BASE_OF_Y = false;
  static constexpr int A = 0;
  int link;
  Form form() const { return Form::EXPONENTIAL; }
  double count(const Row&) const { return 1.0; }
  Pack extra(const Pack*) const { return all(0.0); }
  Pack shift(const Pack*) const { return all(0.0); }
  Pack value(const Row& r, const Pack& eta, const Pack*) const { return r.y * eta - exp(min(eta, 700.0)); }
  Slopes slopes(const Row& r, const Pack& eta, const Pack*) const {
    const Pack mean = exp(min(eta, 700.0));
    return {r.y - mean, mean};
  }
  Pack base(const Row&, const Pack*) const { return all(0.0); }
  void aux_slopes(const Row&, const Pack&, const Pack*, Pack*) const {}
  void aux_base(const Row&, const Pack*, Pack*) const {}
};

struct NegBinomial {
  static constexpr bool BASE_OF_Y = true;
  static constexpr int A = 1;
  int link;
  // y eta - (y + shape) log(shape + mean), by the log of the odds mean / shape
  Form form() const { return Form::LOGISTIC; }
  double count(const Row& r) const { return r.y; }
  Pack extra(const Pack* aux) const { return aux[0]; }
  Pack shift(const Pack* aux) const { return log(aux[0]); }
  Pack value(const Row& r, const Pack& eta, const Pack* aux) const {
    const Pack odds = eta - log(aux[0]);
    return r.y * odds - (r.y + aux[0]) * log1p_exp(odds);
  }
  Slopes slopes(const Row& r, const Pack& eta, const Pack* aux) const {
    const Pack odds = eta - log(aux[0]), p = inv_logit(odds), q = inv_logit(-odds);
    return {r.y - (r.y + aux[0]) * p, (r.y + aux[0]) * p * q};
  }
  Pack base(const Row& r, const Pack* aux) const { return log_gamma(r.y + aux[0]) - log_gamma(aux[0]); }
  void aux_slopes(const Row& r, const Pack& eta, const Pack* aux, Pack* out) const {
    const Pack odds = eta - log(aux[0]);
    out[0] = ((r.y + aux[0]) * inv_logit(odds) - r.y) / aux[0] - log1p_exp(odds);
  }
  void aux_base(const Row& r, const Pack* aux, Pack* out) const {
    out[0] = gammas(r.y + aux[0]).digamma - gammas(aux[0]).digamma;
  }
};

struct GammaFamily : Plain {
  static constexpr bool BASE_OF_Y = false;
  static constexpr int A = 1;
  int link;
  explicit GammaFamily(int link_) : link(link_) {}
  // of mean exp(eta): shape (log y - eta - y exp(-eta)) and what shape alone says
  Pack value(const Row& r, const Pack& eta, const Pack* aux) const {
    return -aux[0] * (eta + r.y * exp(min(-eta, 700.0)));
  }
  Slopes slopes(const Row& r, const Pack& eta, const Pack* aux) const {
    const Pack ratio = r.y * exp(min(-eta, 700.0));
    return {aux[0] * (ratio - 1.0), aux[0] * ratio};
  }
  Pack base(const Row& r, const Pack* aux) const {
    return aux[0] * (log(aux[0]) + std::log(r.y)) - log_gamma(aux[0]);
  }
  void aux_slopes(const Row& r, const Pack& eta, const Pack*, Pack* out) const {
    out[0] = -eta - r.y * exp(min(-eta, 700.0));
  }
  void aux_base(const Row& r, const Pack* aux, Pack* out) const {
    out[0] = log(aux[0]) + 1.0 + std::log(r.y) - gammas(aux[0]).digamma;
  }
};

// Shapes of beta distributions are at least that; where trigamma(a), about 1 / a^2, is taken, that is its root.
constexpr double LEAST = 1e-300, LEAST_SQUARED = 1e-150;

struct Beta : Plain {
  static constexpr bool BASE_OF_Y = false;
  static constexpr int A = 1;
  int link;
  explicit Beta(int link_) : link(link_) {}
  Pack value(const Row& r, const Pack& eta, const Pack* aux) const {
    const Pack a = max(aux[0] * inv_logit(eta), LEAST), b = max(aux[0] * inv_logit(-eta), LEAST);
    return a * std::log(r.y) + b * std::log1p(-r.y) - log_gamma(a) - log_gamma(b);
  }
  Slopes slopes(const Row& r, const Pack& eta, const Pack* aux) const {
    const Pack m = inv_logit(eta), q = inv_logit(-eta);
    const Pack a_shape = max(aux[0] * m, LEAST_SQUARED), b_shape = max(aux[0] * q, LEAST_SQUARED);
    const Pack way = a_shape * b_shape / aux[0];
    const Gammas a = gammas(a_shape), b = gammas(b_shape);
    const Pack logit = all(std::log(r.y) - std::log1p(-r.y)), apart = logit - a.digamma + b.digamma;
    const Pack expected = way * way * (a.trigamma + b.trigamma), observed = expected - way * (q - m) * apart;
    return {way * apart, observed > 0.1 * expected ? observed : expected};
  }
  Pack base(const Row&, const Pack* aux) const { return log_gamma(aux[0]); }
  void aux_slopes(const Row& r, const Pack& eta, const Pack* aux, Pack* out) const {
    const Pack m = inv_logit(eta), q = inv_logit(-eta);
    out[0] = m * (std::log(r.y) - gammas(max(aux[0] * m, LEAST)).digamma) +
             q * (std::log1p(-r.y) - gammas(max(aux[0] * q, LEAST)).digamma);
  }
  void aux_base(const Row&, const Pack* aux, Pack* out) const { out[0] = gammas(aux[0]).digamma; }
};

struct BetaBinomial : Plain {
  static constexpr bool BASE_OF_Y = false;
  static constexpr int A = 1;
  int link;
  explicit BetaBinomial(int link_) : link(link_) {}
  Pack value(const Row& r, const Pack& eta, const Pack* aux) const {
    const Pack a = max(aux[0] * inv_logit(eta), LEAST), b = max(aux[0] * inv_logit(-eta), LEAST);
    return log_gamma(a + r.y) - log_gamma(a) + log_gamma(b + (r.trials - r.y)) - log_gamma(b);
  }
  Slopes slopes(const Row& r, const Pack& eta, const Pack* aux) const {
    const Pack m = inv_logit(eta), q = inv_logit(-eta);
    const Pack a = max(aux[0] * m, LEAST_SQUARED), b = max(aux[0] * q, LEAST_SQUARED), way = a * b / aux[0];
    const Gammas ay = gammas(a + r.y), a0 = gammas(a), bn = gammas(b + (r.trials - r.y)), b0 = gammas(b);
    const Pack apart = ay.digamma - a0.digamma - bn.digamma + b0.digamma;
    const Pack second = way * way * (ay.trigamma - a0.trigamma + bn.trigamma - b0.trigamma) + way * (q - m) * apart;
    return {way * apart, max(-second, 0.0)};
  }
  Pack base(const Row& r, const Pack* aux) const { return log_gamma(aux[0]) - log_gamma(aux[0] + r.trials); }
  void aux_slopes(const Row& r, const Pack& eta, const Pack* aux, Pack* out) const {
    const Pack m = inv_logit(eta), q = inv_logit(-eta);
    const Pack a = max(aux[0] * m, LEAST), b = max(aux[0] * q, LEAST);
    out[0] = m * (gammas(a + r.y).digamma - gammas(a).digamma) +
             q * (gammas(b + (r.trials - r.y)).digamma - gammas(b).digamma);
  }
  void aux_base(const Row& r, const Pack* aux, Pack* out) const {
    out[0] = gammas(aux[0]).digamma - gammas(aux[0] + r.trials).digamma;
  }
};

// sigma, nu; the curvature that is expected, since that of a row far out is negative
struct Student : Plain {
  static constexpr bool BASE_OF_Y = false;
  static constexpr int A = 2;
  int link;
  explicit Student(int link_) : link(link_) {}
  Pack value(const Row& r, const Pack& eta, const Pack* aux) const {
    const Pack z = (r.y - eta) / aux[0];
    return -0.5 * (aux[1] + 1.0) * log1p(z * z / aux[1]);
  }
  Slopes slopes(const Row& r, const Pack& eta, const Pack* aux) const {
    const Pack z = (r.y - eta) / aux[0], s2 = aux[0] * aux[0];
    const Pack weight = (aux[1] + 1.0) / (aux[1] + z * z);
    const Pack observed = weight / s2 * (1.0 - 2.0 * z * z / (aux[1] + z * z));
    return {weight * z / aux[0], max(observed, 0.0)};
  }
  Pack base(const Row&, const Pack* aux) const {
    return log_gamma(0.5 * (aux[1] + 1.0)) - log_gamma(0.5 * aux[1]) - 0.5 * log(aux[1]) - log(aux[0]);
  }
  void aux_slopes(const Row& r, const Pack& eta, const Pack* aux, Pack* out) const {
    const Pack z = (r.y - eta) / aux[0], z2 = z * z, nu = aux[1];
    const Pack weight = (nu + 1.0) / (nu + z2);
    out[0] = weight * z2 / aux[0];
    out[1] = 0.5 * (weight * z2 / nu - log1p(z2 / nu));
  }
  void aux_base(const Row&, const Pack* aux, Pack* out) const {
    const Pack& nu = aux[1];
    out[0] = -1.0 / aux[0];
    out[1] = 0.5 * (gammas(0.5 * (nu + 1.0)).digamma - gammas(0.5 * nu).digamma - 1.0 / nu);
  }
};

// Excess zeros: y is 0 with probability zi, otherwise of the family Counts, whose parameters come before zi.
template <class Counts>
struct ZeroInflated : Plain {
  static constexpr bool BASE_OF_Y = true;
  static constexpr int A = Counts::A + 1;
  int link;
  explicit ZeroInflated(int link_) : link(link_) {}
  Counts counts() const { return Counts{link}; }
  // the log density of a count of 0, whole
  Pack zero(const Pack& eta, const Pack* aux) const {
    const Row r{0.0, 1.0};
    return counts().value(r, eta, aux) + counts().base(r, aux);
  }
  // the probability that a 0 is a count
  Pack counted(const Pack& eta, const Pack* aux) const {
    const Pack& zi = aux[Counts::A];
    return inv_logit(log(1.0 - zi) - log(zi) + zero(eta, aux));
  }
  Pack value(const Row& r, const Pack& eta, const Pack* aux) const {
    const Pack& zi = aux[Counts::A];
    if (r.y > 0) return counts().value(r, eta, aux);
    const Pack a = log(zi), b = log(1.0 - zi) + zero(eta, aux);
    return max(a, b) + log1p(exp(-abs(a - b)));
  }
  Slopes slopes(const Row& r, const Pack& eta, const Pack* aux) const {
    const Slopes own = counts().slopes(r, eta, aux);
    if (r.y > 0) return own;
    const Pack share = counted(eta, aux);
    return {share * own.first, max(share * own.curvature - share * (1.0 - share) * own.first * own.first, 0.0)};
  }
  Pack base(const Row& r, const Pack* aux) const {
    if (r.y > 0) return log(1.0 - aux[Counts::A]) + counts().base(r, aux);
    return all(0.0);
  }
  void aux_slopes(const Row& r, const Pack& eta, const Pack* aux, Pack* out) const {
    const Pack& zi = aux[Counts::A];
    counts().aux_slopes(r, eta, aux, out);
    out[Counts::A] = all(0.0);
    if (r.y > 0) return;
    const Pack share = counted(eta, aux);
    Pack more[Counts::A + 1];
    counts().aux_base(r, aux, more);
    for (int a = 0; a < Counts::A; ++a) out[a] = share * (out[a] + more[a]);
    out[Counts::A] = (1.0 - share) / max(zi, LEAST) - share / (1.0 - zi);
  }
  void aux_base(const Row& r, const Pack* aux, Pack* out) const {
    for (int a = 0; a < A; ++a) out[a] = all(0.0);
    if (r.y == 0) return;
    counts().aux_base(r, aux, out);
    out[Counts::A] = -1.0 / (1.0 - aux[Counts::A]);
  }
};

// A hurdle: y is 0 with probability hu, otherwise of the family Counts given that it is not 0. Below LOWEST_ETA, where
// the probability of a count that is not 0 would be no number, the density is that there.
template <class Counts>
struct Hurdle : Plain {
  static constexpr bool BASE_OF_Y = true;
  static constexpr int A = Counts::A + 1;
  int link;
  explicit Hurdle(int link_) : link(link_) {}
  static constexpr double LOWEST_ETA = -690;
  Counts counts() const { return Counts{link}; }
  Pack zero(const Pack& eta, const Pack* aux) const {
    const Row r{0.0, 1.0};
    return min(counts().value(r, eta, aux) + counts().base(r, aux), -1e-300);
  }
  Pack value(const Row& r, const Pack& given, const Pack* aux) const {
    if (r.y == 0) return all(0.0);
    const Pack eta = max(given, LOWEST_ETA);
    return counts().value(r, eta, aux) - log1m_exp(zero(eta, aux));
  }
  Slopes slopes(const Row& r, const Pack& given, const Pack* aux) const {
    if (r.y == 0) return {all(0.0), all(0.0)};
    const Pack eta = max(given, LOWEST_ETA);
    const Slopes own = counts().slopes(r, eta, aux), none = counts().slopes(Row{0.0, 1.0}, eta, aux);
    const Pack z = zero(eta, aux), odds = 1.0 / expm1(-z);  // exp(z) / (1 - exp(z))
    const Pack back = odds * none.first;
    const Pack second = -own.curvature + back * (back + none.first) - odds * none.curvature;
    return {own.first + back, max(-second, 0.0)};
  }
  Pack base(const Row& r, const Pack* aux) const {
    if (r.y == 0) return log(aux[Counts::A]);
    return log(1.0 - aux[Counts::A]) + counts().base(r, aux);
  }
  void aux_slopes(const Row& r, const Pack& given, const Pack* aux, Pack* out) const {
    const Pack eta = max(given, LOWEST_ETA);
    for (int a = 0; a < A; ++a) out[a] = all(0.0);
    if (r.y == 0 || Counts::A == 0) return;
    const Row empty{0.0, 1.0};
    Pack none[Counts::A + 1], more[Counts::A + 1];
    counts().aux_slopes(r, eta, aux, out);
    counts().aux_slopes(empty, eta, aux, none);
    counts().aux_base(empty, aux, more);
    const Pack odds = 1.0 / expm1(-zero(eta, aux));
    for (int a = 0; a < Counts::A; ++a) out[a] += odds * (none[a] + more[a]);
  }
  void aux_base(const Row& r, const Pack* aux, Pack* out) const {
    for (int a = 0; a < A; ++a) out[a] = all(0.0);
    if (r.y > 0) counts().aux_base(r, aux, out);
    out[Counts::A] = r.y > 0 ? -1.0 / (1.0 - aux[Counts::A]) : 1.0 / aux[Counts::A];
  }
};

// Ordered categories: P(y <= q) is the inverse link of threshold[q] - eta. The auxiliaries of a row are the thresholds
// below and above its category, `FAR` at the ends, so that their slopes are those of two of the thresholds.
struct Cumulative : Plain {
  static constexpr bool BASE_OF_Y = false;
  static constexpr int A = 2;
  static constexpr double FAR = 1e30;
  int link;
  explicit Cumulative(int link_) : link(link_) {}
  Form form() const { return link == LOGIT ? Form::TWO_SIDED : Form::NONE; }
  Pack value(const Row&, const Pack& eta, const Pack* aux) const {
    const Pack b = aux[0] - eta, a = aux[1] - eta;
    if (link == LOGIT) return -log1p_exp(-a) - log1p_exp(b);
    return between(b, a);
  }
  Slopes slopes(const Row&, const Pack& eta, const Pack* aux) const {
    const Pack b = aux[0] - eta, a = aux[1] - eta;
    if (link == LOGIT) {
      const Pack above = inv_logit(-a), below = inv_logit(b);
      return {below - above, above * (1.0 - above) + below * (1.0 - below)};
    }
    const Pack log_p = between(b, a), at_a = density(a, log_p), at_b = density(b, log_p), apart = at_a - at_b;
    return {-apart, max(a * at_a - b * at_b + apart * apart, 0.0)};
  }
  Pack base(const Row&, const Pack* aux) const { return link == LOGIT ? log1m_exp(aux[0] - aux[1]) : all(0.0); }
  void aux_slopes(const Row&, const Pack& eta, const Pack* aux, Pack* out) const {
    const Pack b = aux[0] - eta, a = aux[1] - eta;
    if (link == LOGIT) {
      out[0] = -inv_logit(b);
      out[1] = inv_logit(-a);
      return;
    }
    const Pack log_p = between(b, a);
    out[0] = -density(b, log_p);
    out[1] = density(a, log_p);
  }
  void aux_base(const Row&, const Pack* aux, Pack* out) const {
    out[1] = link == LOGIT ? 1.0 / expm1(aux[1] - aux[0]) : all(0.0);
    out[0] = -out[1];
  }

 private:
  static Pack density(const Pack& x, const Pack& log_p) {
    const Pack near = min(abs(x), 1e150);
    return exp(-0.5 * near * near - 0.91893853320467274178 - log_p);
  }
  // log(Phi(a) - Phi(b)), in the tail where both have digits
  static Pack between(const Pack& b, const Pack& a) {
    const Bits right = b > 0.0;
    const Pack upper = normal_tail(right ? -b : a).log_cdf, lower = normal_tail(right ? -a : b).log_cdf;
    return upper + log1m_exp(lower - upper);
  }
};
