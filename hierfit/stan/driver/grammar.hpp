// What each method accepts: the rows of the command line's table.
//
// Source: CmdStan 2.35, src/cmdstan/arguments/arg_<name>.hpp for the name, default and bounds of each row, and the
// order in which categorical_argument::print echoes them.
#ifndef HIERFIT_GRAMMAR_HPP
#define HIERFIT_GRAMMAR_HPP

#include "arguments.hpp"

#include <cfloat>
#include <climits>

namespace hierfit {

using Rows = std::vector<Row>;

inline Row section(int depth, const char* name) { return {depth, name}; }
inline Row text(int depth, const char* name, const char* standard = "") { return {depth, name, Kind::text, standard}; }
inline Row flag(int depth, const char* name, bool standard) {
  return {depth, name, Kind::flag, standard ? "true" : "false", 0, 0, {"true", "false", "1", "0"}};
}
inline Row whole(int depth, const char* name, const char* standard, double low, double high = INT_MAX) {
  return {depth, name, Kind::whole, standard, low, high};
}
inline Row real(int depth, const char* name, const char* standard, double low = DBL_MIN, double high = DBL_MAX) {
  return {depth, name, Kind::real, standard, low, high};
}
inline Row choice(int depth, const char* name, const char* standard, std::vector<std::string> values) {
  return {depth, name, Kind::choice, standard, 0, 0, std::move(values)};
}

inline const std::vector<std::string>& method_names() {
  static const std::vector<std::string> names{"sample", "optimize", "pathfinder", "laplace", "generate_quantities"};
  return names;
}

inline Rows sample_rows(const std::string& algorithm) {
  Rows rows{section(1, "sample"),
            whole(2, "num_samples", "1000", 0),
            whole(2, "num_warmup", "1000", 0),
            flag(2, "save_warmup", false),
            whole(2, "thin", "1", 1),
            section(2, "adapt"),
            flag(3, "engaged", true),
            real(3, "gamma", "0.05"),
            real(3, "delta", "0.8", 0.1, 1 - DBL_EPSILON),
            real(3, "kappa", "0.75"),
            real(3, "t0", "10"),
            whole(3, "init_buffer", "75", 0),
            whole(3, "term_buffer", "50", 0),
            whole(3, "window", "25", 0),
            flag(3, "save_metric", false),
            choice(2, "algorithm", "hmc", {"hmc", "fixed_param"})};
  if (algorithm != "fixed_param") {
    for (Row row : {section(3, "hmc"), choice(4, "engine", "nuts", {"nuts"}), section(5, "nuts"),
                    whole(6, "max_depth", "10", 1), choice(4, "metric", "diag_e", {"unit_e", "diag_e", "dense_e"}),
                    text(4, "metric_file"), real(4, "stepsize", "1"), real(4, "stepsize_jitter", "0", 0, 1)})
      rows.push_back(row);
  }
  rows.push_back(whole(2, "num_chains", "1", 1, 1));  // chains are processes of their own
  return rows;
}

inline Rows line_search_rows(int depth) {
  return {real(depth, "init_alpha", "0.001"),  real(depth, "tol_obj", "1e-12"),      real(depth, "tol_rel_obj", "10000"),
          real(depth, "tol_grad", "1e-08"),    real(depth, "tol_rel_grad", "1e+07"), real(depth, "tol_param", "1e-08")};
}

inline Rows optimize_rows(const std::string& algorithm) {
  const std::string name = algorithm.empty() ? "lbfgs" : algorithm;
  Rows rows{section(1, "optimize"), choice(2, "algorithm", "lbfgs", {"bfgs", "lbfgs", "newton"}),
            section(3, name.c_str())};
  if (name != "newton")
    for (const Row& row : line_search_rows(4)) rows.push_back(row);
  if (name == "lbfgs") rows.push_back(whole(4, "history_size", "5", 1));
  for (Row row : {flag(2, "jacobian", false), whole(2, "iter", "2000", 1), flag(2, "save_iterations", false)})
    rows.push_back(row);
  return rows;
}

inline Rows pathfinder_rows() {
  Rows rows{section(1, "pathfinder")};
  for (const Row& row : line_search_rows(2)) rows.push_back(row);
  for (Row row : {whole(2, "history_size", "5", 1), whole(2, "num_psis_draws", "1000", 1), whole(2, "num_paths", "4", 1),
                  flag(2, "save_single_paths", false), flag(2, "psis_resample", true), flag(2, "calculate_lp", true),
                  whole(2, "max_lbfgs_iters", "1000", 1), whole(2, "num_draws", "1000", 1),
                  whole(2, "num_elbo_draws", "25", 1)})
    rows.push_back(row);
  return rows;
}

inline Rows method_rows(const std::string& method, const std::string& algorithm) {
  if (method == "sample") return sample_rows(algorithm);
  if (method == "optimize") return optimize_rows(algorithm);
  if (method == "pathfinder") return pathfinder_rows();
  if (method == "laplace")
    return {section(1, "laplace"), text(2, "mode"), flag(2, "jacobian", true), whole(2, "draws", "1000", 0),
            flag(2, "calculate_lp", true)};
  return {section(1, "generate_quantities"), text(2, "fitted_params"), whole(2, "num_chains", "1", 1, 1)};
}

inline Rows common_rows() {
  return {whole(0, "id", "1", 0),
          section(0, "data"),
          text(1, "file"),
          text(0, "init", "2"),
          section(0, "random"),
          whole(1, "seed", "-1", -1, UINT_MAX),
          section(0, "output"),
          text(1, "file", "output.csv"),
          text(1, "diagnostic_file"),
          whole(1, "refresh", "100", 0),
          whole(1, "sig_figs", "-1", -1, 18),
          text(1, "profile_file", "profile.csv"),
          flag(1, "save_cmdstan_config", false),
          whole(0, "num_threads", "1", 1, 1)};
}

}  // namespace hierfit
#endif
