// The workflow of the golden histories that hold every event type: its input is a program, so that
// what one history does has no part in the code of the others. Once released an operation never
// changes: add a new one.
//
// Operations, separated by ";", each a word and an argument:
//   do X, fail X       an activity that succeeds, or fails
//   local X            the same in the worker, recorded as a marker (X: "fail" fails)
//   expire, stop       an activity that times out, or is canceled while it runs
//   sleep, untimer     a timer that fires, or is canceled
//   effect, patch      markers
//   wait               until the signal "go" comes
//   step X, pivot      a saga's step (X: "fail" fails, "broken" cannot be undone); no return
//   abort, end X       the undoing and a failure; a failure of type X
//   again P            continue as new with the program P ("+" for ";")
//   child ID P         a child and its end ("+" for ";", "_" for a space); its failure is ignored
//   child-canceled ID  a waiting child that is canceled
//   child-expires ID   a waiting child that times out
//   tell ID, cancel ID a signal "go" and a request to end, to another workflow
//   search X, memo X   a search attribute and a memo
#pragma once

#include "orchestrator/sdk/registry.h"

namespace replay {

inline constexpr char kProgramType[] = "golden.program";

void RegisterProgram(sdk::Registry& registry);

}  // namespace replay
