// What the services say goes to the console line by line, and signals end them between two iterations.
#ifndef HIERFIT_CONSOLE_HPP
#define HIERFIT_CONSOLE_HPP

#include <stan/callbacks/interrupt.hpp>
#include <stan/callbacks/logger.hpp>

#include <csignal>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace hierfit {

// Messages on stdout and errors on stderr, as in CmdStan (stream_logger in command.hpp). Every line flushes the
// console and the CSV, so that a reader can follow both while the program runs.
class Console : public stan::callbacks::logger {
 public:
  void watch(std::ostream& stream) { watched_.push_back(&stream); }
  bool failed() const { return failed_; }

  void debug(const std::string& text) override { say(std::cout, text); }
  void debug(const std::stringstream& text) override { say(std::cout, text.str()); }
  void info(const std::string& text) override { say(std::cout, text); }
  void info(const std::stringstream& text) override { say(std::cout, text.str()); }
  void warn(const std::string& text) override { say(std::cout, text); }
  void warn(const std::stringstream& text) override { say(std::cout, text.str()); }
  // Rejected proposals are logged as errors too (base_hmc.hpp), and are none; this one ends the run and is still
  // reported as OK by the services (run_adaptive_sampler.hpp).
  void error(const std::string& text) override {
    say(std::cerr, text);
    failed_ = failed_ || text.find("Exception initializing step size") != std::string::npos;
  }
  void error(const std::stringstream& text) override { error(text.str()); }
  void fatal(const std::string& text) override { error(text); }
  void fatal(const std::stringstream& text) override { error(text.str()); }

 private:
  void say(std::ostream& stream, const std::string& text) {
    for (std::ostream* watched : watched_) watched->flush();
    stream << text << std::endl;
  }
  std::vector<std::ostream*> watched_;
  bool failed_ = false;
};

// Thrown between two iterations after SIGINT or SIGTERM. Not a std::exception, so that no service swallows it.
struct Stopped {
  int signal;
};

inline volatile std::sig_atomic_t last_signal = 0;

// The services call this at the start of every iteration. A second signal of the same kind kills at once.
class StopOnSignal : public stan::callbacks::interrupt {
 public:
  StopOnSignal() {
    struct sigaction action {};
    action.sa_handler = [](int signal) { last_signal = signal; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
  }
  void operator()() override {
    if (last_signal != 0) throw Stopped{last_signal};
  }
};

}  // namespace hierfit
#endif
