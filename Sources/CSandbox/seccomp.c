// The system calls of a running host. What is listed was found by strace(1) under load: lanes, timers, V8's heap and
// code, malloc, threads that start and end, signals that end JavaScript.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CSandbox.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

#define COUNT(list) (sizeof(list) / sizeof *(list))

// Any arguments.
static const int allowed[] = {
    // Sockets that are there.
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg), SCMP_SYS(accept4), SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
    SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(lseek),
    // Waiting.
    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(eventfd2), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
    SCMP_SYS(timerfd_gettime), SCMP_SYS(futex), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(sched_yield),
    SCMP_SYS(restart_syscall),
    // Memory; mmap and mprotect are below.
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(pkey_alloc), SCMP_SYS(pkey_free),
    SCMP_SYS(membarrier),
    // Threads and signals; clone and tgkill are below.
    SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(gettid),
    SCMP_SYS(getpid), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigtimedwait), SCMP_SYS(sigaltstack), SCMP_SYS(sched_getaffinity), SCMP_SYS(getcpu),
    // Clocks, chance, and what the process has used.
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
    SCMP_SYS(getrusage), SCMP_SYS(sysinfo), SCMP_SYS(uname),
};

// Files: libraries look for settings and data of theirs, and are content if there are none. Ending the process for it
// would give tenants a way to end it.
static const int refused[] = {
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat), SCMP_SYS(stat), SCMP_SYS(lstat),
    SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(access), SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd), SCMP_SYS(chdir),
    SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename),
    SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(symlink),
    SCMP_SYS(symlinkat), SCMP_SYS(chmod), SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(fchownat),
    SCMP_SYS(truncate), SCMP_SYS(utimensat), SCMP_SYS(mknod), SCMP_SYS(mknodat), SCMP_SYS(inotify_add_watch),
};

// Nothing in a host calls these: whoever does has taken it over.
static const int fatal[] = {
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(kill), SCMP_SYS(tkill),
    SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(pidfd_send_signal), SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_getfd), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise), SCMP_SYS(kcmp), SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect),
    SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(bpf), SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register), SCMP_SYS(io_setup), SCMP_SYS(userfaultfd), SCMP_SYS(perf_event_open),
    SCMP_SYS(add_key), SCMP_SYS(keyctl), SCMP_SYS(request_key), SCMP_SYS(unshare), SCMP_SYS(setns),
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(open_tree),
    SCMP_SYS(move_mount), SCMP_SYS(fsopen), SCMP_SYS(fsmount), SCMP_SYS(fsconfig), SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr), SCMP_SYS(name_to_handle_at), SCMP_SYS(open_by_handle_at), SCMP_SYS(memfd_create),
    SCMP_SYS(memfd_secret), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff),
    SCMP_SYS(personality), SCMP_SYS(modify_ldt), SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(acct),
    SCMP_SYS(quotactl), SCMP_SYS(syslog), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(adjtimex),
    SCMP_SYS(clock_adjtime), SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setresuid), SCMP_SYS(setresgid),
    SCMP_SYS(setgroups), SCMP_SYS(capset), SCMP_SYS(seccomp), SCMP_SYS(shmget), SCMP_SYS(shmat), SCMP_SYS(msgget),
    SCMP_SYS(semget), SCMP_SYS(mq_open), SCMP_SYS(fanotify_init), SCMP_SYS(lookup_dcookie), SCMP_SYS(migrate_pages),
    SCMP_SYS(move_pages), SCMP_SYS(vmsplice),
};

static int add_lists(scmp_filter_ctx context) {
    int result = 0;
    for (size_t i = 0; i < COUNT(allowed) && !result; i++) {
        result = seccomp_rule_add(context, SCMP_ACT_ALLOW, allowed[i], 0);
    }
    for (size_t i = 0; i < COUNT(refused) && !result; i++) {
        result = seccomp_rule_add(context, SCMP_ACT_ERRNO(EACCES), refused[i], 0);
    }
    for (size_t i = 0; i < COUNT(fatal) && !result; i++) {
        result = seccomp_rule_add(context, SCMP_ACT_KILL_PROCESS, fatal[i], 0);
    }
    return result;
}

// Memory is executable only where there is code to be made, and writable then only if that cannot be helped.
static int add_memory_rules(scmp_filter_ctx context, const csandbox_filter *filter) {
    const int calls[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(pkey_mprotect)};
    const uint64_t mask = PROT_WRITE | PROT_EXEC;
    int result = 0;
    for (size_t i = 0; i < COUNT(calls) && !result; i++) {
        result = seccomp_rule_add(context, SCMP_ACT_ALLOW, calls[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, mask, 0));
        if (!result) {
            result = seccomp_rule_add(
                context, SCMP_ACT_ALLOW, calls[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, mask, PROT_WRITE));
        }
        if (!result && filter->allows_code) {
            result = seccomp_rule_add(
                context, SCMP_ACT_ALLOW, calls[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, mask, PROT_EXEC));
        }
    }
    if (!result && filter->allows_writable_code) {
        result = seccomp_rule_add(
            context, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, mask, mask));
    }
    return result;
}

