// One-time set-up of LLVM in this process.
#pragma once

namespace mirgym {

// Registers the native target and the passes' command-line options, and turns
// LLVM's fatal errors into a message on the crash hook. Safe to call often.
void setUpLLVM();

// Called with LLVM's text just before a fatal error ends the process.
using FatalHook = void (*)(const char *reason);
void setFatalHook(FatalHook hook);

} // namespace mirgym
