#include "tests/simulation/programs.h"

#include <google/protobuf/wrappers.pb.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "orchestrator/sdk/search_attributes.h"
#include "orchestrator/sdk/when.h"
#include "saga/saga.h"

namespace sim {
namespace {

using Text = google::protobuf::StringValue;
using base::Failure;
using base::Outcome;
using Undo = saga::Undo<Text, Text>;

constexpr sdk::ActivityType<Text, Text> kStep{"step"};
constexpr saga::CompensationType<Text, Text, Text> kUndo{"undo"};
constexpr saga::CompensationType<Text, Text, Text> kUndoFew{"undo_few"};
constexpr sdk::ActivityType<Text, Text> kPlainUndo{"plain_undo"};
constexpr sdk::ActivityType<Text, Text> kLook{"look"};
constexpr sdk::WorkflowType<Text, Text> kChild{kWorkflowType};

Text T(std::string text) {
  Text value;
  value.set_value(std::move(text));
  return value;
}

// "run:3.0:rh" -> {"run", "3.0:rh"}.
std::pair<std::string, std::string> Split(const std::string& word) {
  const size_t colon = word.find(':');
  if (colon == std::string::npos) return {word, ""};
  return {word.substr(0, colon), word.substr(colon + 1)};
}

bool HasFlag(const std::string& step, char flag) {
  const size_t colon = step.find(':');
  return colon != std::string::npos && step.find(flag, colon) != std::string::npos;
}

std::string StepName(const std::string& workflow_id, const std::string& step) {
  return absl::StrCat(workflow_id, "/", step.substr(0, step.find(':')));
}

struct Hands {
  Scheduler& scheduler;
  Vendor& vendor;
  std::shared_ptr<Life> life;
};

base::Task<Outcome<Text>> Step(std::shared_ptr<Hands> hands, sdk::ActivityContext& ctx, Text in) {
  const std::string key = ctx.info().idempotency_key;
  const std::string step = StepName(ctx.info().workflow_id, in.value());
  if (hands->life->dead) co_return Failure::Canceled("the process is gone");
  const Fate fate = hands->vendor.Choose(HasFlag(in.value(), 'r'));
  if (HasFlag(in.value(), 'h')) {
    const base::Done recorded = co_await ctx.RecordHeartbeat(T(absl::StrCat("beat ", key)));
    if (hands->life->dead) co_return Failure::Canceled("the process is gone");
    if (!recorded.ok()) co_return recorded.failure();
  }
  absl::Duration wait = fate.latency;
  switch (fate.kind) {
    case Fate::Kind::kRefused:
    case Fate::Kind::kBusy:
    case Fate::Kind::kHeld:
      break;
    case Fate::Kind::kHang:
      wait = absl::Hours(1);
      if (hands->scheduler.Chance(0.5)) hands->vendor.SendDo(key, step, fate.latency * 15);
      break;
    default:
      hands->vendor.SendDo(key, step, fate.latency * 0.9);
  }
  const bool elapsed = co_await base::Sleep(ctx.loop(), wait, ctx.cancel());
  if (!elapsed || hands->life->dead) {
    Failure failure = Failure::Canceled(ctx.cancel().reason());
    failure.effect_unknown = true;
    co_return failure;
  }
  switch (fate.kind) {
    case Fate::Kind::kRefused:
      co_return Failure::Permanent("Refused", "the vendor said no");
    case Fate::Kind::kBusy:
      co_return Failure::Retryable("Busy", "the vendor is busy");
    case Fate::Kind::kHeld: {
      Failure failure = Failure::Retryable("BreakerOpen", "not attempted");
      failure.not_attempted = true;
      failure.retry_after = absl::Seconds(5);
      co_return failure;
    }
    case Fate::Kind::kAnswerLost: {
      Failure failure = Failure::Retryable("AnswerLost", "no answer");
      failure.effect_unknown = true;
      co_return failure;
    }
    default:
      break;
  }
  co_return T(absl::StrCat(key, "#", ctx.info().attempt));
}

// A short look at something; it changes nothing.
base::Task<Outcome<Text>> Look(std::shared_ptr<Hands> hands, sdk::ActivityContext& ctx, Text in) {
  if (hands->life->dead) co_return Failure::Canceled("the process is gone");
  const bool fails = hands->vendor.faulty() && hands->scheduler.Chance(0.3);
  const bool elapsed = co_await base::Sleep(
      ctx.loop(), hands->scheduler.Between(absl::Milliseconds(1), absl::Milliseconds(300)),
      ctx.cancel());
  if (!elapsed || hands->life->dead) co_return Failure::Canceled("stopped");
  if (fails) co_return Failure::Retryable("Busy", "nothing to see now");
  co_return T("seen");
}

base::Task<Outcome<Text>> UndoStep(std::shared_ptr<Hands> hands, sdk::ActivityContext& ctx,
                                   std::string key, std::string input) {
  const std::string step = StepName(ctx.info().workflow_id, input);
  if (hands->life->dead) co_return Failure::Canceled("the process is gone");
  hands->vendor.NoteUndoBegan(ctx.info().workflow_id, step);
  const Fate fate = hands->vendor.Choose(false);
  if (fate.kind == Fate::Kind::kBusy || fate.kind == Fate::Kind::kHang) {
    co_return Failure::Retryable("Busy", "the vendor is busy");
  }
  if (fate.kind == Fate::Kind::kHeld) {
    Failure failure = Failure::Retryable("BreakerOpen", "not attempted");
    failure.not_attempted = true;
    co_return failure;
  }
  const absl::Duration wait = std::min(fate.latency, absl::Seconds(8));
  hands->vendor.SendUndo(key, step, wait * 0.9);
  const bool elapsed = co_await base::Sleep(ctx.loop(), wait, ctx.cancel());
  if (!elapsed || hands->life->dead) co_return Failure::Canceled(ctx.cancel().reason());
  if (fate.kind == Fate::Kind::kAnswerLost) co_return Failure::Retryable("AnswerLost", "no answer");
  co_return T("undone");
}

// What the handlers and the body share.
struct Notes {
  int64_t sum = 0;
  int signals = 0;
};

void AddHandlers(sdk::Context ctx, std::shared_ptr<Notes> notes) {
  ctx.SetQueryHandler<Text, Text>(
      "sum", [notes](const Text&) -> Outcome<Text> { return T(absl::StrCat(notes->sum)); });
  const auto validate = [](const Text& in) -> base::Done {
    if (in.value() == "0") return Failure::Permanent("Zero", "nothing to add");
    return base::Unit{};
  };
  ctx.SetUpdateHandler<Text, Text>("add", validate, [notes](const Text& in) -> Outcome<Text> {
    int64_t value = 0;
    (void)absl::SimpleAtoi(in.value(), &value);
    notes->sum += value;
    return T(absl::StrCat(notes->sum));
  });
  ctx.SetAsyncUpdateHandler<Text, Text>(
      "add_later", validate, [ctx, notes](Text in) mutable -> sdk::Workflow<Text> {
        return [](sdk::Context ctx, std::shared_ptr<Notes> notes, Text in) -> sdk::Workflow<Text> {
          const base::Done slept = co_await ctx.Sleep(absl::Milliseconds(700));
          if (!slept.ok()) co_return slept.failure();
          int64_t value = 0;
          (void)absl::SimpleAtoi(in.value(), &value);
          notes->sum += value;
          co_return T(absl::StrCat(notes->sum));
        }(ctx, notes, std::move(in));
      });
}

saga::StepOptions OptionsOf(sdk::Context ctx) {
  saga::StepOptions options;
  options.step.start_to_close_timeout = absl::Seconds(10);
  return options;
}

// The interpreter. Rules of workflow code are broken here when asked.
struct Interpreter {
  sdk::Context ctx;
  saga::Saga saga;
  std::shared_ptr<Notes> notes = std::make_shared<Notes>();
  Rule broken;
  std::vector<std::string> own_undo;  // of the broken rules: steps and keys
  bool pivot = false;

