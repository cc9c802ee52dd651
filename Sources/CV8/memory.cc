// What an isolate may use: heap, ArrayBuffers and Wasm memories counted together, and what happens at the limit.
#include <cstdlib>
#include <cstring>

#include "internal.h"

namespace martlet {

namespace {

/// V8 treats a refusal of very small buffers as fatal, so those are always granted; the check after the next
/// collection or call sees them.
constexpr size_t never_refused = 4096;
/// What V8 gets beyond the limit to come to a place where it notices that it has been terminated. Granted once.
constexpr size_t heap_grant = 64u << 20;

/// V8 is about to run out of heap. It must get more or it aborts; the isolate is ended all the same.
size_t near_heap_limit(void *data, size_t current, size_t) {
    auto *self = static_cast<cv8_isolate *>(data);
    self->cause = CV8_CAUSE_MEMORY;
    self->isolate->TerminateExecution();
    if (++self->heap_limit_grants > 1) return current;
    return current + heap_grant;
}

void after_collection(v8::Isolate *isolate, v8::GCType, v8::GCCallbackFlags, void *data) {
    auto *self = static_cast<cv8_isolate *>(data);
    v8::HeapStatistics statistics;
    isolate->GetHeapStatistics(&statistics);
    self->heap_used = statistics.used_heap_size();
    size_t buffers = self->allocator->bytes();
    self->wasm_used = statistics.external_memory() > buffers ? statistics.external_memory() - buffers : 0;
    self->allocator->others = self->heap_used + self->wasm_used;
    if (cv8_isolate_memory_estimate(self) <= self->allocator->limit) return;
    self->cause = CV8_CAUSE_MEMORY;
    isolate->TerminateExecution();
}

#if V8_MAJOR_VERSION >= 13
void on_out_of_memory(const char *location, const v8::OOMDetails &) {
#else
void on_out_of_memory(const char *location, bool) {
#endif
    if (Thread *thread = current_thread; thread && thread->in_javascript) jump_out(thread, CV8_CAUSE_MEMORY, location);
}

void on_fatal_error(const char *, const char *message) {
    if (Thread *thread = current_thread; thread && thread->in_javascript) jump_out(thread, CV8_CAUSE_FATAL, message);
}

}  // namespace

bool CountingAllocator::reserve(size_t length) {
    size_t before = bytes_.fetch_add(length, std::memory_order_relaxed);
    if (before + length <= limit || length <= never_refused) return true;
    release(length);
    return false;
}

void *CountingAllocator::Allocate(size_t length) {
    if (!reserve(length)) return nullptr;
    void *data = std::calloc(length ? length : 1, 1);
    if (!data) release(length);
    return data;
}

void *CountingAllocator::AllocateUninitialized(size_t length) {
    if (!reserve(length)) return nullptr;
    void *data = std::malloc(length ? length : 1);
    if (!data) release(length);
    return data;
}

void CountingAllocator::Free(void *data, size_t length) {
    std::free(data);
    release(length);
}

void install_heap_limit(cv8_isolate *self) {
    self->isolate->AddNearHeapLimitCallback(near_heap_limit, self);
    self->isolate->AddGCEpilogueCallback(after_collection, self);
    self->isolate->SetOOMErrorHandler(on_out_of_memory);
    self->isolate->SetFatalErrorHandler(on_fatal_error);
}

}  // namespace martlet

using namespace martlet;

size_t cv8_isolate_memory_estimate(const cv8_isolate *self) {
    return self->heap_used + self->wasm_used + self->allocator->bytes();
}

void cv8_isolate_set_memory_limit(cv8_isolate *self, size_t bytes) { self->allocator->limit = bytes; }

cv8_memory cv8_isolate_memory(cv8_isolate *self) {
    v8::HeapStatistics statistics;
    self->isolate->GetHeapStatistics(&statistics);
    cv8_memory memory = {};
    memory.heap_used = statistics.used_heap_size();
    memory.heap_committed = statistics.total_physical_size();
    memory.buffers = self->allocator->bytes();
    size_t external = statistics.external_memory();
    memory.wasm = external > memory.buffers ? external - memory.buffers : 0;
    memory.malloced = statistics.malloced_memory();
    return memory;
}

struct cv8_account {
    std::shared_ptr<CountingAllocator> allocator;

    /// What the host gathers for JavaScript may fill the memory but for a sixteenth: the error that says so, and the
    /// worker's way of dealing with it, need some.
    bool charge(size_t length) {
        if (!allocator->reserve(length)) return false;
        size_t limit = allocator->limit;
        if (length <= never_refused || allocator->bytes() + allocator->others <= limit - limit / 16) return true;
        allocator->release(length);
        return false;
    }
};

cv8_account *cv8_isolate_account(cv8_isolate *self) { return new cv8_account{self->allocator}; }

void cv8_account_close(cv8_account *account) { delete account; }

bool cv8_account_charge(cv8_account *account, size_t length) { return account->charge(length); }

void cv8_account_credit(cv8_account *account, size_t length) { account->allocator->release(length); }

uint8_t *cv8_account_resize(cv8_account *account, uint8_t *bytes, size_t length, size_t new_length) {
    CountingAllocator &allocator = *account->allocator;
    if (!bytes) length = 0;
    if (new_length > length && !account->charge(new_length - length)) return nullptr;
    // Large blocks are moved by their page tables, not copied.
    void *resized = std::realloc(bytes, new_length ? new_length : 1);
    if (!resized && new_length > length) allocator.release(new_length - length);
    if (resized && new_length < length) allocator.release(length - new_length);
    return static_cast<uint8_t *>(resized);
}

void cv8_account_free(cv8_account *account, uint8_t *bytes, size_t length) { account->allocator->Free(bytes, length); }

bool cv8_isolate_charge(cv8_isolate *self, size_t length) {
    if (!self->allocator->reserve(length)) return false;
    self->external_change += static_cast<int64_t>(length);
    return true;
}

void cv8_isolate_discharge(cv8_isolate *self, size_t length) {
    self->allocator->release(length);
    self->external_change -= static_cast<int64_t>(length);
}
