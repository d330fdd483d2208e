#include "tests/replay/program_workflow.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "orchestrator/sdk/search_attributes.h"
#include "saga/saga.h"

namespace replay {
namespace {

namespace v1 = ::orchestrator::v1;

using sdk::Failure;
using sdk::Outcome;
using sdk::Unit;
using sdk::Workflow;
using Text = v1::Failure;  // text in, text out
using Undo = saga::Undo<Text, Text>;

constexpr sdk::ActivityType<Text, Text> kDo{"golden.do"};
constexpr sdk::ActivityType<Text, Text> kHang{"golden.hang"};
constexpr saga::CompensationType<Text, Text, Text> kUndo{"golden.undo"};
constexpr sdk::WorkflowType<Text, Text> kProgram{kProgramType};

Text T(const std::string& text) {
  Text message;
  message.set_message(text);
  return message;
}

base::Task<Outcome<Text>> Do(sdk::ActivityContext& ctx, Text input) {
  if (input.message() == "fail") co_return Failure::Permanent("Refused", "as it was told");
  co_return T("did " + input.message());
}

base::Task<Outcome<Text>> UntilCanceled(sdk::ActivityContext& ctx, Text input) {
  const bool elapsed = co_await base::Sleep(ctx.loop(), absl::Hours(1), ctx.cancel());
  if (!elapsed) co_return Failure::Canceled(ctx.cancel().reason());
  co_return input;
}

base::Task<Outcome<Text>> UndoIt(sdk::ActivityContext& ctx, Undo undo) {
  if (undo.input.message() == "broken") co_return Failure::Permanent("Broken", "cannot undo");
  co_return T("undid " + undo.input.message());
}

struct Operation {
  std::string verb;
  std::string argument;
};

std::vector<Operation> Parse(const Text& program) {
  std::vector<Operation> operations;
  for (const absl::string_view text : absl::StrSplit(program.message(), ';')) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits(' ', 1));
    operations.push_back({parts.first, parts.second});
  }
  return operations;
}

Workflow<Unit> Stop(sdk::Context ctx) {
  const sdk::Future<Text> hanging = ctx.Execute(kHang, T("stop"));
  (void)co_await ctx.Sleep(absl::Milliseconds(50));  // it runs now
  ctx.Cancel(hanging);
  (void)co_await hanging;
  co_return Unit{};
}

Workflow<Unit> Child(sdk::Context ctx, Operation op) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(op.argument, absl::MaxSplits(' ', 1));
  sdk::ChildOptions options{.workflow_id = parts.first};
  std::string program = absl::StrReplaceAll(parts.second, {{"+", ";"}, {"_", " "}});
  if (program.empty()) program = "wait";
  if (op.verb == "child-expires") options.execution_timeout = absl::Milliseconds(100);
  const sdk::ChildWorkflow<Text> child = ctx.ExecuteChild(kProgram, T(program), options);
  if (op.verb == "child-canceled") {
    (void)co_await child.started();
    ctx.Cancel(child);
  }
  (void)co_await child;
  co_return Unit{};
}

// The operations that neither end the run nor touch the saga.
Workflow<Unit> RunPlain(sdk::Context ctx, Operation op) {
  if (op.verb == "do" || op.verb == "fail") {
    (void)co_await ctx.Execute(kDo, T(op.verb == "do" ? op.argument : "fail"));
  } else if (op.verb == "expire") {
    (void)co_await ctx.Execute(kHang, T("expire"),
                               {.start_to_close_timeout = absl::Milliseconds(20),
                                .retry = sdk::RetryPolicy{.maximum_attempts = 1}});
  } else if (op.verb == "stop") {
    (void)co_await Stop(ctx);
  } else if (op.verb == "sleep") {
    (void)co_await ctx.Sleep(absl::Milliseconds(1));
  } else if (op.verb == "untimer") {
    const sdk::Future<Unit> timer = ctx.Sleep(absl::Hours(1));
    ctx.CancelTimer(timer);
    (void)co_await timer;
  } else if (op.verb == "local") {
    (void)co_await ctx.ExecuteLocal(kDo, T(op.argument));
  } else if (op.verb == "effect") {
    (void)ctx.SideEffect<std::string>([] { return std::string("seen"); });
  } else if (op.verb == "patch") {
    (void)ctx.Patched("golden");
  } else if (op.verb == "wait") {
    const sdk::Done waited = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("go"); });
    if (!waited.ok()) co_return waited.failure();
    (void)ctx.TakeSignal<Text>("go");
  } else if (op.verb.starts_with("child")) {
    (void)co_await Child(ctx, op);
  } else if (op.verb == "tell") {
    (void)co_await ctx.SignalExternal({.workflow_id = op.argument}, "go", T("told"));
  } else if (op.verb == "cancel") {
    (void)co_await ctx.CancelExternal({.workflow_id = op.argument}, "as it was told");
  } else if (op.verb == "search") {
    ctx.UpsertSearchAttributes(sdk::SearchAttributes().Keyword("Region", op.argument));
  } else if (op.verb == "memo") {
    ctx.UpsertMemo("note", T(op.argument));
  }
  co_return Unit{};
}

Workflow<Text> RunProgram(sdk::Context ctx, Text input) {
  ctx.SetUpdateHandler<Text, Text>(
      "ask", [](const Text&) { return sdk::Done(Unit{}); },
      [](const Text& question) { return Outcome<Text>(T("re: " + question.message())); });
  saga::Saga saga(ctx);
  for (const Operation& op : Parse(input)) {
    sdk::Done done = Unit{};
    if (op.verb == "step") {
      const Outcome<Text> stepped = co_await saga.Run(kDo, T(op.argument), kUndo);
      if (!stepped.ok()) done = stepped.failure();
    } else if (op.verb == "pivot") {
      saga.Pivot();
    } else if (op.verb == "again") {
      co_return ctx.ContinueAsNew(T(absl::StrReplaceAll(op.argument, {{"+", ";"}})), saga.Carry());
    } else if (op.verb == "abort") {
      done = Failure::Permanent("Aborted", "by the program");
    } else if (op.verb == "end") {
      co_return Failure::Permanent(op.argument, "by the program");
    } else {
      done = co_await RunPlain(ctx, op);
    }
    if (done.ok()) continue;
    const Failure failure = co_await saga.Abort(done.failure());
    co_return failure;
  }
  co_return T("done");
}

}  // namespace

void RegisterProgram(sdk::Registry& registry) {
  registry.AddActivity(kDo, &Do, {.retry = sdk::RetryPolicy{.maximum_attempts = 1}});
  registry.AddActivity(kHang, &UntilCanceled, {.heartbeat_timeout = absl::ZeroDuration()});
  saga::AddCompensation(registry, kUndo, &UndoIt,
                        {.retry = sdk::RetryPolicy{.maximum_attempts = 1}});
  registry.AddWorkflow<Text, Text>(kProgramType, &RunProgram);
}

}  // namespace replay
