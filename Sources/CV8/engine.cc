// The process: the signals through which its fatal errors are survived, threads.
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "internal.h"

namespace martlet {

thread_local Thread *current_thread = nullptr;
cv8_op call_op = nullptr;

namespace {

/// Ejection uses a real-time signal, which nobody else in the process handles.
int ejection_signal() { return SIGRTMIN + 3; }

constexpr size_t signal_stack_size = 64 * 1024;
/// JavaScript may use this much of a lane's stack; native frames have the rest.
constexpr size_t javascript_stack_size = 800 * 1024;

/// For the seeds of each isolate. V8's own way opens /dev/urandom, which a process that has locked itself in cannot,
/// and then makes do with the time.
bool fill_with_entropy(unsigned char *buffer, size_t length) {
    while (length > 0) {
        ssize_t count = getrandom(buffer, length, 0);
        if (count <= 0) {
            if (errno == EINTR) continue;
            return false;
        }
        buffer += count;
        length -= static_cast<size_t>(count);
    }
    return true;
}

// MARK: Signals

/// As the signal would have it; the first process of a namespace, to which that does not apply, ends all the same.
[[noreturn]] void die_of(int number) {
    Thread *thread = current_thread;
    if (thread && thread->crash_slot) thread->crash_slot[1] = static_cast<uint64_t>(number);
    signal(number, SIG_DFL);
    raise(number);
    _exit(128 + number);
}

/// V8 aborts by int3 or ud2 or abort(): "invalid size", "invalid table size", which are too much memory for it, and
/// failed checks, which are defects of its own.
void on_fatal_signal(int number, siginfo_t *, void *) {
    Thread *thread = current_thread;
    if (thread && thread->in_javascript) {
        const char *reason = thread->complaint.reason();
        if (std::strstr(reason, "heck failed") || std::strstr(reason, "nreachable")) {
            jump_out(thread, CV8_CAUSE_FATAL, reason);
        }
        jump_out(thread, CV8_CAUSE_MEMORY, reason);
    }
    die_of(number);
}

/// Memory safety is gone.
void on_crash(int number, siginfo_t *, void *) { die_of(number); }

bool is_in_generated_code(const Thread *thread, uintptr_t pc) {
    return (pc >= thread->code_begin && pc < thread->code_end)
        || (pc >= thread->builtins_begin && pc < thread->builtins_end);
}

uintptr_t program_counter(void *context) {
    auto *machine = &static_cast<ucontext_t *>(context)->uc_mcontext;
#if defined(__x86_64__)
    return static_cast<uintptr_t>(machine->gregs[REG_RIP]);
#elif defined(__aarch64__)
    return static_cast<uintptr_t>(machine->pc);
#else
#error "Ejection needs to know where this processor keeps its program counter."
#endif
}

/// No lock of ours, V8's or malloc's is held while generated code or a builtin runs, so there, and only there, the
/// jump is sound.
void on_ejection(int, siginfo_t *, void *context) {
    Thread *thread = current_thread;
    if (!thread) return;
    uint64_t wanted = thread->call_to_eject.load(std::memory_order_acquire);
    bool is_sound = thread->in_javascript && wanted == thread->call_number.load(std::memory_order_relaxed)
        && is_in_generated_code(thread, program_counter(context));
    thread->is_ejection_pending.store(false, std::memory_order_release);
    if (is_sound) {
        jump_out(thread, CV8_CAUSE_EJECTED, "Ejected: it ran past its CPU limit and did not heed termination");
    }
}

void install_signals() {
    struct sigaction action = {};
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    action.sa_sigaction = on_fatal_signal;
    for (int number : {SIGTRAP, SIGILL, SIGABRT}) sigaction(number, &action, nullptr);
    action.sa_sigaction = on_crash;
    for (int number : {SIGSEGV, SIGBUS, SIGFPE}) sigaction(number, &action, nullptr);
    action.sa_flags |= SA_RESTART;
    action.sa_sigaction = on_ejection;
    sigaction(ejection_signal(), &action, nullptr);
}

// MARK: The bundle's text

/// One string for all isolates: without an external reference to its resource each would carry a copy.
class BundleResource final : public v8::String::ExternalOneByteStringResource {
 public:
    const char *data() const override { return source; }
    size_t length() const override { return size; }
    void Dispose() override {}
    const char *source = nullptr;
    size_t size = 0;
};

BundleResource the_bundle;

/// Bodies of some 100 kB come and go with each request. By default malloc gives their pages back to the kernel at once
/// and takes them anew, which costs more than the copies (mallopt(3)). What it keeps instead is a few MB a lane.
void keep_some_memory() {
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 8 << 20);
}

}  // namespace

