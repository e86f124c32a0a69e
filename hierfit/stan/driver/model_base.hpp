// What stanc's model class is derived from, in place of stan/model/model_base_crtp.hpp: its include guard is taken.
//
// Stan's has sixteen instances of the model block, one for each of double and var, Eigen and std::vector, constants
// kept or dropped, Jacobian added or not. Compiling them takes a third of a build. Four say the same: with constants
// for double, without for var, each with and without the Jacobian.
//
// HIERFIT_KERNEL_APART leaves those of var, half of what is left to compile, to kernel.cpp.
#ifndef STAN_MODEL_MODEL_BASE_CRTP_HPP
#define STAN_MODEL_MODEL_BASE_CRTP_HPP

#include <stan/model/model_base.hpp>

#include <ostream>
#include <vector>

#ifdef HIERFIT_KERNEL_APART
stan::math::var kernel_of(const stan::model::model_base& model, Eigen::Matrix<stan::math::var, Eigen::Dynamic, 1>& x,
                          bool jacobian, std::ostream* out);
#endif

namespace stan {
namespace model {

template <typename M>
class model_base_crtp : public model_base {
  using Reals = Eigen::VectorXd;
  using Vars = Eigen::Matrix<math::var, Eigen::Dynamic, 1>;
  using Integers = std::vector<int>;  // Stan has no integer parameters
  using Out = std::ostream*;

 public:
  explicit model_base_crtp(size_t parameters) : model_base(parameters) {}

  double log_prob(Reals& x, Out out) const override { return density<false>(x, out); }
  double log_prob_jacobian(Reals& x, Out out) const override { return density<true>(x, out); }
  // Up to a constant, here 0; Stan would drop all that depends on no var, which for double is everything.
  double log_prob_propto(Reals& x, Out out) const override { return density<false>(x, out); }
  double log_prob_propto_jacobian(Reals& x, Out out) const override { return density<true>(x, out); }
  math::var log_prob(Vars& x, Out out) const override { return with_constants<false>(x, out); }
  math::var log_prob_jacobian(Vars& x, Out out) const override { return with_constants<true>(x, out); }
  math::var log_prob_propto(Vars& x, Out out) const override { return kernel<false>(x, out); }
  math::var log_prob_propto_jacobian(Vars& x, Out out) const override { return kernel<true>(x, out); }

  void write_array(rng_t& rng, Reals& x, Reals& values, bool transformed = true, bool generated = true,
                   Out out = nullptr) const override {
    self().write_array(rng, x, values, transformed, generated, out);
  }
  void unconstrain_array(const Reals& values, Reals& x, Out out = nullptr) const override {
    self().unconstrain_array(values, x, out);
  }
  void transform_inits(const io::var_context& inits, Reals& x, Out out) const override {
    self().transform_inits(inits, x, out);
  }

  // The same for std::vector.
  double log_prob(std::vector<double>& x, Integers&, Out out) const override { return density<false>(x, out); }
  double log_prob_jacobian(std::vector<double>& x, Integers&, Out out) const override { return density<true>(x, out); }
  double log_prob_propto(std::vector<double>& x, Integers&, Out out) const override { return density<false>(x, out); }
  double log_prob_propto_jacobian(std::vector<double>& x, Integers&, Out out) const override {
    return density<true>(x, out);
  }
  math::var log_prob(std::vector<math::var>& x, Integers&, Out out) const override {
    Vars copy = eigen(x);
    return with_constants<false>(copy, out);
  }
  math::var log_prob_jacobian(std::vector<math::var>& x, Integers&, Out out) const override {
    Vars copy = eigen(x);
    return with_constants<true>(copy, out);
  }
  math::var log_prob_propto(std::vector<math::var>& x, Integers&, Out out) const override {
    Vars copy = eigen(x);
    return kernel<false>(copy, out);
  }
  math::var log_prob_propto_jacobian(std::vector<math::var>& x, Integers&, Out out) const override {
    Vars copy = eigen(x);
    return kernel<true>(copy, out);
  }
  void write_array(rng_t& rng, std::vector<double>& x, Integers&, std::vector<double>& values, bool transformed = true,
                   bool generated = true, Out out = nullptr) const override {
    Reals copy = eigen(x), found;
    self().write_array(rng, copy, found, transformed, generated, out);
    values.assign(found.data(), found.data() + found.size());
  }
  void unconstrain_array(const std::vector<double>& values, std::vector<double>& x, Out out = nullptr) const override {
    Reals found;
    self().unconstrain_array(eigen(values), found, out);
    x.assign(found.data(), found.data() + found.size());
  }

 private:
  const M& self() const { return *static_cast<const M*>(this); }

  template <typename T>
  static Eigen::Matrix<T, Eigen::Dynamic, 1> eigen(const std::vector<T>& x) {
    return Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>>(x.data(), x.size());
  }

  template <bool jacobian>
  double density(Reals& x, Out out) const {
    return self().template log_prob<false, jacobian, double>(x, out);
  }

  template <bool jacobian>
  double density(const std::vector<double>& x, Out out) const {
    Reals copy = eigen(x);
    return density<jacobian>(copy, out);
  }

  template <bool jacobian>
  math::var kernel(Vars& x, Out out) const {
#ifdef HIERFIT_KERNEL_APART
    return kernel_of(*this, x, jacobian, out);
#else
    return self().template log_prob<true, jacobian, math::var>(x, out);
#endif
  }

  // The constants are what the density has more than the kernel at this place.
  template <bool jacobian>
  math::var with_constants(Vars& x, Out out) const {
    const math::var without = kernel<jacobian>(x, out);
    Reals place = x.val();
    return without + (density<jacobian>(place, out) - without.val());
  }
};

}  // namespace model
}  // namespace stan
#endif
