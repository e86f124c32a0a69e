#include "files.hpp"

#include "arguments.hpp"

#include <stan/io/empty_var_context.hpp>
#include <stan/io/json/json_data.hpp>

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <iterator>
#include <sstream>

namespace hierfit {
namespace {

std::ifstream open(const std::string& path) {
  std::ifstream stream(path);
  if (!stream || stream.peek() == std::ifstream::traits_type::eof()) throw UserError("cannot read the file '" + path + "'");
  return stream;
}

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> out;
  std::stringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) out.push_back(cell);
  return out;
}

// Where each name stands in the header.
std::vector<size_t> places(const std::vector<std::string>& names, const std::vector<std::string>& header,
                           const std::string& path) {
  std::vector<size_t> out;
  for (const std::string& name : names) {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found == header.end()) throw UserError("no column '" + name + "' in '" + path + "', which this program needs");
    out.push_back(found - header.begin());
  }
  return out;
}

}  // namespace

Context read_context(const std::string& path) {
  if (path.empty()) return std::make_shared<stan::io::empty_var_context>();
  std::ifstream stream = open(path);
  try {
    return std::make_shared<stan::json::json_data>(stream);
  } catch (const std::exception& error) {
    throw UserError("'" + path + "' is not JSON that Stan can read: " + error.what());
  }
}

Context read_metric(const std::string& path) {
  std::ifstream stream = open(path);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  rapidjson::Document saved;
  saved.Parse<rapidjson::kParseNanAndInfFlag>(text.c_str());
  if (saved.HasParseError() || !saved.IsObject()) throw UserError("'" + path + "' is not a JSON object");
  if (!saved.HasMember("inv_metric")) throw UserError("no variable 'inv_metric' in '" + path + "'");
  // A saved metric also says "metric_type": "diag_e", and Stan reads no strings.
  rapidjson::StringBuffer numbers;
  rapidjson::Writer<rapidjson::StringBuffer> writer(numbers);
  saved["inv_metric"].Accept(writer);
  std::istringstream metric("{\"inv_metric\": " + std::string(numbers.GetString()) + "}");
  try {
    return std::make_shared<stan::json::json_data>(metric);
  } catch (const std::exception& error) {
    throw UserError("the metric in '" + path + "' is not one that Stan can read: " + error.what());
  }
}

Eigen::MatrixXd read_csv_columns(const std::string& path, const std::vector<std::string>& names) {
  std::ifstream stream = open(path);
  std::vector<size_t> columns;
  std::vector<double> values;
  size_t width = 0;
  for (std::string line; std::getline(stream, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::vector<std::string> row = cells(line);
    if (width == 0) {
      width = row.size();
      columns = places(names, row, path);
      continue;
    }
    if (row.size() != width)
      throw UserError("a row of '" + path + "' has " + std::to_string(row.size()) + " cells where the header has " +
                      std::to_string(width));
    for (size_t column : columns) {
      try {
        values.push_back(std::stod(row[column]));
      } catch (const std::exception&) {
        throw UserError("'" + row[column] + "' in '" + path + "' is not a number");
      }
    }
  }
  if (values.empty() && !names.empty()) throw UserError("no rows of draws in '" + path + "'");
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<RowMajor>(values.data(), names.empty() ? 0 : values.size() / names.size(), names.size());
}

std::unique_ptr<std::ofstream> create(const std::string& path, int digits) {
  if (path.empty()) return nullptr;
  auto stream = std::make_unique<std::ofstream>(path);
  if (!*stream) throw UserError("cannot write the file '" + path + "'");
  stream->exceptions(std::ofstream::badbit);
  if (digits >= 0) stream->precision(digits);
  return stream;
}

std::string beside(const std::string& path, const std::string& tag, const std::string& suffix) {
  const size_t slash = path.find_last_of('/');
  const size_t dot = path.find_last_of('.');
  const bool has_suffix = dot != std::string::npos && (slash == std::string::npos || dot > slash + 1);
  return path.substr(0, has_suffix ? dot : path.size()) + tag + suffix;
}

}  // namespace hierfit
