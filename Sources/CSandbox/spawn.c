// A program in a process of its own, with namespaces of its own.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "CSandbox.h"

static const struct { unsigned name; unsigned long flag; } namespaces[] = {
    {CSANDBOX_USER, CLONE_NEWUSER}, {CSANDBOX_MOUNT, CLONE_NEWNS},    {CSANDBOX_NETWORK, CLONE_NEWNET},
    {CSANDBOX_PID, CLONE_NEWPID},   {CSANDBOX_IPC, CLONE_NEWIPC},     {CSANDBOX_UTS, CLONE_NEWUTS},
    {CSANDBOX_CGROUP, CLONE_NEWCGROUP},
};

static unsigned long clone_flags(unsigned names) {
    unsigned long flags = 0;
    for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; i++) {
        if (names & namespaces[i].name) flags |= namespaces[i].flag;
    }
    return flags;
}

// fork(2) with flags. The child shares nothing with this process and may call only what is safe in a signal handler:
// another thread may have held any lock.
static pid_t clone_process(unsigned names, int *handle) {
    unsigned long flags = clone_flags(names) | CLONE_PIDFD | SIGCHLD;
    // The handle comes where the parent's thread id would.
    return (pid_t)syscall(SYS_clone, flags, NULL, handle, NULL, NULL);
}

static void report(int channel, int error) {
    ssize_t ignored = write(channel, &error, sizeof error);
    (void)ignored;
}

// In the child: its memory is its own.
static void tell_namespaces(char *const *environment, unsigned names) {
    const size_t prefix = sizeof CSANDBOX_NAMESPACES - 1;
    for (; *environment; environment++) {
        if (strncmp(*environment, CSANDBOX_NAMESPACES "000", prefix + 3)) continue;
        char *digits = *environment + prefix;
        digits[0] = (char)('0' + names / 100);
        digits[1] = (char)('0' + names / 10 % 10);
        digits[2] = (char)('0' + names % 10);
    }
}

// In the child: never returns.
static void run(const csandbox_plan *plan, unsigned names, int channel) {
    char go = 0;
    if (read(channel, &go, 1) != 1 || !go) _exit(127);
    // First out of the way, then to their places; behind them the program and the channel, which end with exec.
    const int count = (int)plan->descriptor_count;
    const int beyond = 64 + count;
    int places[66];
    if (count > 64) _exit(127);
    for (int i = 0; i < count + 2; i++) {
        int from = i < count ? plan->descriptors[i] : i == count ? plan->executable : channel;
        places[i] = fcntl(from, F_DUPFD, beyond);
        if (places[i] < 0) {
            report(channel, errno);
            _exit(127);
        }
    }
    for (int i = 0; i < count + 2; i++) dup3(places[i], i, i < count ? 0 : O_CLOEXEC);
    syscall(SYS_close_range, count + 2, ~0U, 0);
    tell_namespaces(plan->environment, names);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    syscall(SYS_execveat, count, "", plan->arguments, plan->environment, AT_EMPTY_PATH);
    report(count + 1, errno);
    _exit(127);
}

static int write_file(pid_t id, const char *name, const char *text) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", id, name);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -errno;
    int result = write(file, text, strlen(text)) < 0 ? -errno : 0;
    close(file);
    return result;
}

// Says which users the new user namespace has: our own, and the one that the process will become.
static int map_users(pid_t id, const csandbox_plan *plan) {
    const bool is_root = geteuid() == 0;
    char users[96], groups[96];
    if (is_root) {
        snprintf(users, sizeof users, "0 0 1\n%u %u 1\n", plan->user, plan->user);
        snprintf(groups, sizeof groups, "0 %u 1\n%u %u 1\n", getegid(), plan->group, plan->group);
        int result = write_file(id, "uid_map", users);
        if (!result) result = write_file(id, "gid_map", groups);
        if (result != -EPERM) return result;
    }
    // Without the privilege to map others there is only oneself. As root, or exec would take the capabilities away that
    // the process needs to lock itself in.
    snprintf(users, sizeof users, "0 %u 1\n", geteuid());
    snprintf(groups, sizeof groups, "0 %u 1\n", getegid());
    int result = write_file(id, "setgroups", "deny");
    if (!result) result = write_file(id, "uid_map", users);
    if (!result) result = write_file(id, "gid_map", groups);
    return result;
}

// Before it is let go on, so that nothing it does is beyond their limits.
static int enter_groups(pid_t id, const csandbox_plan *plan) {
    char text[16];
    const int length = snprintf(text, sizeof text, "%d", id);
    int error = 0;
    for (size_t i = 0; i < plan->group_count; i++) {
        if (write(plan->groups[i], text, length) < 0) error = errno;
    }
    return error;
}

// One attempt, with these namespaces.
static int attempt(const csandbox_plan *plan, unsigned names, csandbox_process *process) {
    int channel[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel)) return -errno;
    process->handle = -1;
    process->namespaces = names;
    process->id = clone_process(names, &process->handle);
    if (process->id == 0) run(plan, names, channel[1]);
    int result = process->id < 0 ? -errno : 0;
    close(channel[1]);
    if (!result && names & CSANDBOX_USER) result = map_users(process->id, plan);
    if (!result) process->group_refusal = enter_groups(process->id, plan);
    int error = 0;
    if (!result) {
        char go = 1;
        // The end of the channel is exec's success.
        if (send(channel[0], &go, 1, MSG_NOSIGNAL) != 1) result = -EPIPE;
        else if (recv(channel[0], &error, sizeof error, 0) == sizeof error) result = -error;
    }
    close(channel[0]);
    if (result && process->id > 0) {
        kill(process->id, SIGKILL);
        while (waitpid(process->id, NULL, 0) < 0 && errno == EINTR) {}
        close(process->handle);
    }
    return result;
}

int csandbox_open_program(void) {
    int program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    return program < 0 ? -errno : program;
}

int csandbox_spawn(const csandbox_plan *plan, csandbox_process *process) {
    process->refusal = 0;
    if (plan->is_apart) {
        // Where users may make no user namespaces, root may make the others.
        const unsigned attempts[] = {CSANDBOX_ALL_NAMESPACES, CSANDBOX_ALL_NAMESPACES & ~CSANDBOX_USER};
        for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
            int result = attempt(plan, attempts[i], process);
            if (!result) return 0;
            if (!process->refusal) process->refusal = -result;
        }
    }
    return attempt(plan, 0, process);
}
