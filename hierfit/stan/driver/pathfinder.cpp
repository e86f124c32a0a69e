#include "methods.hpp"

#include <stan/services/pathfinder/multi.hpp>
#include <stan/services/pathfinder/single.hpp>

namespace hierfit {
namespace {

namespace pathfinders = stan::services::pathfinder;
using Model = stan::model::model_base;

// One path: its draws are the result. CmdStan 2.35, command.hpp.
int single_path(Session& s) {
  const Arguments& a = s.arguments;
  const std::string path = a.text("output file");
  const bool details = a.flag("save_single_paths") || !a.text("diagnostic_file").empty();
  const std::string json = a.text("diagnostic_file").empty() ? beside(path, "", ".json") : a.text("diagnostic_file");
  CsvWriter out = s.csv(path);
  JsonWriter diagnostics(create(details ? json : "", s.digits));
  stan::callbacks::writer inits;
  return pathfinders::pathfinder_lbfgs_single<false>(
      s.model, *s.inits, s.seed, s.id, s.init_radius, a.whole("history_size"), a.real("init_alpha"), a.real("tol_obj"),
      a.real("tol_rel_obj"), a.real("tol_grad"), a.real("tol_rel_grad"), a.real("tol_param"), a.whole("max_lbfgs_iters"),
      a.whole("num_elbo_draws"), a.whole("num_draws"), details, s.refresh, s.interrupt, s.console, inits, out, diagnostics,
      a.flag("calculate_lp"));
}

// Several paths, resampled by importance; single ones go to out_path_<id>.csv and .json on request.
int multiple_paths(Session& s, int paths) {
  const Arguments& a = s.arguments;
  const std::string path = a.text("output file");
  const bool details = a.flag("save_single_paths");
  std::vector<CsvWriter> draws;
  std::vector<JsonWriter> diagnostics;
  for (int i = 0; i < paths; ++i) {
    const std::string tag = "_path_" + std::to_string(i + s.id);
    draws.push_back(s.csv(details ? beside(path, tag, ".csv") : ""));
    diagnostics.emplace_back(create(details ? beside(path, tag, ".json") : "", s.digits));
  }
  std::vector<stan::callbacks::writer> inits(paths);
  std::vector<Context> contexts(paths, s.inits);
  stan::callbacks::structured_writer unused;
  CsvWriter out = s.csv(path);
  return pathfinders::pathfinder_lbfgs_multi<Model>(
      s.model, contexts, s.seed, s.id, s.init_radius, a.whole("history_size"), a.real("init_alpha"), a.real("tol_obj"),
      a.real("tol_rel_obj"), a.real("tol_grad"), a.real("tol_rel_grad"), a.real("tol_param"), a.whole("max_lbfgs_iters"),
      a.whole("num_elbo_draws"), a.whole("num_draws"), a.whole("num_psis_draws"), paths, details, s.refresh, s.interrupt,
      s.console, inits, draws, diagnostics, out, unused, a.flag("calculate_lp"), a.flag("psis_resample"));
}

}  // namespace

int pathfinder(Session& session) {
  if (session.model.num_params_r() == 0) throw UserError("the program has no parameters: Pathfinder has nothing to do");
  const int paths = session.arguments.whole("num_paths");
  return paths == 1 ? single_path(session) : multiple_paths(session, paths);
}

}  // namespace hierfit
