#include "methods.hpp"

#include <stan/services/sample/fixed_param.hpp>
#include <stan/services/sample/hmc_nuts_dense_e.hpp>
#include <stan/services/sample/hmc_nuts_dense_e_adapt.hpp>
#include <stan/services/sample/hmc_nuts_diag_e.hpp>
#include <stan/services/sample/hmc_nuts_diag_e_adapt.hpp>
#include <stan/services/sample/hmc_nuts_unit_e.hpp>
#include <stan/services/sample/hmc_nuts_unit_e_adapt.hpp>
#include <stan/services/util/create_unit_e_dense_inv_metric.hpp>
#include <stan/services/util/create_unit_e_diag_inv_metric.hpp>

namespace hierfit {
namespace {

namespace samplers = stan::services::sample;

// The arguments of a sampler, in the order in which the services take them.
struct Sampling {
  explicit Sampling(const Arguments& a)
      : warmup(a.whole("num_warmup")), draws(a.whole("num_samples")), thin(a.whole("thin")),
        save_warmup(a.flag("save_warmup")), stepsize(a.real("stepsize")), jitter(a.real("stepsize_jitter")),
        max_depth(a.whole("max_depth")), delta(a.real("delta")), gamma(a.real("gamma")), kappa(a.real("kappa")),
        t0(a.real("t0")), init_buffer(a.whole("init_buffer")), term_buffer(a.whole("term_buffer")),
        window(a.whole("window")) {}
  int warmup, draws, thin;
  bool save_warmup;
  double stepsize, jitter;
  int max_depth;
  double delta, gamma, kappa, t0;
  unsigned int init_buffer, term_buffer, window;
};

struct Outputs {
  CsvWriter draws, diagnostics;
  JsonWriter metric;
  stan::callbacks::writer inits{};  // nobody asks for the initial values
};

Outputs open_outputs(Session& session) {
  const Arguments& a = session.arguments;
  const std::string metric = a.flag("save_metric") ? beside(a.text("output file"), "_metric", ".json") : "";
  return {session.csv(a.text("output file")), session.csv(a.text("diagnostic_file")),
          JsonWriter(create(metric, session.digits))};
}

// The inverse metric of the user's file, or the identity. Stan checks size and definiteness.
Context initial_metric(const Arguments& a, size_t size) {
  const std::string path = a.text("metric_file");
  if (!path.empty()) return read_metric(path);
  namespace util = stan::services::util;
  using stan::io::array_var_context;
  if (a.text("metric") == "dense_e")
    return std::make_shared<array_var_context>(util::create_unit_e_dense_inv_metric(size));
  return std::make_shared<array_var_context>(util::create_unit_e_diag_inv_metric(size));
}

int adapted(Session& s, const Sampling& n, const stan::io::var_context& metric, Outputs& out) {
  const std::string shape = s.arguments.text("metric");
  if (shape == "unit_e")
    return samplers::hmc_nuts_unit_e_adapt(s.model, *s.inits, s.seed, s.id, s.init_radius, n.warmup, n.draws, n.thin,
                                           n.save_warmup, s.refresh, n.stepsize, n.jitter, n.max_depth, n.delta, n.gamma,
                                           n.kappa, n.t0, s.interrupt, s.console, out.inits, out.draws, out.diagnostics,
                                           out.metric);
  const auto run = [&](auto service) {
    return service(s.model, *s.inits, metric, s.seed, s.id, s.init_radius, n.warmup, n.draws, n.thin, n.save_warmup,
                   s.refresh, n.stepsize, n.jitter, n.max_depth, n.delta, n.gamma, n.kappa, n.t0, n.init_buffer,
                   n.term_buffer, n.window, s.interrupt, s.console, out.inits, out.draws, out.diagnostics, out.metric);
  };
  if (shape == "dense_e") return run([](auto&... all) { return samplers::hmc_nuts_dense_e_adapt(all...); });
  return run([](auto&... all) { return samplers::hmc_nuts_diag_e_adapt(all...); });
}

int unadapted(Session& s, const Sampling& n, const stan::io::var_context& metric, Outputs& out) {
  const std::string shape = s.arguments.text("metric");
  if (shape == "unit_e")
    return samplers::hmc_nuts_unit_e(s.model, *s.inits, s.seed, s.id, s.init_radius, n.warmup, n.draws, n.thin,
                                     n.save_warmup, s.refresh, n.stepsize, n.jitter, n.max_depth, s.interrupt, s.console,
                                     out.inits, out.draws, out.diagnostics);
  const auto run = [&](auto service) {
    return service(s.model, *s.inits, metric, s.seed, s.id, s.init_radius, n.warmup, n.draws, n.thin, n.save_warmup,
                   s.refresh, n.stepsize, n.jitter, n.max_depth, s.interrupt, s.console, out.inits, out.draws,
                   out.diagnostics);
  };
  if (shape == "dense_e") return run([](auto&... all) { return samplers::hmc_nuts_dense_e(all...); });
  return run([](auto&... all) { return samplers::hmc_nuts_diag_e(all...); });
}

int without_parameters(Session& s) {
  Outputs out = open_outputs(s);
  return samplers::fixed_param(s.model, *s.inits, s.seed, s.id, s.init_radius, s.arguments.whole("num_samples"),
                               s.arguments.whole("thin"), s.refresh, s.interrupt, s.console, out.inits, out.draws,
                               out.diagnostics);
}

}  // namespace

int sample(Session& session) {
  const Arguments& a = session.arguments;
  if (a.flag("save_metric") && !a.flag("engaged")) throw UserError("save_metric=1 needs adapt engaged=1");
  if (a.text("algorithm") == "fixed_param") return without_parameters(session);
  if (session.model.num_params_r() == 0) {
    // cmdstanpy looks for these words in the console (model.py, sample).
    session.console.info("Model contains no parameters, running fixed_param sampler, no updates to Markov chain");
    return without_parameters(session);
  }
  const Sampling numbers(a);
  if (a.flag("engaged") && numbers.warmup == 0) throw UserError("adaptation needs num_warmup above 0");
  const Context metric = initial_metric(a, session.model.num_params_r());
  Outputs out = open_outputs(session);
  return a.flag("engaged") ? adapted(session, numbers, *metric, out) : unadapted(session, numbers, *metric, out);
}

}  // namespace hierfit
