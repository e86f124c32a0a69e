// The command line: `program id=1 random seed=7 data file=d.json output file=o.csv method=sample num_samples=500
// adapt delta=0.9`.
//
// Names, nesting, defaults, bounds and the echo in the CSV follow CmdStan 2.35 (src/cmdstan/arguments/). What a
// method accepts is one flat table of rows with a depth: the table is both the grammar and the echo. Two things are
// looser than in CmdStan: a name is looked up in its own section first and then anywhere, and the parser needs no
// particular order.
#ifndef HIERFIT_ARGUMENTS_HPP
#define HIERFIT_ARGUMENTS_HPP

#include <stdexcept>
#include <string>
#include <vector>

namespace hierfit {

// A mistake on the command line or in a file; the message is one line for the user.
struct UserError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class Kind { section, choice, text, whole, real, flag };

struct Row {
  int depth;
  std::string name;
  Kind kind = Kind::section;
  std::string standard = "";          // the default, and for a choice the first of `values`
  double low = 0, high = 0;           // bounds of a number, both included
  std::vector<std::string> values{};  // of a choice
  std::string value = "";
};

class Arguments {
 public:
  // Reads argv[1...]; throws UserError for an unknown name or a bad value.
  Arguments(int count, const char* const words[]);

  const std::string& method() const { return method_; }

  // The value of `name`; a name that occurs twice is asked for with its section ("output file").
  const std::string& text(const std::string& name) const { return row(name).value; }
  int whole(const std::string& name) const { return static_cast<int>(real(name)); }
  double real(const std::string& name) const { return std::stod(text(name)); }
  bool flag(const std::string& name) const { return text(name) == "true"; }
  unsigned int seed() const { return static_cast<unsigned int>(real("seed")); }

  const std::vector<Row>& rows() const { return rows_; }

  // The lines "# method = sample (Default)" without "# ".
  std::vector<std::string> echo() const;
  // The same as the members of a JSON object, without the braces around it.
  std::string json() const;

 private:
  const Row& row(const std::string& name) const;
  size_t find(const std::string& name, size_t section) const;
  size_t end_of(size_t section) const;
  std::string json_members(size_t begin, size_t end) const;
  void assign(const std::string& word, size_t section);

  std::string method_;
  std::vector<Row> rows_;
};

}  // namespace hierfit
#endif
