// V8's platform: the clock, the pages and the tasks of isolates in our hands; all else is V8's default.
#include <map>
#include <unordered_map>

#include "internal.h"

namespace martlet {

namespace {

/// Wasm memories and pieces of Wasm code that one isolate may hold at a time.
constexpr int most_wasm_ranges = 64;
/// The alignment of V8's heap chunks; Wasm memories are aligned to 64 KiB, Wasm code to pages.
constexpr size_t heap_chunk = 256 * 1024;

std::mutex tasks_mutex;
std::map<v8::Isolate *, std::shared_ptr<IsolateTasks>> tasks_by_isolate;

/// V8's page allocator, with a cap on the ranges that one isolate's Wasm holds: a thousand empty WebAssembly.Memory
/// objects weigh nothing and would use up the mappings of the whole process. Heap chunks, which the memory limit
/// bounds, are told apart by their alignment.
class CappedPages final : public v8::PageAllocator {
 public:
    explicit CappedPages(v8::PageAllocator *inner) : inner_(inner) {}
    size_t AllocatePageSize() override { return inner_->AllocatePageSize(); }
    size_t CommitPageSize() override { return inner_->CommitPageSize(); }
    void SetRandomMmapSeed(int64_t seed) override { inner_->SetRandomMmapSeed(seed); }
    void *GetRandomMmapAddr() override { return inner_->GetRandomMmapAddr(); }
    void *AllocatePages(void *address, size_t length, size_t alignment, Permission permissions) override {
        const Thread *thread = current_thread;
        if (alignment >= heap_chunk || !thread || !thread->running) {
            return inner_->AllocatePages(address, length, alignment, permissions);
        }
        auto ranges = thread->running->allocator->ranges;
        // V8 collects garbage and tries again; then it throws a RangeError.
        if (ranges->load() >= most_wasm_ranges) return nullptr;
        void *pages = inner_->AllocatePages(address, length, alignment, permissions);
        if (!pages) return nullptr;
        ranges->fetch_add(1);
        std::lock_guard<std::mutex> lock(mutex_);
        owners_[pages] = std::move(ranges);
        return pages;
    }
    bool FreePages(void *address, size_t length) override {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            if (auto owner = owners_.find(address); owner != owners_.end()) {
                owner->second->fetch_sub(1);
                owners_.erase(owner);
            }
        }
        return inner_->FreePages(address, length);
    }
    bool ReleasePages(void *address, size_t length, size_t new_length) override {
        return inner_->ReleasePages(address, length, new_length);
    }
    bool SetPermissions(void *address, size_t length, Permission permissions) override {
        return inner_->SetPermissions(address, length, permissions);
    }
    bool DiscardSystemPages(void *address, size_t size) override { return inner_->DiscardSystemPages(address, size); }
    bool DecommitPages(void *address, size_t size) override { return inner_->DecommitPages(address, size); }

 private:
    v8::PageAllocator *inner_;
    std::mutex mutex_;
    std::unordered_map<void *, std::shared_ptr<std::atomic<int>>> owners_;
};

class Platform final : public v8::Platform {
 public:
    explicit Platform(std::unique_ptr<v8::Platform> inner)
        : inner_(std::move(inner)), pages_(inner_->GetPageAllocator()) {}
    v8::PageAllocator *GetPageAllocator() override { return &pages_; }
    int NumberOfWorkerThreads() override { return 0; }
    double MonotonicallyIncreasingTime() override { return inner_->MonotonicallyIncreasingTime(); }
    double CurrentClockTimeMillis() override {
        const Thread *thread = current_thread;
        return thread && thread->running ? thread->now : inner_->CurrentClockTimeMillis();
    }
    v8::TracingController *GetTracingController() override { return inner_->GetTracingController(); }
#if V8_MAJOR_VERSION >= 13
    int64_t CurrentClockTimeMilliseconds() override { return static_cast<int64_t>(CurrentClockTimeMillis()); }
    double CurrentClockTimeMillisecondsHighResolution() override { return CurrentClockTimeMillis(); }
    std::shared_ptr<v8::TaskRunner> GetForegroundTaskRunner(v8::Isolate *isolate, v8::TaskPriority) override {
        return tasks_of(isolate);
    }

 protected:
    std::unique_ptr<v8::JobHandle> CreateJobImpl(
        v8::TaskPriority priority, std::unique_ptr<v8::JobTask> task, const v8::SourceLocation &place) override {
        return inner_->CreateJob(priority, std::move(task), place);
    }
    void PostTaskOnWorkerThreadImpl(
        v8::TaskPriority priority, std::unique_ptr<v8::Task> task, const v8::SourceLocation &place) override {
        inner_->PostTaskOnWorkerThread(priority, std::move(task), place);
    }
    void PostDelayedTaskOnWorkerThreadImpl(
        v8::TaskPriority priority, std::unique_ptr<v8::Task> task, double delay,
        const v8::SourceLocation &place) override {
        inner_->PostDelayedTaskOnWorkerThread(priority, std::move(task), delay, place);
    }
#else
    v8::ZoneBackingAllocator *GetZoneBackingAllocator() override { return inner_->GetZoneBackingAllocator(); }
    std::shared_ptr<v8::TaskRunner> GetForegroundTaskRunner(v8::Isolate *isolate) override { return tasks_of(isolate); }
    void CallOnWorkerThread(std::unique_ptr<v8::Task> task) override { inner_->CallOnWorkerThread(std::move(task)); }
    void CallDelayedOnWorkerThread(std::unique_ptr<v8::Task> task, double delay) override {
        inner_->CallDelayedOnWorkerThread(std::move(task), delay);
    }
    std::unique_ptr<v8::JobHandle> PostJob(v8::TaskPriority priority, std::unique_ptr<v8::JobTask> task) override {
        return inner_->PostJob(priority, std::move(task));
    }
#endif

 private:
    std::unique_ptr<v8::Platform> inner_;
    CappedPages pages_;
};

}  // namespace

v8::Platform *make_platform() { return new Platform(v8::platform::NewSingleThreadedDefaultPlatform()); }

// MARK: Tasks of isolates

void IsolateTasks::post(std::unique_ptr<v8::Task> task) {
    std::lock_guard<std::mutex> lock(mutex_);
    tasks_.push_back(std::move(task));
    count_.store(tasks_.size(), std::memory_order_release);
}

std::vector<std::unique_ptr<v8::Task>> IsolateTasks::take() {
    std::lock_guard<std::mutex> lock(mutex_);
    count_.store(0, std::memory_order_release);
    return std::move(tasks_);
}

std::shared_ptr<IsolateTasks> tasks_of(v8::Isolate *isolate) {
    std::lock_guard<std::mutex> lock(tasks_mutex);
    auto &tasks = tasks_by_isolate[isolate];
    if (!tasks) tasks = std::make_shared<IsolateTasks>();
    return tasks;
}

void forget_tasks(v8::Isolate *isolate) {
    std::lock_guard<std::mutex> lock(tasks_mutex);
    tasks_by_isolate.erase(isolate);
}

}  // namespace martlet
