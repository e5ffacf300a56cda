// SPDX-License-Identifier: Apache-2.0
// How a long kernel is stopped from outside. Loops whose turns take microseconds or more call
// check_interrupt(); it throws when the caller wants an end (Ctrl-C, say) or when another thread of
// the same parallel_for has failed. Kernels know nothing of Python: what the caller wants is asked
// through a hook that the binding layer sets. Call it with no lock held that
// somebody with Python's lock may wait for: the hook waits for that one.
#pragma once

#include <atomic>

namespace wb {

/// What threads throw that end because another one failed; parallel_for alone catches it.
struct Stopped {};

/// Throws Stopped when another thread of this parallel_for has failed, and what the hook throws
/// when the caller wants an end. The hook is asked every 50 ms at most, on the thread that holds
/// the Interruptible only; a call costs some 25 ns there and nothing to speak of elsewhere.
void check_interrupt();

/// Whether the hook can be asked on this thread at all.
bool interruptible();

/// Asks the caller; throws to end the kernel, and returns false when it need not be asked again.
using InterruptHook = bool (*)();
void set_interrupt_hook(InterruptHook hook);

/// While it lives, check_interrupt() on this thread asks the hook, first after 50 ms.
class Interruptible {
  public:
    Interruptible();
    ~Interruptible();
    Interruptible(const Interruptible&) = delete;
    Interruptible& operator=(const Interruptible&) = delete;

  private:
    long long before_;
    const std::atomic<bool>* stop_before_;
};

/// While it lives, check_interrupt() on this thread throws Stopped once the flag is set.
class StopFlagHere {
  public:
    explicit StopFlagHere(const std::atomic<bool>* flag);
    ~StopFlagHere();
    StopFlagHere(const StopFlagHere&) = delete;
    StopFlagHere& operator=(const StopFlagHere&) = delete;

  private:
    const std::atomic<bool>* before_;
};

/// For loops whose turns take nanoseconds: every 1024th turn checks.
class Pulse {
  public:
    void operator()() {
        if ((++turns_ & 1023) == 0) check_interrupt();
    }

  private:
    unsigned turns_ = 0;
};

}  // namespace wb
