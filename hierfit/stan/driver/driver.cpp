// The driver without Pathfinder as one translation unit. Stan's headers take 8 s to read: two units of about 20 s
// each, compiled beside the model, are the quickest build on two cores.
#include "arguments.cpp"
#include "files.cpp"
#include "generate_quantities.cpp"
#include "laplace.cpp"
#include "main.cpp"
#include "optimize.cpp"
#include "sample.cpp"
