// An isolate's life: made from the snapshot, called, condemned or not, disposed.
#include <cstring>
#include <new>

#include "internal.h"

namespace martlet {

void forget_tasks(v8::Isolate *isolate);

namespace {

v8::ModifyCodeGenerationFromStringsResult refuse_code_from_strings(Local<v8::Context>, Local<v8::Value>, bool) {
    return {false, {}};
}

bool may_compile_wasm(Local<v8::Context> context, Local<v8::String>) {
    return isolate_of(context->GetIsolate())->may_compile_wasm;
}

/// Runs inside V8, which runs inside our call: straight on to JavaScript, which keeps the lists.
void on_promise_rejection(v8::PromiseRejectMessage message) {
    auto promise = message.GetPromise();
    v8::Isolate *isolate = promise->GetIsolate();
    cv8_isolate *self = isolate_of(isolate);
    if (!self || self->promise_rejected.IsEmpty()) return;
    if (message.GetEvent() > v8::kPromiseHandlerAddedAfterReject) return;
    self->has_rejections = true;
    v8::HandleScope scope(isolate);
    Local<v8::Value> reason = message.GetValue();
    if (reason.IsEmpty()) reason = v8::Undefined(isolate);
    Local<v8::Value> arguments[] = {v8::Integer::New(isolate, message.GetEvent()), promise, reason};
    auto context = isolate->GetCurrentContext();
    v8::TryCatch failure(isolate);
    (void)self->promise_rejected.Get(isolate)->Call(context, v8::Undefined(isolate), 3, arguments);
}

/// After the microtasks: finalizers, then rejections nobody handled; both may queue microtasks again.
void drain(cv8_isolate *self, Local<v8::Context> context) {
    v8::Isolate *isolate = self->isolate;
    isolate->PerformMicrotaskCheckpoint();
    if (!self->tasks->is_empty()) {
        self->tasks_under_way = self->tasks->take();
        for (auto &task : self->tasks_under_way) {
            if (isolate->IsExecutionTerminating()) break;
            task->Run();
        }
        self->tasks_under_way.clear();
        isolate->PerformMicrotaskCheckpoint();
    }
    while (self->has_rejections && !isolate->IsExecutionTerminating()) {
        self->has_rejections = false;
        auto settle = self->settle_rejections.Get(isolate);
        if (settle->Call(context, v8::Undefined(isolate), 0, nullptr).IsEmpty()) return;
        isolate->PerformMicrotaskCheckpoint();
    }
}

void bind_to(cv8_isolate *self, Thread *thread) {
    if (self->bound_to == thread) return;
    self->bound_to = thread;
    self->isolate->SetStackLimit(thread->stack_limit);
}

void mark_code_ranges(cv8_isolate *self, Thread *thread) {
    void *code = nullptr;
    const void *builtins = nullptr;
    size_t code_size = 0, builtins_size = 0;
    self->isolate->GetCodeRange(&code, &code_size);
    self->isolate->GetEmbeddedCodeRange(&builtins, &builtins_size);
    thread->code_begin = reinterpret_cast<uintptr_t>(code);
    thread->code_end = thread->code_begin + code_size;
    thread->builtins_begin = reinterpret_cast<uintptr_t>(builtins);
    thread->builtins_end = thread->builtins_begin + builtins_size;
}

void clear(cv8_error *error) {
    error->cause = CV8_CAUSE_NONE;
    error->message = error->stack = error->resource = error->source_line = "";
    error->line = error->column = 0;
}

/// The part between the jump's landing and its start. In a function of its own, so that no local of `enter` lives in
/// a register across the jump.
cv8_status run(cv8_isolate *self, cv8_error *error, Body body, void *arguments, Afterwards afterwards) {
    v8::Isolate *isolate = self->isolate;
    Local<v8::Context> context = self->context.Get(isolate);
    v8::Context::Scope in_context(context);
    v8::TryCatch failure(isolate);
    bool is_good = body(self, context, arguments);
    if (is_good || !failure.HasTerminated()) {
        if (!is_good) {
            describe(isolate, context, failure, error);
            failure.Reset();
        }
        if (afterwards == Afterwards::drain) drain(self, context);
    }
    if (!failure.HasTerminated() && !isolate->IsExecutionTerminating() && self->cause == CV8_CAUSE_NONE) {
        return is_good ? CV8_OK : CV8_EXCEPTION;
    }
    error->cause = static_cast<cv8_cause>(self->cause.load());
    if (error->cause == CV8_CAUSE_NONE) error->cause = CV8_CAUSE_TERMINATED;
    self->is_condemned = true;
    return CV8_TERMINATED;
}

cv8_status land(cv8_isolate *self, Thread *thread, cv8_error *error) {
    self->is_condemned = true;
    // The jump skipped the end of the task that ran: V8 would wait for it for ever when the isolate is disposed of.
    self->tasks_under_way.clear();
    clear(error);
    error->cause = thread->cause;
    if (self->cause == CV8_CAUSE_MEMORY) error->cause = CV8_CAUSE_MEMORY;
    if (thread->cause_text) error->message = thread->cause_text;
    return CV8_CONDEMNED;
}

}  // namespace

cv8_status enter(cv8_isolate *self, cv8_error *error, Body body, void *arguments, Afterwards afterwards) {
    Thread *thread = current_thread;
    if (!thread || thread->running || self->is_condemned) std::abort();
    clear(error);
    bind_to(self, thread);
    mark_code_ranges(self, thread);
    thread->running = self;
    self->isolate->Enter();
    // The scope outlives the jump, else the blocks of its handles would leak; hence placed by hand.
    alignas(v8::HandleScope) static thread_local char place[sizeof(v8::HandleScope)];
    struct Scope : v8::HandleScope {
        explicit Scope(v8::Isolate *isolate) : v8::HandleScope(isolate) {}
        static void *operator new(size_t, void *where) { return where; }
        static void operator delete(void *) {}
    };
    auto *scope = new (static_cast<void *>(place)) Scope(self->isolate);
    cv8_status status;
    thread->call_number.fetch_add(1, std::memory_order_acq_rel);
    // No signal mask is saved: our handlers block nothing, and saving costs a system call.
    if (sigsetjmp(thread->landing, 0) == 0) {
        thread->in_javascript = 1;
        status = run(self, error, body, arguments, afterwards);
        thread->in_javascript = 0;
    } else {
        status = land(thread->running, thread, error);
    }
    thread->call_number.fetch_add(1, std::memory_order_acq_rel);
    scope = reinterpret_cast<Scope *>(place);
    scope->~Scope();
    thread->running->isolate->Exit();
    thread->running = nullptr;
    return status;
}

void configure(cv8_isolate *self) {
    v8::Isolate *isolate = self->isolate;
    isolate->SetData(0, self);
    isolate->SetMicrotasksPolicy(v8::MicrotasksPolicy::kExplicit);
    isolate->SetModifyCodeGenerationFromStringsCallback(refuse_code_from_strings);
    isolate->SetAllowWasmCodeGenerationCallback(may_compile_wasm);
    isolate->SetPromiseRejectCallback(on_promise_rejection);
    install_module_callbacks(isolate);
}

bool adopt_entries(cv8_isolate *self, Local<v8::Context> context, Local<v8::Array> functions, size_t entry_count) {
    v8::Isolate *isolate = self->isolate;
    auto take = [&](size_t index, v8::Global<v8::Function> *target) {
        auto value = functions->Get(context, static_cast<uint32_t>(index)).ToLocalChecked();
        if (!value->IsFunction()) return false;
        target->Reset(isolate, value.As<v8::Function>());
        return true;
    };
    self->entries.resize(entry_count);
    for (size_t i = 0; i < entry_count; i++) {
        if (take(i, &self->entries[i])) continue;
        auto message = "The bundle lacks the entry number " + std::to_string(i);
        isolate->ThrowException(v8::Exception::Error(text(isolate, message.c_str())));
        return false;
    }
    take(entry_count, &self->make_exception);
    take(entry_count + 1, &self->promise_rejected);
    take(entry_count + 2, &self->settle_rejections);
    take(entry_count + 3, &self->import_builtin);
    self->context.Reset(isolate, context);
    return true;
}

}  // namespace martlet

