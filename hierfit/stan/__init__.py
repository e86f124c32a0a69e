"""What the executable sees: programs, data, toolchain, sampler. The C++ driver lies in `driver/`."""
