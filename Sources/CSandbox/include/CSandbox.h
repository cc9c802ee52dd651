// What the kernel offers to lock a process in, behind plain C: seccomp, Landlock, namespaces, capabilities, and
// descriptors that travel over a Unix socket. Functions return 0 (or what they say) or a negated errno.
#ifndef CSANDBOX_H
#define CSANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#pragma clang assume_nonnull begin

// MARK: System calls

typedef struct {
    /// Descriptors below this are shared with other processes: their state must not be changed.
    int first_own_descriptor;
    /// Whether memory may be made executable.
    bool allows_code;
    /// Whether mprotect may make it writable and executable at once.
    bool allows_writable_code;
} csandbox_filter;

/// Lets through, on all threads from now on, what a running host needs, and nothing else. no_new_privs must be set.
int csandbox_filter_install(const csandbox_filter *filter);

/// 1 if the kernel has seccomp filters that can end a process.
int csandbox_has_filter(void);

// MARK: Files

/// The version of Landlock's interface; a negated errno if the kernel has none.
int csandbox_landlock_version(void);

/// Denies the calling thread, and those it starts, every path, every TCP bind and connect, and signals and abstract
/// sockets beyond itself: as much of it as the kernel's version knows. no_new_privs must be set.
int csandbox_landlock_deny_all(void);

/// Puts an empty, read-only folder in the place of the root. Needs a mount namespace of its own.
int csandbox_empty_root(void);

// MARK: Privileges

/// Leaves root for an unprivileged user and group, and all other groups.
int csandbox_become(uid_t user, gid_t group);

/// Gives up every capability of the calling thread, for good.
int csandbox_drop_capabilities(void);

/// Whether the calling thread has any capability, now or by way of a later exec; a negated errno.
int csandbox_has_capabilities(void);

/// No exec gives more rights than the process has; no core is written, no other process of the user may trace it.
int csandbox_forbid_privileges(void);

/// No core dump, no file that grows, no message queue, no locked memory, no more open descriptors than allowed now.
int csandbox_limit(void);

/// Processes whose parent has ended become this one's children.
int csandbox_adopt_orphans(void);

/// The kernel ends the process with the thread that started it.
int csandbox_end_with_parent(void);

// MARK: Processes

enum {
    CSANDBOX_USER = 1 << 0,
    CSANDBOX_MOUNT = 1 << 1,
    CSANDBOX_NETWORK = 1 << 2,
    CSANDBOX_PID = 1 << 3,
    CSANDBOX_IPC = 1 << 4,
    CSANDBOX_UTS = 1 << 5,
    CSANDBOX_CGROUP = 1 << 6,
    CSANDBOX_ALL_NAMESPACES = (1 << 7) - 1,
};

#define CSANDBOX_NAMESPACES "MARTLET_NAMESPACES="

typedef struct {
    /// The program, opened with O_PATH: the very file that was opened runs, whatever lies under its name by now.
    int executable;
    char *_Nullable const *_Nonnull arguments;
    /// An entry that begins with CSANDBOX_NAMESPACES and three zeros tells the new process the namespaces that it has
    /// got, as a decimal number.
    char *_Nullable const *_Nonnull environment;
    /// They become 0, 1, 2, ... of the new process, which has no others.
    const int *descriptors;
    size_t descriptor_count;
    /// Whether it gets namespaces of its own, as far as the kernel allows.
    bool is_apart;
    /// A user and group that the new process may become, if this one is root; both are ids of this one's namespace.
    uid_t user;
    gid_t group;
    /// Control groups that it is in before it runs: files that take the number of a process.
    const int *_Nullable groups;
    size_t group_count;
} csandbox_plan;

typedef struct {
    pid_t id;
    /// A descriptor of the process (pidfd_open(2)), close-on-exec.
    int handle;
    /// The namespaces that it has got, CSANDBOX_USER and so on.
    unsigned namespaces;
    /// Why it has not got all, as errno; else 0.
    int refusal;
    /// Why it is not in all of the control groups, as errno; else 0.
    int group_refusal;
} csandbox_process;

/// The program that runs, for `csandbox_plan.executable`; a negated errno.
int csandbox_open_program(void);

/// Starts a program. Any thread may call it, whatever the others do.
int csandbox_spawn(const csandbox_plan *plan, csandbox_process *process);

// MARK: Control groups

/// Whether who manages this folder of control groups has left it to this process: 1 or 0.
int csandbox_is_delegated(const char *folder);

// MARK: Descriptors

/// Sends bytes with descriptors on a Unix socket: at least one byte, at most 16 descriptors.
ssize_t csandbox_send(int socket, const void *bytes, size_t length, const int *_Nullable descriptors, size_t count);

/// Receives bytes; descriptors that come along are put, close-on-exec, into a list with room for `*count`. Those for
/// which there is no room are closed by the kernel, and it is an error (EMSGSIZE).
ssize_t csandbox_receive(int socket, void *bytes, size_t length, int *_Nullable descriptors, size_t *count);

/// Memory that can be mapped by whoever has the descriptor, close-on-exec; its size is fixed for good. A negated errno.
int csandbox_shared_memory(size_t size);

#pragma clang assume_nonnull end

#endif