  Interpreter(sdk::Context context, Rule rule) : ctx(context), saga(context), broken(rule) {
    pivot = saga.pivot_passed();
    AddHandlers(ctx, notes);
  }

  bool own_saga() const { return broken == Rule::kRegisteredLate || broken == Rule::kOldestFirst; }

  sdk::Workflow<Text> OwnStep(std::string step) {
    const sdk::Future<Text> future = ctx.Execute(kStep, T(step), OptionsOf(ctx).step);
    const std::string key =
        absl::StrCat(ctx.info().workflow_id, "/", ctx.info().run_id, "/", future.id());
    Outcome<Text> done = co_await future;
    const bool undo = done.ok() || (broken == Rule::kOldestFirst && done.failure().effect_unknown);
    if (undo) own_undo.push_back(absl::StrCat(step, "|", key));
    co_return done;
  }

  sdk::Workflow<Text> Run(const std::string& step) {
    if (own_saga()) return OwnStep(step);
    if (HasFlag(step, 'b')) return saga.Run(kStep, T(step), kUndoFew, OptionsOf(ctx));
    return saga.Run(kStep, T(step), kUndo, OptionsOf(ctx));
  }

  base::Task<Failure> Abort(Failure cause) {
    if (own_saga() && !pivot) {
      if (broken == Rule::kRegisteredLate) std::reverse(own_undo.begin(), own_undo.end());
      for (const std::string& undo : own_undo) {
        (void)co_await ctx.Shielded().Execute(kPlainUndo, T(undo));
      }
    }
    Failure failure = co_await saga.Abort(std::move(cause));
    co_return failure;
  }

