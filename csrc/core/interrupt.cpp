// SPDX-License-Identifier: Apache-2.0
#include "core/interrupt.hpp"

#include <chrono>
#include <limits>

namespace wb {
namespace {

using Clock = std::chrono::steady_clock;

constexpr long long kPeriod = 50'000'000;  // nanoseconds between two questions
constexpr long long kNever = std::numeric_limits<long long>::max();

std::atomic<InterruptHook> hook{nullptr};

struct Here {
    long long due = kNever;  // when the hook is asked next
    const std::atomic<bool>* stop = nullptr;
};
thread_local Here here;

long long now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
        .count();
}

}  // namespace

void check_interrupt() {
    Here& h = here;
    if (h.stop != nullptr && h.stop->load(std::memory_order_relaxed)) throw Stopped{};
    if (h.due == kNever) return;
    if (now() < h.due) return;
    const InterruptHook ask = hook.load(std::memory_order_relaxed);
    const bool again = ask != nullptr && ask();
    h.due = again ? now() + kPeriod : kNever;
}

bool interruptible() { return here.due != kNever; }

void set_interrupt_hook(InterruptHook given) { hook.store(given); }

Interruptible::Interruptible() : before_(here.due), stop_before_(here.stop) {
    here.due = now() + kPeriod;
    here.stop = nullptr;
}

Interruptible::~Interruptible() {
    here.due = before_;
    here.stop = stop_before_;
}

StopFlagHere::StopFlagHere(const std::atomic<bool>* flag) : before_(here.stop) { here.stop = flag; }

StopFlagHere::~StopFlagHere() { here.stop = before_; }

}  // namespace wb
