// A Stan program's main: reads the command line, opens the files, runs one method.
//
// It speaks the part of CmdStan's command line and CSV that hierfit and cmdstanpy use, and is linked with the C++
// that stanc writes. Conventions are CmdStan 2.35's; each names its source file there. The code is hierfit's own.
// Exit status: 0 done, 1 failed with one line on stderr, 130 and 143 stopped by SIGINT and SIGTERM with the
// finished draws written.

#include "methods.hpp"

#include <stan/math/prim/core/init_threadpool_tbb.hpp>
#include <stan/math/rev/core/profiling.hpp>
#include <stan/version.hpp>

#include <ctime>
#include <map>
#ifdef __GLIBC__
#include <malloc.h>
#endif

// Both come from the C++ that stanc writes.
stan::model::model_base& new_model(stan::io::var_context& data, unsigned int seed, std::ostream* messages);
stan::math::profile_map& get_stan_profile_data();

namespace hierfit {
namespace {

// CmdStan 2.35, write_stan.hpp and write_stan_flags.hpp: what `program info` prints.
void print_info() {
  std::cout << "stan_version_major = " << stan::MAJOR_VERSION << "\nstan_version_minor = " << stan::MINOR_VERSION
            << "\nstan_version_patch = " << stan::PATCH_VERSION << "\nSTAN_THREADS=false\nSTAN_MPI=false\n"
            << "STAN_OPENCL=false\nSTAN_NO_RANGE_CHECKS=false\nSTAN_CPP_OPTIMS=false" << std::endl;
}

// CmdStan 2.35, write_config.hpp: the comments at the head of every CSV.
std::vector<std::string> head(const Arguments& arguments, const stan::model::model_base& model) {
  char date[32];
  const std::time_t now = std::time(nullptr);
  std::strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S UTC", std::gmtime(&now));
  std::vector<std::string> lines{"stan_version_major = " + stan::MAJOR_VERSION,
                                 "stan_version_minor = " + stan::MINOR_VERSION,
                                 "stan_version_patch = " + stan::PATCH_VERSION,
                                 "model = " + model.model_name(),
                                 std::string("start_datetime = ") + date};
  for (const std::string& line : arguments.echo()) lines.push_back(line);
  for (const std::string& line : model.model_compile_info()) lines.push_back(line);
  return lines;
}

CsvWriter open_csv(const std::string& path, int digits, const std::vector<std::string>& comments, Console& console) {
  std::unique_ptr<std::ofstream> stream = create(path, digits);
  if (stream) console.watch(*stream);
  CsvWriter writer(std::move(stream), "# ");
  for (const std::string& comment : comments) writer(comment);
  return writer;
}

// CmdStan 2.35, write_profiling.hpp.
void write_profile(const std::string& path) {
  stan::math::profile_map& profiles = get_stan_profile_data();
  if (profiles.empty()) return;
  const std::unique_ptr<std::ofstream> stream = create(path, -1);
  *stream << "name,thread_id,total_time,forward_time,reverse_time,chain_stack,no_chain_stack,autodiff_calls,no_autodiff_calls\n";
  for (auto& [key, profile] : profiles)
    *stream << key.first << ',' << key.second << ',' << profile.get_fwd_time() + profile.get_rev_time() << ','
            << profile.get_fwd_time() << ',' << profile.get_rev_time() << ',' << profile.get_chain_stack_used() << ','
            << profile.get_nochain_stack_used() << ',' << profile.get_num_rev_passes() << ','
            << profile.get_num_no_AD_fwd_passes() << '\n';
}

int run(Session& session) {
  static const std::map<std::string, int (*)(Session&)> methods{{"sample", sample},
                                                                {"optimize", optimize},
                                                                {"pathfinder", pathfinder},
                                                                {"laplace", laplace},
                                                                {"generate_quantities", generate_quantities}};
  return methods.at(session.arguments.method())(session);
}

// CmdStan 2.35, command.hpp: a number is the radius of random inits, anything else a file of values.
bool is_number(const std::string& text) {
  char* end = nullptr;
  std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0';
}

int command(const Arguments& arguments) {
  stan::math::init_threadpool_tbb(1);
  Console console;
  StopOnSignal interrupt;
  for (const std::string& line : arguments.echo()) std::cout << line << '\n';
  std::cout << std::endl;
  const Context data = read_context(arguments.text("data file"));
  stan::model::model_base& model = new_model(*data, arguments.seed(), &std::cout);
  const int digits = arguments.whole("sig_figs");
  const std::vector<std::string> comments = head(arguments, model);
  if (arguments.flag("save_cmdstan_config"))
    *create(beside(arguments.text("output file"), "_config", ".json"), -1) << "{" << arguments.json() << "}\n";
  const std::string init = arguments.text("init");
  Session session{arguments, model,
                  read_context(is_number(init) ? "" : init), is_number(init) ? std::stod(init) : 2.0,
                  arguments.seed(), static_cast<unsigned int>(arguments.whole("id")),
                  arguments.whole("refresh"), digits, console, interrupt,
                  [&](const std::string& path) { return open_csv(path, digits, comments, console); }};
  const int status = run(session);
  write_profile(arguments.text("profile_file"));
  return status != 0 || console.failed() ? 1 : 0;
}

std::string one_line(std::string text) {
  std::string out;
  for (char letter : text) {
    const bool blank = letter == '\n' || letter == '\t' || letter == ' ';
    if (!blank) out += letter;
    if (blank && !out.empty() && out.back() != ' ') out += ' ';
  }
  return out;
}

}  // namespace
}  // namespace hierfit

int main(int count, const char* words[]) {
#ifdef __GLIBC__
  // A gradient frees what the next one takes: giving that back to the system in between costs up to a third of the time.
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  mallopt(M_MMAP_THRESHOLD, 256 << 20);
#endif
  try {
    if (count > 1 && std::string(words[1]) == "info") {
      hierfit::print_info();
      return 0;
    }
    return hierfit::command(hierfit::Arguments(count, words));
  } catch (const hierfit::Stopped& stopped) {
    return 128 + stopped.signal;
  } catch (const std::exception& error) {
    std::cerr << hierfit::one_line(error.what()) << std::endl;
  }
  return 1;
}
