// Python bindings. No logic here: see requests.h for the wire format.
#include "errors.h"
#include "llvm_setup.h"
#include "modules.h"
#include "requests.h"
#include "serve.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "llvm/Config/llvm-config.h"
#include "llvm/TargetParser/Host.h"

namespace nb = nanobind;

namespace {

nb::bytes toBytes(const std::string &value) {
  return nb::bytes(value.data(), value.size());
}

class Engine {
public:
  Engine() { mirgym::setUpLLVM(); }
  nb::bytes handle(nb::bytes request) {
    std::string_view view(request.c_str(), request.size());
    std::string reply;
    {
      nb::gil_scoped_release release;
      reply = mirgym::handleRequest(session, view);
    }
    return toBytes(reply);
  }

private:
  mirgym::Session session;
};

nb::bytes linkBitcode(const std::vector<nb::bytes> &modules) {
  std::vector<std::string> inputs;
  for (const nb::bytes &module : modules)
    inputs.emplace_back(module.c_str(), module.size());
  std::string linked;
  {
    nb::gil_scoped_release release;
    linked = mirgym::linkModules(inputs);
  }
  return toBytes(linked);
}

nb::bytes readModule(nb::bytes bytes, const std::string &path) {
  std::string bitcode;
  {
    nb::gil_scoped_release release;
    bitcode = mirgym::normaliseModule(llvm::StringRef(bytes.c_str(), bytes.size()), path);
  }
  return toBytes(bitcode);
}

} // namespace

NB_MODULE(_native, m) {
  m.doc() = "The C++ engine of mirgym; use mirgym.session instead.";

  nb::exception<mirgym::EngineError>(m, "EngineError", PyExc_ValueError);

  nb::class_<Engine>(m, "Engine")
      .def(nb::init<>())
      .def("handle", &Engine::handle, nb::arg("request"),
           "Answer one request in the wire format of mirgym/wire.py.");
  m.def("serve", &mirgym::serve, nb::arg("socket"),
        nb::call_guard<nb::gil_scoped_release>(),
        "Serve requests from the socket's descriptor until its other end closes.");
  m.def("link_bitcode", &linkBitcode, nb::arg("modules"),
        "Link modules (bitcode or IR text) into one; return LLVM 23 bitcode.");
  m.def("read_module", &readModule, nb::arg("data"), nb::arg("path") = "module",
        "Parse and verify bitcode or IR text; return LLVM 23 bitcode.");
  m.def("llvm_version", [] { return LLVM_VERSION_STRING; });
  m.def("host_triple", [] { return llvm::sys::getDefaultTargetTriple(); });
}