  static sdk::ActivityOptions LookOptions() {
    sdk::ActivityOptions options;
    options.start_to_close_timeout = absl::Seconds(5);
    return options;
  }

  // "3.0:a:(run:0.0:;fail)": the header says what the letter means; then the child's program.
  sdk::Workflow<Text> Child(std::string word) {
    const size_t open = word.find('(');
    std::string program = word.substr(open + 1, word.size() - open - 2);
    std::replace(program.begin(), program.end(), ';', ' ');
    const std::string place = word.substr(0, word.find(':'));
    const char policy = word[place.size() + 1];
    sdk::ChildOptions options;
    options.workflow_id = absl::StrCat(ctx.info().workflow_id, "-child-", place);
    options.parent_close_policy = policy == 'a'   ? sdk::ParentClosePolicy::kAbandon
                                  : policy == 'c' ? sdk::ParentClosePolicy::kRequestCancel
                                                  : sdk::ParentClosePolicy::kTerminate;
    if (policy == 'x') options.workflow_id = ctx.info().workflow_id;  // taken
    if (policy == 'o') options.execution_timeout = absl::Seconds(10);
    const sdk::ChildWorkflow<Text> child = ctx.ExecuteChild(kChild, T(program), options);
    if (policy == 'a') {
      const auto started = co_await child.started();
      if (!started.ok() && started.failure().is_canceled()) co_return started.failure();
      co_return T("");
    }
    if (policy == 'c') {
      // Leaves it alone after a while: it is canceled when its parent ends.
      const sdk::Future<sdk::Unit> patience = ctx.Sleep(absl::Seconds(20));
      const size_t first = co_await sdk::Select(child.result(), patience);
      if (first == 0) ctx.CancelTimer(patience);
      if (ctx.canceled()) co_return Failure::Canceled("canceled");
      co_return T("");
    }
    Outcome<Text> done = co_await child;
    const bool matters = policy == 't' || ctx.canceled();
    if (!done.ok() && matters) co_return done.failure();
    co_return T("");
  }