using namespace martlet;

namespace {

cv8_isolate *create(const cv8_snapshot *snapshot, const cv8_limits *limits) {
    auto *self = new cv8_isolate;
    self->allocator = std::make_shared<CountingAllocator>();
    self->allocator->limit = limits->memory_bytes;
    v8::Isolate::CreateParams parameters;
    parameters.snapshot_blob = const_cast<v8::StartupData *>(&snapshot->blob);
    parameters.external_references = snapshot->external_references.data();
    parameters.array_buffer_allocator_shared = self->allocator;
    parameters.allow_atomics_wait = false;
    parameters.constraints.ConfigureDefaultsFromHeapSize(0, limits->memory_bytes);
    self->isolate = v8::Isolate::Allocate();
    self->tasks = tasks_of(self->isolate);
    v8::Isolate::Initialize(self->isolate, parameters);
    v8::Isolate *isolate = self->isolate;
    v8::Isolate::Scope in_isolate(isolate);
    v8::HandleScope scope(isolate);
    configure(self);
    install_heap_limit(self);
    auto context = v8::Context::New(isolate);
    context->AllowCodeGenerationFromStrings(false);
    auto functions = context->GetDataFromSnapshotOnce<v8::Array>(0).ToLocalChecked();
    if (!adopt_entries(self, context, functions, snapshot->entry_count)) std::abort();
    return self;
}

/// In a function of its own, so that no local of the caller lives in a register across the jump.
cv8_isolate *create_guarded(Thread *thread, const cv8_snapshot *snapshot, const cv8_limits *limits) {
    if (sigsetjmp(thread->landing, 0) != 0) {
        // The half-made isolate is lost, and must not stay the thread's current one.
        while (v8::Isolate *entered = v8::Isolate::TryGetCurrent()) entered->Exit();
        return nullptr;
    }
    thread->in_javascript = 1;
    cv8_isolate *self = create(snapshot, limits);
    thread->in_javascript = 0;
    return self;
}

}  // namespace

