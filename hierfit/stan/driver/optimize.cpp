#include "methods.hpp"

#include <stan/services/optimize/bfgs.hpp>
#include <stan/services/optimize/lbfgs.hpp>
#include <stan/services/optimize/newton.hpp>

namespace hierfit {
namespace {

namespace optimizers = stan::services::optimize;
using Model = stan::model::model_base;

template <bool jacobian>
int climb(Session& s, CsvWriter& out) {
  const Arguments& a = s.arguments;
  const std::string algorithm = a.text("algorithm");
  const int iterations = a.whole("iter");
  const bool save = a.flag("save_iterations");
  stan::callbacks::writer inits;
  if (algorithm == "newton")
    return optimizers::newton<Model, jacobian>(s.model, *s.inits, s.seed, s.id, s.init_radius, iterations, save, s.interrupt,
                                             s.console, inits, out);
  const double alpha = a.real("init_alpha"), obj = a.real("tol_obj"), rel_obj = a.real("tol_rel_obj"),
               grad = a.real("tol_grad"), rel_grad = a.real("tol_rel_grad"), param = a.real("tol_param");
  if (algorithm == "bfgs")
    return optimizers::bfgs<Model, jacobian>(s.model, *s.inits, s.seed, s.id, s.init_radius, alpha, obj, rel_obj, grad,
                                           rel_grad, param, iterations, save, s.refresh, s.interrupt, s.console, inits, out);
  return optimizers::lbfgs<Model, jacobian>(s.model, *s.inits, s.seed, s.id, s.init_radius, a.whole("history_size"), alpha, obj,
                                          rel_obj, grad, rel_grad, param, iterations, save, s.refresh, s.interrupt, s.console,
                                          inits, out);
}

}  // namespace

int optimize(Session& session) {
  if (session.model.num_params_r() == 0) throw UserError("the program has no parameters: there is nothing to optimize");
  CsvWriter out = session.csv(session.arguments.text("output file"));
  return session.arguments.flag("jacobian") ? climb<true>(session, out) : climb<false>(session, out);
}

}  // namespace hierfit
