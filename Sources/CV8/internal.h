// What the bridge's files share. Nothing here is seen by Swift.
#pragma once

#include <csetjmp>
#include <csignal>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <libplatform/libplatform.h>
#include <v8.h>

#include "CV8.h"

// V8's API changes; the bridge compiles with that of 10.2 (Debian 12) and of 13.6. What is another function or another
// signature there stands behind V8_MAJOR_VERSION, here and in platform.cc.

namespace martlet {

using v8::Local;

// MARK: Memory whose life is a call

/// Bump allocation for flat values. A jump out of JavaScript leaks nothing: the next call starts afresh.
class Arena {
 public:
    struct Mark {
        size_t used;
        size_t large;
    };
    ~Arena() { rewind({0, 0}); }
    void *allocate(size_t size);
    Mark mark() const { return {used_, large_.size()}; }
    /// Bytes in blocks of their own.
    size_t large_bytes() const { return large_bytes_; }
    void rewind(Mark mark);

 private:
    static constexpr size_t capacity = 64 * 1024;
    alignas(16) char block_[capacity];
    size_t used_ = 0;
    struct Large {
        void *start;
        size_t size;
    };
    std::vector<Large> large_;
    size_t large_bytes_ = 0;
};

// MARK: Threads

/// What V8 has printed in the call that is under way.
class Complaint {
 public:
    /// What an earlier call has left is forgotten.
    void append(uint64_t call, const char *text, size_t size);
    /// The line that says what is wrong; empty if there is none. Valid until more is printed.
    const char *reason();

 private:
    char text_[1024] = {};
    size_t size_ = 0;
    uint64_t call_ = 0;
};

/// Puts a stream of ours in the place of C's `stderr`.
void listen_to_complaints();

/// A thread that runs isolates. The atomics are what other threads and signal handlers look at.
struct Thread {
    /// Set while V8 or code it runs is on top of the stack, that is: while a jump to `landing` is sound.
    volatile sig_atomic_t in_javascript = 0;
    sigjmp_buf landing;
    /// Why the jump was made; set just before it.
    volatile cv8_cause cause = CV8_CAUSE_NONE;
    const char *volatile cause_text = nullptr;
    Complaint complaint;
    /// Generated code of the running isolate and V8's embedded builtins: where an ejection may begin.
    uintptr_t code_begin = 0, code_end = 0, builtins_begin = 0, builtins_end = 0;
    /// Counts calls into JavaScript; odd numbers while one is under way.
    std::atomic<uint64_t> call_number{0};
    std::atomic<uint64_t> call_to_eject{0};
    /// Set while an ejection signal is on its way or in its handler. Real-time signals queue: a thread that was held up
    /// in the kernel would else meet dozens at once, one atop the other on its signal stack.
    std::atomic<bool> is_ejection_pending{false};
    pthread_t handle;
    uintptr_t stack_limit = 0;
    void *signal_stack = nullptr;
    /// Two words, the second of which is set when the thread crashes; null if nobody looks.
    volatile uint64_t *crash_slot = nullptr;
    double now = 0;
    Arena arena;
    cv8_isolate *running = nullptr;
};

extern thread_local Thread *current_thread;

/// Leaves JavaScript for good; the running isolate is condemned.
[[noreturn]] void jump_out(Thread *thread, cv8_cause cause, const char *text);

// MARK: Isolates

/// Counts the bytes of one isolate's ArrayBuffers and refuses what goes over the limit.
class CountingAllocator final : public v8::ArrayBuffer::Allocator {
 public:
    void *Allocate(size_t length) override;
    void *AllocateUninitialized(size_t length) override;
    void Free(void *data, size_t length) override;
    bool reserve(size_t length);
    /// Address ranges of Wasm memories and Wasm code: each takes two of the process's memory mappings, however small.
    std::shared_ptr<std::atomic<int>> ranges = std::make_shared<std::atomic<int>>(0);
    void release(size_t length) { bytes_.fetch_sub(length, std::memory_order_relaxed); }
    size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
    std::atomic<size_t> limit{0};
    /// Heap and Wasm as of the last collection.
    std::atomic<size_t> others{0};