cv8_isolate *cv8_isolate_create(const cv8_snapshot *snapshot, const cv8_limits *limits) {
    return create_guarded(current_thread, snapshot, limits);
}

void cv8_isolate_set_host(cv8_isolate *self, void *host) { self->host = host; }

namespace {

struct Call {
    uint32_t entry;
    const cv8_value *arguments;
    size_t count;
};

bool call_entry(cv8_isolate *self, Local<v8::Context> context, void *data) {
    auto *call = static_cast<Call *>(data);
    constexpr size_t most_arguments = 8;
    Local<v8::Value> arguments[most_arguments];
    size_t count = call->count < most_arguments ? call->count : most_arguments;
    for (size_t i = 0; i < count; i++) {
        arguments[i] = unflatten(self, context, call->arguments[i]);
        if (arguments[i].IsEmpty()) return false;
    }
    current_thread->arena.rewind({0, 0});
    auto entry = self->entries[call->entry].Get(self->isolate);
    return !entry->Call(context, v8::Undefined(self->isolate), static_cast<int>(count), arguments).IsEmpty();
}

bool collect(cv8_isolate *self, Local<v8::Context>, void *) {
    current_thread->arena.rewind({0, 0});
    self->isolate->LowMemoryNotification();
    return true;
}

/// The call that disposes: entered by `dispose`, left by a jump if V8 fails in it.
bool dispose_guarded(cv8_isolate *self, Thread *thread) {
    if (sigsetjmp(thread->landing, 0) != 0) return false;
    thread->in_javascript = 1;
    self->isolate->Dispose();
    thread->in_javascript = 0;
    return true;
}

}  // namespace

cv8_status cv8_isolate_call(
    cv8_isolate *self, uint32_t entry, const cv8_value *arguments, size_t count, cv8_error *error) {
    Call call = {entry, arguments, count};
    return enter(self, error, call_entry, &call, Afterwards::drain);
}

cv8_status cv8_isolate_tell(
    cv8_isolate *self, uint32_t entry, const cv8_value *arguments, size_t count, cv8_error *error) {
    Call call = {entry, arguments, count};
    return enter(self, error, call_entry, &call, Afterwards::leave);
}

cv8_status cv8_isolate_collect(cv8_isolate *self, cv8_error *error) {
    return enter(self, error, collect, nullptr, Afterwards::drain);
}

void cv8_isolate_terminate(cv8_isolate *self) {
    int none = CV8_CAUSE_NONE;
    self->cause.compare_exchange_strong(none, CV8_CAUSE_TERMINATED);
    self->isolate->TerminateExecution();
}

bool cv8_isolate_dispose(cv8_isolate *self) {
    Thread *thread = current_thread;
    v8::Isolate *isolate = self->isolate;
    self->modules.clear();
    self->builtins.clear();
    self->entries.clear();
    self->make_exception.Reset();
    self->promise_rejected.Reset();
    self->settle_rejections.Reset();
    self->import_builtin.Reset();
    self->context.Reset();
    self->tasks->take();
    bool is_disposed = dispose_guarded(self, thread);
    forget_tasks(isolate);
    if (is_disposed) delete self;
    return is_disposed;
}
