#include "methods.hpp"

#include <stan/services/sample/standalone_gqs.hpp>

namespace hierfit {

int generate_quantities(Session& s) {
  const std::string path = s.arguments.text("fitted_params");
  if (path.empty()) throw UserError("generate_quantities needs fitted_params=<CSV of draws>");
  std::vector<std::string> names;
  s.model.constrained_param_names(names, false, false);
  if (names.empty()) throw UserError("the program has no parameters: there are no draws to start from");
  const Eigen::MatrixXd draws = read_csv_columns(path, names);
  CsvWriter out = s.csv(s.arguments.text("output file"));
  return stan::services::standalone_generate(s.model, draws, s.seed, s.interrupt, s.console, out);
}

}  // namespace hierfit
