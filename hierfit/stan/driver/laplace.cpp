#include "methods.hpp"

#include <stan/services/optimize/laplace_sample.hpp>

namespace hierfit {
namespace {

// The mode [unconstrained parameters] from an optimizer's CSV (its last row) or a JSON file of values.
Eigen::VectorXd unconstrained_mode(const stan::model::model_base& model, const std::string& path) {
  Eigen::VectorXd mode;
  std::stringstream messages;
  const bool is_csv = path.size() > 4 && path.substr(path.size() - 4) == ".csv";
  if (!is_csv) {
    std::vector<int> no_integers;
    std::vector<double> values;
    model.transform_inits(*read_context(path), no_integers, values, &messages);
    return Eigen::Map<Eigen::VectorXd>(values.data(), values.size());
  }
  std::vector<std::string> names;
  model.constrained_param_names(names, false, false);
  const Eigen::MatrixXd rows = read_csv_columns(path, names);
  model.unconstrain_array(Eigen::VectorXd(rows.row(rows.rows() - 1)), mode, &messages);
  return mode;
}

}  // namespace

int laplace(Session& s) {
  const Arguments& a = s.arguments;
  if (a.text("mode").empty()) throw UserError("laplace needs mode=<CSV of an optimizer or JSON file of parameter values>");
  const Eigen::VectorXd mode = unconstrained_mode(s.model, a.text("mode"));
  CsvWriter out = s.csv(a.text("output file"));
  JsonWriter hessian(create(a.text("diagnostic_file"), s.digits));
  const auto& model = s.model;
  if (a.flag("jacobian"))
    return stan::services::laplace_sample<true>(model, mode, a.whole("draws"), a.flag("calculate_lp"), s.seed, s.refresh,
                                                s.interrupt, s.console, out, hessian);
  return stan::services::laplace_sample<false>(model, mode, a.whole("draws"), a.flag("calculate_lp"), s.seed, s.refresh,
                                               s.interrupt, s.console, out, hessian);
}

}  // namespace hierfit
