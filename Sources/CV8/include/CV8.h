// The narrow bridge to V8, as plain C. Swift cannot call V8 itself: its API is C++ whose handles live on V8's own
// stack of scopes, and its fatal errors must be survived by a jump that no Swift frame may lie under.
//
// The rule: Swift never calls into V8 while V8 is calling Swift. JavaScript calls an op with flat arguments; they are
// copied or borrowed into `cv8_value`s; Swift fills in a flat result and returns; only then are V8 values made of it.
//
// Threads: V8 is initialised once, by `cv8_initialize`, on a thread that is an ancestor of every thread that uses
// isolates. A thread attaches (`cv8_thread_attach`) before it touches one. An isolate is used by one thread at a
// time; it may be handed over while no call is under way. Functions without a remark may be called from any attached
// thread.
#ifndef CV8_H
#define CV8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

// MARK: Values

enum {
    CV8_UNDEFINED,
    CV8_NULL,
    CV8_FALSE,
    CV8_TRUE,
    CV8_NUMBER,
    /// One byte a unit, U+0000 to U+00FF; `length` units.
    CV8_LATIN1,
    /// The same, as an internalised string: for the few that come again and again, such as header names.
    CV8_NAME,
    /// UTF-8, only from Swift to JavaScript; malformed sequences become U+FFFD.
    CV8_UTF8,
    /// Two bytes a unit; `length` units.
    CV8_UTF16,
    /// Bytes of an ArrayBuffer or a view, borrowed during the op. From Swift: copied.
    CV8_BYTES,
    /// Only from Swift: bytes made by `cv8_account_resize`, which JavaScript now owns; a Uint8Array without a copy.
    CV8_OWNED_BYTES,
    /// `length` values, none of them a list.
    CV8_LIST,
    /// Only from Swift: an exception. `list` points to two values: the class ("TypeError", "RangeError", "SyntaxError",
    /// "Error", else the name of a DOMException) and the message.
    CV8_THROW,
    /// A value with no flat form (an object, a function, a symbol, a BigInt), only from JavaScript.
    CV8_OPAQUE,
};

typedef struct cv8_value {
    uint32_t kind;
    size_t length;
    union {
        double number;
        const uint8_t *_Nullable latin1;
        const uint16_t *_Nullable utf16;
        uint8_t *_Nullable bytes;
        const struct cv8_value *_Nullable list;
    };
} cv8_value;

/// Memory for an op's result, or for arguments of `cv8_isolate_call`: valid until that op has returned to JavaScript,
/// or until the next call on this thread. Never null.
void *cv8_arena_allocate(size_t size);

// MARK: The process

/// Called for each op: `host` is the isolate's, `index` the op's place in the snapshot's list. `result` is undefined
/// at first.
typedef void (*cv8_op)(
    void *_Nullable host, uint32_t index, const cv8_value *arguments, size_t count, cv8_value *result);

/// Initialises V8. Once, before anything else; `flags` are V8's own, separated by spaces.
void cv8_initialize(const char *flags, cv8_op op);

/// V8's version, such as "10.2.154.26".
const char *cv8_version(void);

// MARK: Threads

typedef struct cv8_thread cv8_thread;

/// Makes the calling thread fit to run isolates: stack limit, alternate signal stack, the record for ejection.
cv8_thread *cv8_thread_attach(void);

/// Gives back what attach took. The thread must have no isolate entered.
void cv8_thread_detach(void);

/// Names the calling thread, as `ps -L` shows it (15 bytes). Here because pthread_setname_np is a GNU extension that
/// Swift's Glibc module leaves out; so is malloc_trim.
void cv8_thread_set_name(const char *name);
/// The calling thread gives way: it does not take the core from the thread that woke it (SCHED_BATCH), and its
/// share of a busy core is a tenth of another's. Where the kernel refuses, it is as any other.
void cv8_thread_work_ahead(void);

/// Gives memory that malloc holds free back to the system. Some milliseconds: off the lanes.
void cv8_release_free_memory(void);

/// The wall clock that JavaScript sees on this thread, in milliseconds since 1970. Time stands still until the next
/// call.
void cv8_thread_set_time(double milliseconds);

/// The number that the calling thread's next call into JavaScript will have.
uint64_t cv8_thread_next_call(const cv8_thread *thread);

