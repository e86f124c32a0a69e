// Reading data, inits, metrics and draws from files; opening the files that are written.
#ifndef HIERFIT_FILES_HPP
#define HIERFIT_FILES_HPP

#include <stan/callbacks/json_writer.hpp>
#include <stan/callbacks/unique_stream_writer.hpp>
#include <stan/io/var_context.hpp>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace hierfit {

using CsvWriter = stan::callbacks::unique_stream_writer<std::ofstream>;
using JsonWriter = stan::callbacks::json_writer<std::ofstream>;
using Context = std::shared_ptr<stan::io::var_context>;

// The variables of a JSON file; none for an empty path. Throws UserError.
Context read_context(const std::string& path);

// The variable inv_metric of a JSON file, which may be one that save_metric=1 wrote. Throws UserError.
Context read_metric(const std::string& path);

// The columns called `names` of a Stan CSV [rows, names]. Throws UserError when one is missing or a line is broken.
Eigen::MatrixXd read_csv_columns(const std::string& path, const std::vector<std::string>& names);

// A file open for writing with `digits` significant digits (-1: the stream's own 6); null for an empty path. Throws
// UserError.
std::unique_ptr<std::ofstream> create(const std::string& path, int digits);

// "out.csv" -> "out" + tag + suffix, as CmdStan names what it writes beside the CSV (file.hpp, make_filenames).
std::string beside(const std::string& path, const std::string& tag, const std::string& suffix);

}  // namespace hierfit
#endif
