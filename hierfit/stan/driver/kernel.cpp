// The log density of a model as samplers differentiate it, apart from all else in model.cpp (see model_base.hpp): a
// program that is built alone takes two cores. Compiled where model.cpp lies.
#define USING_R  // makes stanc leave out what makes a model of data, which is in the other unit
#define profiles__ kernel_profiles__  // the one global of what stanc writes, which both units would define
#include "model.cpp"

stan::math::var kernel_of(const stan::model::model_base& model, Eigen::Matrix<stan::math::var, Eigen::Dynamic, 1>& x,
                          bool jacobian, std::ostream* out) {
  const auto& own = static_cast<const stan_model&>(model);
  return jacobian ? own.log_prob<true, true, stan::math::var>(x, out)
                  : own.log_prob<true, false, stan::math::var>(x, out);
}
