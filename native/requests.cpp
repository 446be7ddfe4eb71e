#include "requests.h"

#include "errors.h"

#include <algorithm>
#include <cstring>

namespace mirgym {

namespace {

class Reader {
public:
  explicit Reader(std::string_view bytes) : bytes(bytes) {}

  template <typename T> T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  // How many things of at least `size` bytes follow.
  size_t count(size_t size) {
    auto count = number<uint32_t>();
    if (count > bytes.size() / size)
      throw EngineError(ErrorKind::BadRequest, "the request is too short");
    return count;
  }
  std::string text() { return std::string(take(number<uint32_t>())); }
  std::string_view rest() { return take(bytes.size()); }

private:
  std::string_view take(size_t size) {
    if (size > bytes.size())
      throw EngineError(ErrorKind::BadRequest, "the request is too short");
    std::string_view head = bytes.substr(0, size);
    bytes.remove_prefix(size);
    return head;
  }
  std::string_view bytes;
};

class Writer {
public:
  Writer() { number<uint8_t>(0); } // status: no error
  template <typename T> void number(T value) {
    bytes.append(reinterpret_cast<const char *>(&value), sizeof(T));
  }
  void text(std::string_view value) {
    number<uint32_t>(static_cast<uint32_t>(value.size()));
    bytes.append(value);
  }
  // Their count, and they.
  template <typename T> void numbers(const std::vector<T> &values) {
    number(static_cast<uint32_t>(values.size()));
    bytes.append(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T));
  }
  void raw(std::string_view value) { bytes.append(value); }
  std::string bytes;
};

void writeState(Session &session, const StepOutcome &outcome, uint32_t metrics,
                uint32_t views, Writer &reply) {
  reply.number<uint8_t>(outcome.changed);
  reply.number<uint64_t>(metrics & wantKey ? session.key() : 0);
  reply.number<uint64_t>(outcome.passNs);
  reply.number<int64_t>(session.instructions());
  for (Metric metric : {MetricText, MetricObjectText})
    if (metrics & metric)
      reply.number<int64_t>(session.metric(metric));
  for (View view : {ViewInstCount, ViewAutophase, ViewIR, ViewFunctions, ViewNewFunctions,
                    ViewIr2vec, ViewFunctionFeatures, ViewLoops})
    if (views & view)
      reply.text(session.view(view));
}

void load(Session &session, Reader &request, Writer &reply) {
  auto level = static_cast<SizeLevel>(request.number<uint8_t>());
  auto growthLimit = request.number<double>();
  auto metrics = request.number<uint32_t>();
  auto views = request.number<uint32_t>();
  std::string_view bytes = request.rest();
  session.load(llvm::StringRef(bytes.data(), bytes.size()), level, growthLimit);
  writeState(session, {}, metrics, views, reply);
}

void step(Session &session, Reader &request, Writer &reply) {
  auto metrics = request.number<uint32_t>();
  auto views = request.number<uint32_t>();
  OptionList options(request.number<uint16_t>());
  for (auto &[name, value] : options) {
    name = request.text();
    value = request.text();
  }
  StepOutcome outcome = session.step(std::string(request.rest()), options);
  writeState(session, outcome, metrics, views, reply);
}

void hintLoops(Session &session, Reader &request, Writer &reply) {
  auto metrics = request.number<uint32_t>();
  auto views = request.number<uint32_t>();
  std::vector<LoopHints> hints(request.number<uint16_t>());
  for (LoopHints &one : hints)
    for (uint32_t *value : {&one.loop, &one.width, &one.interleave, &one.unroll})
      *value = request.number<uint32_t>();
  writeState(session, session.hintLoops(hints), metrics, views, reply);
}

void fuseLoops(Session &session, Reader &request, Writer &reply) {
  auto metrics = request.number<uint32_t>();
  auto views = request.number<uint32_t>();
  std::vector<uint32_t> loops(request.number<uint16_t>());
  for (uint32_t &loop : loops)
    loop = request.number<uint32_t>();
  writeState(session, session.fuseLoops(loops), metrics, views, reply);
}

void noteBranches(Session &session, Reader &request, Writer &reply) {
  auto metrics = request.number<uint32_t>();
  auto views = request.number<uint32_t>();
  std::vector<FunctionBranches> counts(request.count(sizeof(uint64_t)));
  for (FunctionBranches &one : counts) {
    one.name = request.text();
    one.entries = request.number<uint64_t>();
    one.taken.resize(request.count(sizeof(uint64_t)));
    for (uint64_t &taken : one.taken)
      taken = request.number<uint64_t>();
  }
  writeState(session, session.noteBranches(counts), metrics, views, reply);
}

void observe(Session &session, Reader &request, Writer &reply) {
  auto metrics = request.number<uint32_t>();
  auto views = request.number<uint32_t>();
  writeState(session, {}, metrics, views, reply);
}

void restore(Session &session, Reader &request, Writer &reply) {
  std::string_view bytes = request.rest();
  session.restore(llvm::StringRef(bytes.data(), bytes.size()));
  writeState(session, {}, wantKey, 0, reply);
}

void functions(Session &session, Writer &reply) {
  for (const FunctionRecord &record : session.functions()) {
    reply.text(record.name);
    reply.number(record.key);
    reply.number(record.instructions);
    reply.number(record.textBytes);
  }
}

std::vector<std::string> texts(Reader &request) {
  std::vector<std::string> list(request.number<uint16_t>());
  for (std::string &text : list)
    text = request.text();
  return list;
}

struct ExecuteRequest {
  RunLimits limits;
  std::vector<std::string> libraries;
  std::vector<RunRequest> runs;
};

ExecuteRequest executeRequest(Reader &request) {
  ExecuteRequest read;
  read.limits.cpuSeconds = request.number<double>();
  read.limits.wallSeconds = request.number<double>();
  read.limits.memoryBytes = request.number<uint64_t>();
  read.limits.fileBytes = request.number<uint64_t>();
  read.libraries = texts(request);
  read.runs.resize(request.number<uint16_t>());
  for (RunRequest &run : read.runs) {
    for (std::string *path : {&run.directory, &run.input, &run.output, &run.errors})
      *path = request.text();
    run.arguments = texts(request);
  }
  return read;
}

void writeRuns(const Execution &execution, Writer &reply) {
  reply.number(execution.compileNs);
  for (const RunReport &run : execution.runs) {
    reply.number(run.ending);
    reply.number(run.code);
    reply.number(run.cost);
    reply.number(run.ns);
  }
}

void writeValues(const std::vector<SampledValue> &values, Writer &reply) {
  for (const SampledValue &value : values)
    reply.number(value.block);
  for (const SampledValue &value : values)
    reply.number(value.node);
  for (const SampledValue &value : values)
    reply.number(value.type);
}

void trace(Session &session, Reader &request, Writer &reply) {
  TraceLimits kept;
  kept.skip = request.number<uint64_t>();
  kept.limit = request.number<uint64_t>();
  kept.snapshots = request.number<uint64_t>();
  kept.every = request.number<uint64_t>();
  auto [limits, libraries, runs] = executeRequest(request);
  if (kept.limit > mostTraceEvents / std::max<size_t>(runs.size(), 1))
    throw EngineError(ErrorKind::BadRequest,
                      std::to_string(runs.size()) + " traces of " + std::to_string(kept.limit) +
                          " events are too long; at most " + std::to_string(mostTraceEvents) +
                          " events are kept");
  Counting counting = kept.snapshots ? Counting::Snapshots : Counting::Trace;
  Execution execution = session.execute(libraries, runs, limits, counting, kept);
  writeRuns(execution, reply);
  for (const RunReport &run : execution.runs) {
    reply.number(run.trace.total);
    reply.numbers(run.trace.sites);
    reply.numbers(run.trace.payloads);
    reply.numbers(run.snapshots.events);
    reply.numbers(run.snapshots.sites);
    reply.numbers(run.snapshots.values);
  }
  for (const CountedFunction &function : execution.functions) {
    reply.text(function.name);
    reply.number(static_cast<uint32_t>(function.sites.size()));
    for (const TraceSite &site : function.sites)
      reply.number(site.number);
    for (const TraceSite &site : function.sites)
      reply.number(site.kind);
    reply.number(static_cast<uint32_t>(function.slots.size()));
    writeValues(function.slots, reply);
  }
}

void execute(Session &session, Reader &request, Writer &reply) {
  auto wanted = request.number<uint8_t>(); // 0: no counters
  if (wanted > 3)
    throw EngineError(ErrorKind::BadRequest, "there are no counters " + std::to_string(wanted));
  auto counting = static_cast<Counting>(std::max<uint8_t>(wanted, 1) - 1);
  auto [limits, libraries, runs] = executeRequest(request);
  Execution execution = session.execute(libraries, runs, limits, counting);
  writeRuns(execution, reply);
  if (!wanted)
    return;
  size_t first = 0;
  for (const CountedFunction &function : execution.functions) {
    reply.text(function.name);
    reply.number(static_cast<uint32_t>(function.weights.size()));
    reply.number(static_cast<uint32_t>(function.branches));
    reply.number(static_cast<uint32_t>(function.values.size()));
    for (uint64_t weight : function.weights)
      reply.number(weight);
    writeValues(function.values, reply);
    size_t end = first + function.counters();
    for (const RunReport &run : execution.runs)
      for (size_t i = first; i < end; ++i)
        reply.number(run.counters[i]);
    first = end;
  }
}

void dispatch(Session &session, Reader &request, Writer &reply) {
  switch (request.number<Verb>()) {
  case Verb::Load:
    return load(session, request, reply);
  case Verb::Step:
    return step(session, request, reply);
  case Verb::Observe:
    return observe(session, request, reply);
  case Verb::Snapshot:
    return reply.raw(session.snapshot());
  case Verb::Restore:
    return restore(session, request, reply);
  case Verb::Emit:
    return reply.raw(session.emit(request.number<EmitKind>()));
  case Verb::Verify:
    return session.verify();
  case Verb::Functions:
    return functions(session, reply);
  case Verb::Execute:
    return execute(session, request, reply);
  case Verb::Trace:
    return trace(session, request, reply);
  case Verb::HintLoops:
    return hintLoops(session, request, reply);
  case Verb::FuseLoops:
    return fuseLoops(session, request, reply);
  case Verb::NoteBranches:
    return noteBranches(session, request, reply);
  case Verb::Fork:
    break;
  }
  throw EngineError(ErrorKind::BadRequest, "unknown request");
}

} // namespace

std::string errorReply(unsigned char kind, std::string_view message) {
  std::string reply(1, static_cast<char>(kind));
  reply.append(message);
  return reply;
}

std::string handleRequest(Session &session, std::string_view request) {
  try {
    Reader reader(request);
    Writer reply;
    dispatch(session, reader, reply);
    return std::move(reply.bytes);
  } catch (const EngineError &error) {
    return errorReply(static_cast<unsigned char>(error.kind), error.what());
  } catch (const std::exception &error) {
    return errorReply(static_cast<unsigned char>(ErrorKind::Crashed), error.what());
  }
}

} // namespace mirgym