/// Asks `thread` by a signal to jump out of JavaScript, if it is still in that call and in generated code or a
/// builtin. It may take several tries. From any thread. The call ends with CV8_CONDEMNED. Nothing happens if the call
/// has ended.
void cv8_thread_eject(cv8_thread *thread, uint64_t call);

/// Where a crash of the thread is noted for another process to read: its second word is then the signal's number.
void cv8_thread_set_crash_slot(cv8_thread *thread, uint64_t *_Nullable slot);

// MARK: Errors

typedef enum {
    CV8_OK,
    /// JavaScript threw; the error tells what.
    CV8_EXCEPTION,
    /// TerminateExecution took effect. The isolate must not be called again.
    CV8_TERMINATED,
    /// A fatal error of V8 or an ejection was survived. The isolate must not be called again.
    CV8_CONDEMNED,
} cv8_status;

typedef enum {
    CV8_CAUSE_NONE,
    /// Somebody called `cv8_isolate_terminate`.
    CV8_CAUSE_TERMINATED,
    /// Over its memory limit: terminated by the heap-limit callback, the check after a collection, or by V8's own
    /// out-of-memory.
    CV8_CAUSE_MEMORY,
    /// Ejected by signal.
    CV8_CAUSE_EJECTED,
    /// Any other fatal error of V8.
    CV8_CAUSE_FATAL,
} cv8_cause;

/// What went wrong in a call. The texts live in the thread's arena, until its next call; UTF-8, empty if unknown.
typedef struct {
    cv8_cause cause;
    const char *_Nullable message;
    const char *_Nullable stack;
    /// The name of the module or script, the line's text, and the place in it (from 1; 0 if unknown).
    const char *_Nullable resource;
    const char *_Nullable source_line;
    int line;
    int column;
} cv8_error;

// MARK: Snapshot

typedef struct cv8_snapshot cv8_snapshot;

typedef struct {
    /// The bundle: one ASCII expression `(ops, engine) => entries`. Must outlive the process's isolates.
    const char *source;
    size_t source_length;
    const char *_Nonnull const *_Nonnull op_names;
    size_t op_count;
    /// Functions of `entries` that the host calls, by their place in this list.
    const char *_Nonnull const *_Nonnull entry_names;
    size_t entry_count;
    /// An entry called once before the snapshot is taken, so that what a request needs is compiled; -1 for none.
    int warm_up_entry;
    /// The host that ops meet during warm-up.
    void *_Nullable host;
} cv8_bundle;

/// Evaluates the bundle and takes the start-up snapshot. Null on an exception, which `error` tells.
cv8_snapshot *_Nullable cv8_snapshot_create(const cv8_bundle *bundle, cv8_error *error);

/// Bytes of the blob that isolates deserialise.
size_t cv8_snapshot_size(const cv8_snapshot *snapshot);

// MARK: Isolates

typedef struct cv8_isolate cv8_isolate;

typedef struct {
    /// Bytes of JavaScript heap, ArrayBuffers and Wasm memories together.
    size_t memory_bytes;
} cv8_limits;

/// A blank isolate with its context. About 3 ms: made ahead, off the request path. Null if V8 got no memory for it.
cv8_isolate *_Nullable cv8_isolate_create(const cv8_snapshot *snapshot, const cv8_limits *limits);

/// What ops get as `host` from now on.
void cv8_isolate_set_host(cv8_isolate *isolate, void *_Nullable host);

/// Bytes that the isolate may use from now on (an isolate from the pool takes on its worker's limit).
void cv8_isolate_set_memory_limit(cv8_isolate *isolate, size_t bytes);

/// Calls an entry, then runs microtasks until none is left. No call may be under way on this thread.
cv8_status cv8_isolate_call(
    cv8_isolate *isolate, uint32_t entry, const cv8_value *_Nullable arguments, size_t count, cv8_error *error);

/// Calls an entry that runs the runtime's own code only: no microtasks, finalizers or rejections afterwards. What it
/// queues runs with the next call.
cv8_status cv8_isolate_tell(
    cv8_isolate *isolate, uint32_t entry, const cv8_value *_Nullable arguments, size_t count, cv8_error *error);

/// Makes running JavaScript stop soon. From any thread; takes a mutex, so not from a signal handler.
void cv8_isolate_terminate(cv8_isolate *isolate);

/// Ends the isolate, condemned or not. False if V8 failed fatally in the attempt: then its memory is lost.
bool cv8_isolate_dispose(cv8_isolate *isolate);