 private:
    std::atomic<size_t> bytes_{0};
};

/// Tasks that V8 posts for an isolate: finalizers, mostly. They run at the end of the next call, under its limits.
class IsolateTasks final : public v8::TaskRunner {
 public:
#if V8_MAJOR_VERSION >= 13
    void PostTaskImpl(std::unique_ptr<v8::Task> task, const v8::SourceLocation &) override { post(std::move(task)); }
    void PostNonNestableTaskImpl(std::unique_ptr<v8::Task> task, const v8::SourceLocation &) override {
        post(std::move(task));
    }
#else
    void PostTask(std::unique_ptr<v8::Task> task) override { post(std::move(task)); }
    void PostNonNestableTask(std::unique_ptr<v8::Task> task) override { post(std::move(task)); }
    void PostDelayedTask(std::unique_ptr<v8::Task>, double) override {}
    void PostNonNestableDelayedTask(std::unique_ptr<v8::Task>, double) override {}
    void PostIdleTask(std::unique_ptr<v8::IdleTask>) override {}
#endif
    bool IdleTasksEnabled() override { return false; }
    bool NonNestableTasksEnabled() const override { return true; }
    std::vector<std::unique_ptr<v8::Task>> take();
    bool is_empty() const { return count_.load(std::memory_order_acquire) == 0; }

 private:
    void post(std::unique_ptr<v8::Task> task);

    std::mutex mutex_;
    std::atomic<size_t> count_{0};
    std::vector<std::unique_ptr<v8::Task>> tasks_;
};

std::shared_ptr<IsolateTasks> tasks_of(v8::Isolate *isolate);

/// A module of the runtime's own that the worker imports: node:buffer, cloudflare:workers.
struct BuiltinModule {
    std::string name;
    v8::Global<v8::Module> module;
    /// An object whose properties are the module's exports.
    v8::Global<v8::Object> exports;
};

struct LoadedModule {
    const cv8_module *source = nullptr;
    v8::Global<v8::Module> module;
    v8::Global<v8::UnboundScript> script;
    std::shared_ptr<v8::CompiledWasmModule> wasm;
    bool consumed_cache = false;
};

}  // namespace martlet

struct cv8_snapshot {
    v8::StartupData blob;
    std::vector<std::string> op_names;
    size_t entry_count;
    std::vector<intptr_t> external_references;
};

struct cv8_isolate {
    v8::Isolate *isolate = nullptr;
    std::shared_ptr<martlet::CountingAllocator> allocator;
    std::shared_ptr<martlet::IsolateTasks> tasks;
    /// Taken from `tasks` to be run. Here, not on the stack, so that a jump out of one does not leak it.
    std::vector<std::unique_ptr<v8::Task>> tasks_under_way;
    void *host = nullptr;
    v8::Global<v8::Context> context;
    std::vector<v8::Global<v8::Function>> entries;
    v8::Global<v8::Function> make_exception;
    v8::Global<v8::Function> promise_rejected;
    v8::Global<v8::Function> settle_rejections;
    v8::Global<v8::Function> import_builtin;
    /// The worker's modules as handed over, and what became of them; the first is the main one.
    std::vector<cv8_module> sources;
    std::vector<martlet::LoadedModule> modules;
    std::vector<martlet::BuiltinModule> builtins;
    const martlet::Thread *bound_to = nullptr;
    bool may_compile_wasm = false;
    bool has_rejections = false;
    bool is_condemned = false;
    /// Set by whoever terminates, so that the end of the call knows why.
    std::atomic<int> cause{CV8_CAUSE_NONE};
    int heap_limit_grants = 0;
    size_t initial_heap_limit = 0;
    /// As of the last collection.
    size_t heap_used = 0;
    size_t wasm_used = 0;
    /// What the host has charged and V8 has not been told of: telling may collect garbage, so it waits for the end of
    /// an op.
    int64_t external_change = 0;
};