v8::String::ExternalOneByteStringResource *bundle_resource() { return &the_bundle; }

void set_bundle(const char *source, size_t length) {
    the_bundle.source = source;
    the_bundle.size = length;
}

void jump_out(Thread *thread, cv8_cause cause, const char *text) {
    thread->in_javascript = 0;
    thread->cause = cause;
    thread->cause_text = text;
    siglongjmp(thread->landing, 1);
}

// MARK: Arena

void *Arena::allocate(size_t size) {
    size = (size + 15) & ~size_t{15};
    if (used_ + size <= capacity) {
        void *result = block_ + used_;
        used_ += size;
        return result;
    }
    void *result = std::malloc(size ? size : 16);
    if (!result) abort();
    large_.push_back({result, size});
    large_bytes_ += size;
    return result;
}

void Arena::rewind(Mark mark) {
    used_ = mark.used;
    while (large_.size() > mark.large) {
        std::free(large_.back().start);
        large_bytes_ -= large_.back().size;
        large_.pop_back();
    }
}

}  // namespace martlet

using namespace martlet;

void *cv8_arena_allocate(size_t size) { return current_thread->arena.allocate(size); }

void cv8_initialize(const char *flags, cv8_op op) {
    call_op = op;
    v8::V8::SetFlagsFromString(flags, std::strlen(flags));
    v8::V8::SetEntropySource(fill_with_entropy);
    v8::V8::InitializePlatform(make_platform());
    v8::V8::Initialize();
    install_signals();
    listen_to_complaints();
    keep_some_memory();
}

const char *cv8_version(void) { return v8::V8::GetVersion(); }

void cv8_thread_set_crash_slot(cv8_thread *thread, uint64_t *slot) {
    reinterpret_cast<Thread *>(thread)->crash_slot = slot;
}

cv8_thread *cv8_thread_attach(void) {
    if (current_thread) return reinterpret_cast<cv8_thread *>(current_thread);
    auto *thread = new Thread;
    thread->handle = pthread_self();
    thread->signal_stack = mmap(nullptr, signal_stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (thread->signal_stack == MAP_FAILED) abort();
    stack_t stack = {};
    stack.ss_sp = thread->signal_stack;
    stack.ss_size = signal_stack_size;
    sigaltstack(&stack, nullptr);
    // The thread may have been started by one that blocks signals, as libdispatch's workers do.
    sigset_t ours;
    sigemptyset(&ours);
    for (int number : {SIGTRAP, SIGILL, SIGABRT, ejection_signal()}) sigaddset(&ours, number);
    pthread_sigmask(SIG_UNBLOCK, &ours, nullptr);
    thread->stack_limit = reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) - javascript_stack_size;
    current_thread = thread;
    return reinterpret_cast<cv8_thread *>(thread);
}

void cv8_thread_detach(void) {
    Thread *thread = current_thread;
    if (!thread) return;
    current_thread = nullptr;
    stack_t stack = {};
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, nullptr);
    munmap(thread->signal_stack, signal_stack_size);
    delete thread;
}

void cv8_thread_set_name(const char *name) { pthread_setname_np(pthread_self(), name); }

void cv8_thread_work_ahead(void) {
    sched_param parameters = {};
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &parameters);
    // Of the thread, not of the process: setpriority(2), "C library/kernel differences".
    setpriority(PRIO_PROCESS, 0, 10);
}

void cv8_release_free_memory(void) { malloc_trim(0); }

void cv8_thread_set_time(double milliseconds) { current_thread->now = milliseconds; }

uint64_t cv8_thread_next_call(const cv8_thread *thread) {
    return reinterpret_cast<const Thread *>(thread)->call_number.load(std::memory_order_relaxed) + 1;
}

void cv8_thread_eject(cv8_thread *opaque, uint64_t call) {
    auto *thread = reinterpret_cast<Thread *>(opaque);
    if (thread->call_number.load(std::memory_order_acquire) != call) return;
    thread->call_to_eject.store(call, std::memory_order_release);
    if (thread->is_ejection_pending.exchange(true, std::memory_order_acq_rel)) return;
    pthread_kill(thread->handle, ejection_signal());
}