  // What one word does; ends with a failure when the program cannot go on.
  sdk::Workflow<Text> Word(std::string word) {
    const auto [verb, rest] = Split(word);
    int64_t millis = 0;
    if (verb == "run") {
      Outcome<Text> done = co_await Run(rest);
      co_return done;
    }
    if (verb == "act") {
      Outcome<Text> done = co_await saga.Run(kStep, T(rest), OptionsOf(ctx));
      co_return done;
    }
    if (verb == "par") {
      saga::Saga::Group group;
      const std::vector<std::string> members = absl::StrSplit(rest, ',');
      if (own_saga()) {
        for (const std::string& member : members) {
          const Outcome<Text> done = co_await OwnStep(member);
          if (!done.ok()) co_return done.failure();
        }
        co_return T("");
      }
      for (const std::string& member : members) group.Add(kStep, T(member), kUndo, OptionsOf(ctx));
      auto outcomes = co_await saga.Parallel(std::move(group));
      if (!outcomes.ok()) co_return outcomes.failure();
      for (const Outcome<sdk::v1::Payload>& outcome : *outcomes) {
        if (!outcome.ok()) co_return outcome.failure();
      }
      co_return T("");
    }
    if (verb == "sleep" && absl::SimpleAtoi(rest, &millis)) {
      if (broken == Rule::kNondeterministic) {
        static int64_t calls = 0;
        if (++calls % 3 == 0) (void)ctx.Sleep(absl::Milliseconds(1));
      }
      const base::Done slept = co_await ctx.Sleep(absl::Milliseconds(millis));
      if (!slept.ok()) co_return slept.failure();
      co_return T("");
    }
    if (verb == "sig" || verb == "wait") {
      const absl::Duration limit = verb == "wait" && absl::SimpleAtoi(rest, &millis)
                                       ? absl::Milliseconds(millis)
                                       : absl::InfiniteDuration();
      sdk::Context context = ctx;
      const base::Done waited =
          co_await ctx.WaitUntil([context] { return context.HasSignal("go"); }, limit);
      if (waited.ok()) {
        const Outcome<Text> signal = ctx.TakeSignal<Text>("go");
        if (signal.ok()) ++notes->signals;
        co_return T("");
      }
      if (waited.failure().is_canceled()) co_return waited.failure();
      co_return T("");
    }
    if (verb == "child") {
      Outcome<Text> done = co_await Child(rest);
      co_return done;
    }
    if (verb == "ext") {
      // Nobody there, or closed: so be it.
      (void)co_await ctx.SignalExternal({.workflow_id = rest}, "go", T("from a friend"));
      co_return T("");
    }
    if (verb == "extc") {
      (void)co_await ctx.CancelExternal({.workflow_id = rest}, "by a friend");
      co_return T("");
    }
    if (verb == "local") {
      const Outcome<Text> seen = co_await ctx.ExecuteLocal(kLook, T(rest));
      if (!seen.ok() && seen.failure().is_canceled()) co_return seen.failure();
      co_return T("");
    }
    if (verb == "any" && absl::SimpleAtoi(rest, &millis)) {
      const sdk::Future<sdk::Unit> early = ctx.Sleep(absl::Milliseconds(millis));
      const sdk::Future<sdk::Unit> late = ctx.Sleep(absl::Milliseconds(millis) * 3);
      const sdk::Future<Text> look = ctx.Execute(kLook, T(rest), LookOptions());
      const size_t first = co_await sdk::Select(early, late, look);
      if (first != 2) ctx.Cancel(look);
      if (first != 0) ctx.CancelTimer(early);
      ctx.CancelTimer(late);
      const Outcome<Text> looked = co_await look;
      if (!looked.ok() && ctx.canceled()) co_return looked.failure();
      co_return T("");
    }
    if (verb == "scope") {
      sdk::Scope scope = ctx.NewScope();
      const sdk::Future<Text> step = scope.Execute(kStep, T(rest), OptionsOf(ctx).step);
      const base::Done slept = co_await ctx.Sleep(absl::Milliseconds(700));
      scope.Cancel("no more time");
      (void)co_await step;
      if (!slept.ok()) co_return slept.failure();
      co_return T("");
    }
    if (verb == "side") {
      const std::string text = ctx.SideEffect<Text>([] { return T("beside"); }).value();
      ctx.UpsertMemo("note", T(text));
      if (ctx.Patched("simulated")) (void)ctx.NewUuid();
      ctx.UpsertSearchAttributes(sdk::SearchAttributes().Keyword("Side", rest));
      co_return T("");
    }
    if (verb == "pivot") {
      saga.Pivot();
      pivot = true;
      co_return T("");
    }
    co_return Failure::Permanent("ProgramFailed", "the program says so");
  }
};

sdk::Workflow<Text> Interpret(sdk::Context ctx, Text input, Rule broken) {
  Interpreter interpreter(ctx, broken);
  std::vector<std::string> words = absl::StrSplit(input.value(), ' ', absl::SkipEmpty());
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "can") {
      if (interpreter.own_saga()) continue;
      const std::string rest = absl::StrJoin(words.begin() + i + 1, words.end(), " ");
      co_return ctx.ContinueAsNew(T(rest), interpreter.saga.Carry());
    }
    Outcome<Text> done = co_await interpreter.Word(words[i]);
    if (done.ok()) continue;
    // After the pivot it only goes forward, unless it is asked to end.
    if (interpreter.pivot && !done.failure().is_canceled()) continue;
    Failure failure = co_await interpreter.Abort(done.failure());
    co_return failure;
  }
  co_return T("done");
}