typedef struct {
    size_t heap_used;
    size_t heap_committed;
    /// ArrayBuffers, and what is charged to the isolate's account besides.
    size_t buffers;
    size_t wasm;
    /// V8's own C++ structures.
    size_t malloced;
} cv8_memory;

cv8_memory cv8_isolate_memory(cv8_isolate *isolate);

/// Heap and buffers as of the last collection, wasm included; cheap enough for each call.
size_t cv8_isolate_memory_estimate(const cv8_isolate *isolate);

/// Collects all garbage. For idle isolates and tests.
cv8_status cv8_isolate_collect(cv8_isolate *isolate, cv8_error *error);

/// What an isolate's buffers are charged to. From any thread; it outlives the isolate until it is closed.
typedef struct cv8_account cv8_account;

cv8_account *cv8_isolate_account(cv8_isolate *isolate);
void cv8_account_close(cv8_account *account);

/// Charges bytes that lie somewhere else. False if they would go over the limit: then nothing is charged.
bool cv8_account_charge(cv8_account *account, size_t length);
void cv8_account_credit(cv8_account *account, size_t length);

/// Uninitialised memory that is charged, to be returned as CV8_OWNED_BYTES; or, of what it gave before, more or less.
/// Null if it would go over the limit: then all is as it was.
uint8_t *_Nullable cv8_account_resize(
    cv8_account *account, uint8_t *_Nullable bytes, size_t length, size_t new_length);

/// Gives back what was not returned after all.
void cv8_account_free(cv8_account *account, uint8_t *bytes, size_t length);

/// Charges memory that the host holds for the isolate, such as a compressor's; it makes V8 collect sooner, too. False,
/// and nothing has happened, if that would go over the limit. The thread must be the isolate's.
bool cv8_isolate_charge(cv8_isolate *isolate, size_t length);
void cv8_isolate_discharge(cv8_isolate *isolate, size_t length);

// MARK: Modules

typedef enum {
    CV8_MODULE_JAVASCRIPT,
    CV8_MODULE_TEXT,
    CV8_MODULE_DATA,
    CV8_MODULE_JSON,
    CV8_MODULE_WASM,
    /// A classic script (service-worker syntax); only as the main module, and alone.
    CV8_MODULE_SCRIPT,
} cv8_module_kind;

/// One module of a worker. Everything it points to must stay in place as long as the isolate lives.
typedef struct {
    /// Relative to the worker's root, without "./": "index.js", "lib/a.js". Never null.
    const char *_Nullable name;
    cv8_module_kind kind;
    /// Source text as Latin-1 (`units` null) or UTF-16, or the bytes of a text, data or wasm module (text and json:
    /// UTF-8).
    const uint8_t *_Nullable bytes;
    const uint16_t *_Nullable units;
    size_t length;
    /// A code cache that `cv8_isolate_code_cache` made of the same source, or null.
    const uint8_t *_Nullable code_cache;
    size_t code_cache_length;
    /// A compiled Wasm module of `cv8_isolate_compiled_wasm`, or null.
    const void *_Nullable compiled_wasm;
} cv8_module;

/// Compiles, links and evaluates the worker, then calls the entry `loaded` with the main module's namespace (nothing
/// for a script). An exception may be a syntax error, a missing module, or what the top level threw.
cv8_status cv8_isolate_load(
    cv8_isolate *isolate, const cv8_module *modules, size_t count, uint32_t loaded_entry, cv8_error *error);

/// Code that V8 made: malloc'ed memory, or null if there is none.
typedef struct {
    uint8_t *_Nullable bytes;
    size_t length;
} cv8_code_cache;

/// Compiles one JavaScript module without running it, in an isolate that loads no worker, and gives its code cache. A
/// cold start that consumes it parses nothing but what it runs.
cv8_status cv8_isolate_precompile(
    cv8_isolate *isolate, const cv8_module *module, cv8_code_cache *cache, cv8_error *error);

/// The code cache of a module as evaluated by now. After the first request it holds the functions that a request
/// needs.
cv8_status cv8_isolate_code_cache(cv8_isolate *isolate, size_t module, cv8_code_cache *cache, cv8_error *error);

/// The compiled form of a Wasm module, which other isolates may share; null if it was not used. Freed by
/// cv8_compiled_wasm_free.
void *_Nullable cv8_isolate_compiled_wasm(cv8_isolate *isolate, size_t module);
void cv8_compiled_wasm_free(void *compiled);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