// Threads of this process, and signals to them. The arguments of clone3 lie in memory, out of a filter's sight: without
// it libc uses clone.
static int add_thread_rules(scmp_filter_ctx context) {
    const uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    const uint64_t others = CLONE_VFORK | CLONE_PARENT | CLONE_PTRACE | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC
        | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;
    int result = seccomp_rule_add(
        context, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, thread | others, thread));
    if (!result) {
        result = seccomp_rule_add(
            context, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (uint64_t)getpid()));
    }
    const uint64_t names[] = {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA};
    for (size_t i = 0; i < COUNT(names) && !result; i++) {
        result = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, names[i]));
    }
    // Threads that work ahead let the others go first: a thread's own nice value, which can only rise.
    if (!result) {
        result = seccomp_rule_add(
            context, SCMP_ACT_ALLOW, SCMP_SYS(setpriority), 2, SCMP_A0(SCMP_CMP_EQ, PRIO_PROCESS),
            SCMP_A1(SCMP_CMP_EQ, 0));
    }
    // Reading one's own limits.
    if (!result) {
        result = seccomp_rule_add(
            context, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0));
    }
    return result;
}

static int add_socket_rules(scmp_filter_ctx context) {
    // An address, or MSG_FASTOPEN, would make send connect, and Landlock does not see it.
    int result = seccomp_rule_add(
        context, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 2, SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0),
        SCMP_A4(SCMP_CMP_EQ, 0));
    if (!result) {
        result = seccomp_rule_add(
            context, SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0));
    }
    if (!result) result = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(shutdown), 0);
    const struct { uint64_t level, name; } options[] = {
        {SOL_SOCKET, SO_LINGER}, {SOL_SOCKET, SO_KEEPALIVE}, {IPPROTO_TCP, TCP_NODELAY}, {IPPROTO_TCP, TCP_CORK},
        {IPPROTO_TCP, TCP_NOTSENT_LOWAT},
    };
    for (size_t i = 0; i < COUNT(options) && !result; i++) {
        result = seccomp_rule_add(
            context, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2, SCMP_A1(SCMP_CMP_EQ, options[i].level),
            SCMP_A2(SCMP_CMP_EQ, options[i].name));
    }
    const uint64_t commands[] = {F_GETFL, F_SETFL, F_GETFD, F_SETFD};
    for (size_t i = 0; i < COUNT(commands) && !result; i++) {
        result = seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, commands[i]));
    }
    return result;
}

// A filter of their own for the descriptors that other processes share. The kernel looks at the lower half of the
// register only, so the rules do too; no comparison but this one can.
static int add_sharing_rules(scmp_filter_ctx context, int first_own) {
    const uint64_t lower = UINT32_MAX;
    int result = 0;
    for (int i = 0; i < first_own && !result; i++) {
        const struct scmp_arg_cmp shared = SCMP_A0(SCMP_CMP_MASKED_EQ, lower, (uint64_t)i);
        result = seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(shutdown), 1, shared);
        if (!result) result = seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setsockopt), 1, shared);
        if (!result) {
            result = seccomp_rule_add(
                context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(fcntl), 2, shared,
                SCMP_A1(SCMP_CMP_MASKED_EQ, lower, F_SETFL));
        }
    }
    return result;
}

static int load(scmp_filter_ctx context, int result) {
    if (!result) result = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (!result) result = seccomp_attr_set(context, SCMP_FLTATR_CTL_TSYNC, 1);
    // A tree of comparisons instead of a list.
    if (!result) result = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (!result) result = seccomp_load(context);
    seccomp_release(context);
    return result;
}

int csandbox_filter_install(const csandbox_filter *filter) {
    scmp_filter_ctx sharing = seccomp_init(SCMP_ACT_ALLOW);
    if (!sharing) return -ENOMEM;
    // What nobody thought of does not exist: libraries then fall back to older calls.
    scmp_filter_ctx calls = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (!calls) {
        seccomp_release(sharing);
        return -ENOMEM;
    }
    int result = add_lists(calls);
    if (!result) result = add_memory_rules(calls, filter);
    if (!result) result = add_thread_rules(calls);
    if (!result) result = add_socket_rules(calls);
    // The other one first: this one lets nobody add another.
    result = load(sharing, result ? result : add_sharing_rules(sharing, filter->first_own_descriptor));
    return load(calls, result);
}

int csandbox_has_filter(void) {
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}