namespace martlet {

/// External references of every snapshot: the callback of all ops, and the bundle's text.
void op_callback(const v8::FunctionCallbackInfo<v8::Value> &info);

inline v8::ScriptOrigin make_origin(v8::Isolate *isolate, Local<v8::String> name, bool is_module) {
#if V8_MAJOR_VERSION >= 13
    (void)isolate;
    return v8::ScriptOrigin(name, 0, 0, false, -1, Local<v8::Value>(), false, false, is_module);
#else
    return v8::ScriptOrigin(isolate, name, 0, 0, false, -1, Local<v8::Value>(), false, false, is_module);
#endif
}

inline cv8_isolate *isolate_of(v8::Isolate *isolate) { return static_cast<cv8_isolate *>(isolate->GetData(0)); }

/// Ops with this number or a higher one are the bridge's own (`engine.*`).
constexpr uint32_t first_engine_function = 1u << 20;
extern const char *const engine_function_names[];
extern const size_t engine_function_count;
void call_engine_function(uint32_t index, const v8::FunctionCallbackInfo<v8::Value> &info);
extern cv8_op call_op;

/// Flat values and V8's.
void flatten(v8::Isolate *isolate, Local<v8::Value> value, cv8_value *result);
Local<v8::Value> unflatten(cv8_isolate *self, Local<v8::Context> context, const cv8_value &value);
Local<v8::Value> make_exception(
    cv8_isolate *self, Local<v8::Context> context, const std::string &name, Local<v8::String> message);

inline Local<v8::String> text(v8::Isolate *isolate, const char *characters, int length = -1) {
    return v8::String::NewFromUtf8(isolate, characters, v8::NewStringType::kNormal, length).ToLocalChecked();
}

struct Bytes {
    const uint8_t *data = nullptr;
    size_t length = 0;
};

bool is_ascii(const Bytes &bytes);
bool is_utf8(const Bytes &bytes);

/// To UTF-16, malformed sequences to U+FFFD, unless they are fatal: then false. `units` has room for as many units as
/// there are bytes; `all` is the units that are not ASCII, or-ed.
bool decode_utf8(const Bytes &bytes, bool is_fatal, uint16_t *units, size_t *count, uint16_t *all);

const char *arena_copy(v8::Isolate *isolate, Local<v8::Value> value);
void describe(v8::Isolate *isolate, Local<v8::Context> context, v8::TryCatch &failure, cv8_error *error);

/// What follows a call's body: microtasks, finalizers and unhandled rejections, all of which run the tenant's code; or
/// nothing, for calls that are the runtime's own.
enum class Afterwards { drain, leave };

/// Runs `body` inside the isolate: entered, in its context, with limits and jumps in force. `body` returns false if
/// JavaScript threw. It must hold no memory of malloc's while JavaScript runs: a jump skips destructors.
using Body = bool (*)(cv8_isolate *self, Local<v8::Context> context, void *arguments);
cv8_status enter(cv8_isolate *self, cv8_error *error, Body body, void *arguments, Afterwards afterwards);

/// Hooks of isolate.cc that snapshot creation needs too.
void configure(cv8_isolate *self);
void install_module_callbacks(v8::Isolate *isolate);
void install_heap_limit(cv8_isolate *self);
bool adopt_entries(cv8_isolate *self, Local<v8::Context> context, Local<v8::Array> functions, size_t entry_count);

/// Process-wide state of engine.cc.
v8::Platform *make_platform();
extern const char *bundle_text;
v8::String::ExternalOneByteStringResource *bundle_resource();
void set_bundle(const char *source, size_t length);

}  // namespace martlet
