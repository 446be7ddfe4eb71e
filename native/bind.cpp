// Python bindings. No logic here: see requests.h for the wire format.
#include "channel.h"
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

// Returns the reply; raises EOFError when the worker is gone and TimeoutError when
// it is late. Ctrl-C is seen while waiting.
nb::bytes receive(int socket, double deadline, int64_t spinUs) {
  std::string frame;
  auto deadlineNs = static_cast<int64_t>(deadline * 1e9);
  while (true) {
    mirgym::Received received;
    {
      nb::gil_scoped_release release;
      received = mirgym::receiveReply(socket, deadlineNs, spinUs, frame);
    }
    switch (received) {
    case mirgym::Received::Reply:
      return nb::bytes(frame.data() + 4, frame.size() - 4);
    case mirgym::Received::Closed:
      PyErr_SetString(PyExc_EOFError, "the worker closed its socket");
      throw nb::python_error();
    case mirgym::Received::TimedOut:
      PyErr_SetString(PyExc_TimeoutError, "the worker did not answer in time");
      throw nb::python_error();
    case mirgym::Received::Interrupted:
      if (PyErr_CheckSignals() != 0)
        throw nb::python_error();
    }
  }
}

// False when the worker is gone; raises TimeoutError when it does not read.
bool sendRequest(int socket, nb::bytes request, uint32_t limitMs, double deadline) {
  std::string_view view(request.c_str(), request.size());
  auto deadlineNs = static_cast<int64_t>(deadline * 1e9);
  mirgym::Sent sent;
  {
    nb::gil_scoped_release release;
    sent = mirgym::sendRequest(socket, view, limitMs, deadlineNs);
  }
  if (sent == mirgym::Sent::TimedOut) {
    PyErr_SetString(PyExc_TimeoutError, "the worker did not read the request in time");
    throw nb::python_error();
  }
  return sent == mirgym::Sent::Whole;
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
  m.def("send_request", &sendRequest, nb::arg("socket"), nb::arg("request"),
        nb::arg("limit_ms"), nb::arg("deadline"),
        "Send one request to a worker by the deadline on time.monotonic(), in seconds; "
        "False when it is gone.");
  m.def("receive_reply", &receive, nb::arg("socket"), nb::arg("deadline"),
        nb::arg("spin_us"),
        "Wait for one reply until the deadline on time.monotonic(), in seconds.");
  m.def("link_bitcode", &linkBitcode, nb::arg("modules"),
        "Link modules (bitcode or IR text) into one; return LLVM 23 bitcode.");
  m.def("read_module", &readModule, nb::arg("data"), nb::arg("path") = "module",
        "Parse and verify bitcode or IR text; return LLVM 23 bitcode.");
  m.def(
      "has_function_body",
      [](nb::bytes bytes) {
        std::string_view view(bytes.c_str(), bytes.size());
        nb::gil_scoped_release release;
        return mirgym::hasFunctionBody(llvm::StringRef(view.data(), view.size()));
      },
      nb::arg("data"), "Whether the module defines any function.");
  m.def("llvm_version", [] { return LLVM_VERSION_STRING; });
  m.def("host_triple", [] { return llvm::sys::getDefaultTargetTriple(); });
}
