// What V8 prints before it gives up becomes the reason of the isolate's end, not a line on the process's stderr.
#include <cstdio>
#include <cstring>
#include <unistd.h>

#include "internal.h"

namespace martlet {

namespace {

/// Takes what C code prints on stderr. A lane that runs an isolate prints nothing of its own: those are V8's words.
ssize_t take(void *, const char *text, size_t size) {
    Thread *thread = current_thread;
    if (!thread || !thread->in_javascript) return write(STDERR_FILENO, text, size);
    thread->complaint.append(thread->call_number.load(std::memory_order_relaxed), text, size);
    return static_cast<ssize_t>(size);
}

}  // namespace

void Complaint::append(uint64_t call, const char *text, size_t size) {
    if (call != call_) size_ = 0;
    call_ = call;
    size_t room = sizeof text_ - 1 - size_;
    if (size > room) size = room;
    std::memcpy(text_ + size_, text, size);
    size_ += size;
    text_[size_] = 0;
}

const char *Complaint::reason() {
    // "#\n# Fatal error in FILE, line N\n# ", the reason, and lines of "#".
    constexpr const char *prefix = "\n# ";
    char *line = std::strstr(text_, "# Fatal error in ");
    line = line ? std::strstr(line, prefix) : nullptr;
    if (!line) return "";
    line += std::strlen(prefix);
    if (char *end = std::strchr(line, '\n')) *end = 0;
    return line;
}

void listen_to_complaints() {
    cookie_io_functions_t functions = {};
    functions.write = take;
    FILE *file = fopencookie(nullptr, "w", functions);
    if (!file) return;
    setvbuf(file, nullptr, _IONBF, 0);
    stderr = file;
}

}  // namespace martlet
