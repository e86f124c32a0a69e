// The inference methods: each reads its own arguments and calls one function of stan::services.
#ifndef HIERFIT_METHODS_HPP
#define HIERFIT_METHODS_HPP

#include "arguments.hpp"
#include "console.hpp"
#include "files.hpp"

#include <stan/model/model_base.hpp>

#include <functional>

namespace hierfit {

// What every method needs, opened and checked.
struct Session {
  const Arguments& arguments;
  stan::model::model_base& model;
  Context inits;       // values of the user, possibly none
  double init_radius;  // the other parameters start within +-radius on the unconstrained scale
  unsigned int seed;
  unsigned int id;  // of the chain; also the stream of random numbers
  int refresh;
  int digits;
  Console& console;
  StopOnSignal& interrupt;
  std::function<CsvWriter(const std::string& path)> csv;  // opens a CSV and writes the head of comments into it
};

// Each returns 0 or the error code of the service; Stopped passes through. Throw UserError for bad input.
int sample(Session& session);
int optimize(Session& session);
int pathfinder(Session& session);
int laplace(Session& session);
int generate_quantities(Session& session);

}  // namespace hierfit
#endif
