#include "arguments.hpp"

#include "grammar.hpp"

#include <algorithm>
#include <chrono>
#include <sstream>

namespace hierfit {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ", ") + word;
  return all;
}

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The value behind "name=" among the words, or nothing.
std::string value_of(const std::string& name, const std::vector<std::string>& words) {
  for (const std::string& word : words)
    if (word.rfind(name + "=", 0) == 0) return word.substr(name.size() + 1);
  return "";
}

// CmdStan takes the method with and without "method=" (argument_parser.hpp).
std::string method_in(const std::vector<std::string>& words) {
  const std::string given = value_of("method", words);
  if (!given.empty() && !contains(method_names(), given))
    throw UserError("unknown method '" + given + "'; this program has: " + joined(method_names()));
  if (!given.empty()) return given;
  for (const std::string& word : words)
    if (contains(method_names(), word)) return word;
  throw UserError("no method given; say one of: " + joined(method_names()) + ", info");
}

[[noreturn]] void refuse(const Row& row, const std::string& value, const std::string& wanted) {
  throw UserError("bad value '" + value + "' for " + row.name + "; wanted: " + wanted);
}

std::string number(const Row& row, const std::string& value) {
  double parsed = 0;
  size_t used = 0;
  try {
    parsed = std::stod(value, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  const bool is_whole = row.kind == Kind::whole;
  std::ostringstream wanted;
  wanted << (is_whole ? "a whole number" : "a number");
  if (row.low != -DBL_MAX) wanted << (row.low == DBL_MIN ? " above 0" : " from ");
  if (row.low != -DBL_MAX && row.low != DBL_MIN) wanted << row.low;
  if (row.high != DBL_MAX && row.high < INT_MAX) wanted << " to " << row.high;
  const bool fits = used == value.size() && used > 0 && parsed >= row.low && parsed <= row.high;
  if (!fits || (is_whole && value.find_first_not_of("+-0123456789") != std::string::npos)) refuse(row, value, wanted.str());
  if (is_whole) return std::to_string(static_cast<long long>(parsed));
  return value;
}

// The canonical text of a value, which is what is kept and echoed.
std::string checked(const Row& row, const std::string& value) {
  if (row.kind == Kind::whole || row.kind == Kind::real) return number(row, value);
  if (!row.values.empty() && !contains(row.values, value)) refuse(row, value, "one of " + joined(row.values));
  if (row.kind == Kind::flag) return value == "true" || value == "1" ? "true" : "false";
  return value;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char letter : text) {
    if (letter == '"' || letter == '\\') out += '\\';
    out += letter;
  }
  return out + "\"";
}

bool same_number(const std::string& a, const std::string& b) { return std::stod(a) == std::stod(b); }

}  // namespace

Arguments::Arguments(int count, const char* const words_in[]) {
  const std::vector<std::string> words(words_in + 1, words_in + count);
  method_ = method_in(words);
  rows_ = {choice(0, "method", "sample", method_names())};
  rows_[0].value = method_;
  for (const Rows& part : {method_rows(method_, value_of("algorithm", words)), common_rows()})
    for (Row row : part) {
      row.value = row.standard;
      rows_.push_back(row);
    }
  size_t current = 0;
  for (const std::string& word : words) {
    if (word.find('=') != std::string::npos) {
      assign(word, current);
      if (word.rfind("method=", 0) == 0) current = 1;
      continue;
    }
    current = find(word, current);
    if (rows_[current].kind != Kind::section) throw UserError("'" + word + "' needs a value: " + word + "=...");
  }
  // CmdStan draws the seed from the clock when it is -1 (arg_seed.hpp).
  Row& seed = rows_[find("seed", 0)];
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  if (seed.value == "-1") seed.value = seed.standard = std::to_string(static_cast<unsigned int>(milliseconds));
}

// One past the last row that lies deeper than `section`.
size_t Arguments::end_of(size_t section) const {
  size_t end = section + 1;
  while (end < rows_.size() && rows_[end].depth > rows_[section].depth) ++end;
  return end;
}

// The row called `name`, in the given section if it is there and anywhere else if it is not.
size_t Arguments::find(const std::string& name, size_t section) const {
  for (size_t i = section; i < end_of(section); ++i)
    if (rows_[i].name == name) return i;
  std::vector<size_t> found;
  for (size_t i = 0; i < rows_.size(); ++i)
    if (rows_[i].name == name) found.push_back(i);
  if (found.empty()) throw UserError("unknown argument '" + name + "' for method=" + method_);
  if (found.size() > 1)
    throw UserError("'" + name + "' occurs in several sections; say 'data " + name + "=...' or 'output " + name + "=...'");
  return found[0];
}

void Arguments::assign(const std::string& word, size_t section) {
  const size_t equals = word.find('=');
  Row& row = rows_[find(word.substr(0, equals), section)];
  if (row.kind == Kind::section) throw UserError("'" + row.name + "' is a section and takes no value");
  row.value = checked(row, word.substr(equals + 1));
}

const Row& Arguments::row(const std::string& name) const {
  const size_t blank = name.find(' ');
  if (blank == std::string::npos) return rows_[find(name, 0)];
  return rows_[find(name.substr(blank + 1), find(name.substr(0, blank), 0))];
}

// Source of the layout: CmdStan 2.35, valued_argument.hpp and categorical_argument.hpp.
std::vector<std::string> Arguments::echo() const {
  std::vector<std::string> lines;
  for (const Row& row : rows_) {
    std::string line = std::string(2 * row.depth, ' ') + row.name;
    if (row.kind != Kind::section) {
      const bool numeric = row.kind == Kind::whole || row.kind == Kind::real;
      const bool standard = numeric ? same_number(row.value, row.standard) : row.value == row.standard;
      line += " = " + row.value + (standard ? " (Default)" : "");
    }
    lines.push_back(line);
  }
  return lines;
}

std::string Arguments::json() const { return json_members(0, rows_.size()); }

// Source of the nesting: CmdStan 2.35, the print(structured_writer) of list_argument.hpp and
// categorical_argument.hpp.
std::string Arguments::json_members(size_t begin, size_t end) const {
  std::string out;
  for (size_t i = begin; i < end; i = end_of(i)) {
    const Row& row = rows_[i];
    const std::string inside = json_members(i + 1, end_of(i));
    const bool bare = row.kind == Kind::whole || row.kind == Kind::real || row.kind == Kind::flag;
    std::string value = bare ? row.value : quoted(row.value);
    if (row.kind == Kind::section) value = "{" + inside + "}";
    if (row.kind == Kind::choice) value = "{\"value\": " + value + (inside.empty() ? "" : ", ") + inside + "}";
    out += (out.empty() ? "" : ", ") + quoted(row.name) + ": " + value;
  }
  return out;
}

}  // namespace hierfit