// What is neither a step nor a wait.
std::string RandomExtra(Dice& dice, uint64_t place) {
  switch (dice.Below(8)) {
    case 0:
    case 1: {
      const char* const policies[] = {"t", "t", "t", "a", "c", "c", "x", "o"};
      std::vector<std::string> words;
      const uint64_t length = 1 + dice.Below(3);
      for (uint64_t i = 0; i < length; ++i) {
        const uint64_t roll = dice.Below(10);
        words.push_back(roll < 6   ? absl::StrCat("run:", i, ".0:", dice.Chance(0.3) ? "r" : "")
                        : roll < 8 ? absl::StrCat("sleep:", 1 + dice.Below(40'000))
                        : roll < 9 ? "can"
                                   : "fail");
      }
      return absl::StrCat("child:", place, ".0:", policies[dice.Below(8)], ":(",
                          absl::StrJoin(words, ";"), ")");
    }
    case 2:
      return absl::StrCat("ext:w", dice.Below(5));
    case 3:
      return dice.Chance(0.2) ? absl::StrCat("extc:w", dice.Below(5)) : "side:blue";
    case 4:
      return absl::StrCat("any:", 1 + dice.Below(2'000));
    case 5:
      return absl::StrCat("scope:", place, ".0:");
    default:
      return absl::StrCat("local:", place, ".0:");
  }
}

}  // namespace

std::string RandomProgram(Dice& dice) {
  std::vector<std::string> words;
  const uint64_t length = 2 + dice.Below(6);
  const auto flags = [&] {
    std::string text = ":";
    if (dice.Chance(0.6)) text += 'r';
    if (dice.Chance(0.2)) text += 'h';
    if (dice.Chance(0.2)) text += 'b';
    return text;
  };
  for (uint64_t i = 0; i < length; ++i) {
    const uint64_t roll = dice.Below(100);
    if (dice.Chance(0.2)) {
      words.push_back(RandomExtra(dice, i));
      continue;
    }
    if (roll < 40) {
      words.push_back(absl::StrCat("run:", i, ".0", flags()));
    } else if (roll < 46) {
      words.push_back(absl::StrCat("act:", i, ".0", flags()));
    } else if (roll < 58) {
      std::vector<std::string> members;
      const uint64_t count = 2 + dice.Below(3);
      for (uint64_t m = 0; m < count; ++m) members.push_back(absl::StrCat(i, ".", m, flags()));
      words.push_back(absl::StrCat("par:", absl::StrJoin(members, ",")));
    } else if (roll < 70) {
      words.push_back(absl::StrCat("sleep:", 1 + dice.Below(90'000)));
    } else if (roll < 76) {
      words.push_back("sig");
    } else if (roll < 84) {
      words.push_back(absl::StrCat("wait:", 1 + dice.Below(60'000)));
    } else if (roll < 87) {
      words.push_back("pivot");
    } else if (roll < 94) {
      words.push_back("can");
    } else {
      words.push_back("fail");
    }
  }
  return absl::StrJoin(words, " ");
}

void RegisterPrograms(sdk::Registry& registry, Scheduler& scheduler, Vendor& vendor,
                      std::shared_ptr<Life> life, Rule broken) {
  auto hands = std::make_shared<Hands>(Hands{scheduler, vendor, std::move(life)});
  registry.AddWorkflow<Text, Text>(kWorkflowType, [broken](sdk::Context ctx, Text input) {
    return Interpret(ctx, std::move(input), broken);
  });
  registry.AddActivity(
      kStep, [hands](sdk::ActivityContext& ctx, Text in) { return Step(hands, ctx, in); },
      {.retry = sdk::RetryPolicy{.maximum_interval = absl::Seconds(20), .maximum_attempts = 6}});
  registry.AddActivity(
      kLook, [hands](sdk::ActivityContext& ctx, Text in) { return Look(hands, ctx, in); });
  const auto undo = [hands](sdk::ActivityContext& ctx, Undo undo) {
    return UndoStep(hands, ctx, undo.idempotency_key, undo.input.value());
  };
  saga::AddCompensation(registry, kUndo, undo,
                        {.start_to_close_timeout = absl::Seconds(30),
                         .retry = sdk::RetryPolicy{.maximum_interval = absl::Seconds(20)}});
  saga::AddCompensation(registry, kUndoFew, undo,
                        {.start_to_close_timeout = absl::Seconds(30),
                         .retry = sdk::RetryPolicy{.maximum_attempts = 1}});
  registry.AddActivity(kPlainUndo,
                       [hands](sdk::ActivityContext& ctx, Text in) {
                         const std::pair<std::string, std::string> parts =
                             absl::StrSplit(in.value(), absl::MaxSplits('|', 1));
                         return UndoStep(hands, ctx, parts.second, parts.first);
                       },
                       {.start_to_close_timeout = absl::Seconds(30),
                        .retry = sdk::RetryPolicy{.maximum_interval = absl::Seconds(20)}});
}

}  // namespace sim
