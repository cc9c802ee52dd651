#define _GNU_SOURCE
#include "CAttacks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static struct sockaddr_in target = {.sin_family = AF_INET};

void cattacks_set_port(uint16_t port) {
    target.sin_port = htons(port);
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

static long ok(long result) { return result < 0 ? -errno : result; }

// A system call by its number, whatever libc would make of it.
#define CALL(...) ok(syscall(__VA_ARGS__))

// A register's upper half, which the kernel does not look at where it takes an int.
#define DIRTY(descriptor) ((1L << 32) | (descriptor))

// MARK: Files

static long open_file(void) { return CALL(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY); }
static long open_root(void) { return CALL(SYS_openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY); }
static long open_itself(void) { return CALL(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR); }
static long create_file(void) {
    return CALL(SYS_openat, AT_FDCWD, "/martlet-attack", O_RDWR | O_CREAT | O_EXCL, 0600);
}
static long look_at_file(void) {
    struct stat status;
    return CALL(SYS_newfstatat, AT_FDCWD, "/etc/passwd", &status, 0);
}
static long read_link(void) {
    char text[64];
    return CALL(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", text, sizeof text);
}
static long make_folder(void) { return CALL(SYS_mkdirat, AT_FDCWD, "/martlet-attack", 0700); }
static long memory_file(void) { return CALL(SYS_memfd_create, "attack", 0); }
static long mount_something(void) { return CALL(SYS_mount, "none", "/", "tmpfs", 0, NULL); }
static long change_root(void) { return CALL(SYS_chroot, "/"); }
static long pivot(void) { return CALL(SYS_pivot_root, ".", "."); }

// MARK: Processes

static long exec(void) {
    char *arguments[] = {"true", NULL};
    return CALL(SYS_execve, "/bin/true", arguments, arguments + 1);
}
static long end_child(long id) {
    if (id == 0) _exit(0);
    return id;
}
static long fork_process(void) { return end_child(CALL(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }
static long fork_by_clone3(void) {
    uint64_t arguments[11] = {0, 0, 0, 0, SIGCHLD};
    return end_child(CALL(SYS_clone3, arguments, sizeof arguments));
}
static long new_user_namespace(void) { return CALL(SYS_unshare, CLONE_NEWUSER); }
static long fork_apart(void) { return end_child(CALL(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)); }
static long be_traced(void) { return CALL(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0); }
static long read_process(void) {
    static char here[8], there[8];
    struct iovec to = {here, sizeof here}, from = {there, sizeof there};
    return CALL(SYS_process_vm_readv, getpid(), &to, 1, &from, 1, 0);
}
static long signal_group(void) { return CALL(SYS_kill, 0, 0); }
static long signal_other_thread_group(void) { return CALL(SYS_tgkill, getpid() + 1, getpid() + 1, 0); }
static long handle_of_process(void) { return CALL(SYS_pidfd_open, getpid(), 0); }

// MARK: Privileges

static long become_root(void) { return CALL(SYS_setresuid, 0, 0, 0); }
static long dumpable(void) { return CALL(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0); }
static long another_filter(void) {
    struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
    struct sock_fprog program = {1, &allow};
    return CALL(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
static long raise_limit(void) {
    struct rlimit limit = {0, 0};
    return CALL(SYS_prlimit64, 0, RLIMIT_CORE, &limit, NULL);
}
static long other_personality(void) { return CALL(SYS_personality, 0xffffffff); }
static long program_kernel(void) {
    char attributes[128] = {0};
    return CALL(SYS_bpf, 0, attributes, sizeof attributes);
}
static long ring(void) {
    char parameters[120] = {0};
    return CALL(SYS_io_uring_setup, 1, parameters);
}
static long fault_handler(void) { return CALL(SYS_userfaultfd, 1); }
static long count_events(void) {
    char attributes[128] = {0};
    attributes[4] = sizeof attributes;
    return CALL(SYS_perf_event_open, attributes, 0, -1, -1, 0);
}
static long keyring(void) { return CALL(SYS_keyctl, 0, -3, 1); }

// MARK: Sockets

static long new_socket(void) { return CALL(SYS_socket, AF_INET, SOCK_STREAM, 0); }
static long new_unix_socket(void) { return CALL(SYS_socket, AF_UNIX, SOCK_STREAM, 0); }
static long new_pair(void) {
    int ends[2];
    return CALL(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, ends);
}
static long dial(void) { return CALL(SYS_connect, CATTACKS_UNCONNECTED, &target, sizeof target); }
static long dial_anew(void) {
    long fresh = CALL(SYS_socket, AF_INET, SOCK_STREAM, 0);
    return fresh < 0 ? fresh : CALL(SYS_connect, fresh, &target, sizeof target);
}
static long take_port(void) {
    struct sockaddr_in any = {.sin_family = AF_INET};
    return CALL(SYS_bind, CATTACKS_UNCONNECTED, &any, sizeof any);
}
static long listen_too(void) { return CALL(SYS_listen, CATTACKS_UNCONNECTED, 1); }
static long send_datagram(void) { return CALL(SYS_sendto, CATTACKS_DATAGRAM, "x", 1, 0, &target, sizeof target); }
static long dial_by_sending(void) {
    return CALL(SYS_sendto, CATTACKS_UNCONNECTED, "x", 1, MSG_FASTOPEN, &target, sizeof target);
}
static long option(void) {
    int one = 1;
    return CALL(SYS_setsockopt, CATTACKS_CONNECTED, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
}

// MARK: What is shared

static long stop_listener(void) { return CALL(SYS_shutdown, CATTACKS_LISTENER, SHUT_RDWR); }
static long stop_listener_dirty(void) { return CALL(SYS_shutdown, DIRTY(CATTACKS_LISTENER), SHUT_RDWR); }
static long block_listener(void) { return CALL(SYS_fcntl, CATTACKS_LISTENER, F_SETFL, 0); }
static long block_listener_dirty(void) { return CALL(SYS_fcntl, DIRTY(CATTACKS_LISTENER), DIRTY(F_SETFL), 0); }
static long change_listener(void) {
    int one = 1;
    return CALL(SYS_setsockopt, CATTACKS_LISTENER, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

// MARK: Memory

static long map_writable_code(void) {
    long page = CALL(
        SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page < 0 ? page : 0;
}
static void *page(void) { return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
static long make_writable_code(void) { return CALL(SYS_mprotect, page(), 4096, PROT_READ | PROT_WRITE | PROT_EXEC); }
static long make_writable_code_by_key(void) {
    return CALL(SYS_pkey_mprotect, page(), 4096, PROT_WRITE | PROT_EXEC, -1);
}

#ifdef __x86_64__
// MARK: Other doors of the kernel

static long by_x32(void) { return CALL(0x40000000 + SYS_getpid); }
static long by_32_bits(void) {
    long result = 20;  // getpid
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
    return result;
}
#endif

// MARK: What a host does all the time

static void *nothing(void *argument) { return argument; }
static long start_thread(void) {
    pthread_t thread;
    int error = pthread_create(&thread, NULL, nothing, NULL);
    return error ? -error : -pthread_join(thread, NULL);
}
static long make_code(void) { return CALL(SYS_mprotect, page(), 4096, PROT_READ | PROT_EXEC); }
static long wait_for_events(void) {
    int poll = epoll_create1(EPOLL_CLOEXEC);
    int event = eventfd(1, EFD_CLOEXEC);
    struct epoll_event readable = {.events = EPOLLIN};
    if (poll < 0 || event < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, event, &readable)) return -errno;
    return ok(epoll_wait(poll, &readable, 1, 1000));
}
static long answer(void) { return ok(send(CATTACKS_CONNECTED, "x", 1, MSG_NOSIGNAL)); }
static long chance(void) {
    char bytes[16];
    return ok(getrandom(bytes, sizeof bytes, 0));
}
static long collect_memory(void) {
    void *large = malloc(8 << 20);
    if (!large) return -ENOMEM;
    memset(large, 1, 8 << 20);
    free(large);
    return 0;
}

// MARK: What takes more and more

static void *endless(void *argument) {
    for (;;) pause();
    return argument;
}
static long thread_flood(void) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 << 10);
    pthread_t thread;
    for (long count = 0; count < CATTACKS_FLOOD; count++) {
        if (pthread_create(&thread, &small, endless, NULL)) return count;
    }
    return CATTACKS_FLOOD;
}
static long memory_flood(void) {
    for (long count = 0; count < CATTACKS_FLOOD; count++) {
        void *piece = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (piece == MAP_FAILED) return count;
        memset(piece, 1, 1 << 20);
    }
    return CATTACKS_FLOOD;
}

#define ATTACK(function) {#function, function}

static const cattack attacks[] = {
    ATTACK(open_file), ATTACK(open_root), ATTACK(open_itself), ATTACK(create_file), ATTACK(look_at_file),
    ATTACK(read_link), ATTACK(make_folder), ATTACK(memory_file), ATTACK(mount_something), ATTACK(change_root),
    ATTACK(pivot), ATTACK(exec), ATTACK(fork_process), ATTACK(fork_by_clone3), ATTACK(new_user_namespace),
    ATTACK(fork_apart), ATTACK(be_traced), ATTACK(read_process), ATTACK(signal_group),
    ATTACK(signal_other_thread_group), ATTACK(handle_of_process), ATTACK(become_root), ATTACK(dumpable),
    ATTACK(another_filter), ATTACK(raise_limit), ATTACK(other_personality), ATTACK(program_kernel), ATTACK(ring),
    ATTACK(fault_handler), ATTACK(count_events), ATTACK(keyring), ATTACK(new_socket), ATTACK(new_unix_socket),
    ATTACK(new_pair), ATTACK(dial), ATTACK(dial_anew), ATTACK(take_port), ATTACK(listen_too), ATTACK(send_datagram),
    ATTACK(dial_by_sending), ATTACK(option), ATTACK(stop_listener), ATTACK(stop_listener_dirty),
    ATTACK(block_listener), ATTACK(block_listener_dirty), ATTACK(change_listener), ATTACK(map_writable_code),
    ATTACK(make_writable_code), ATTACK(make_writable_code_by_key),
#ifdef __x86_64__
    ATTACK(by_x32), ATTACK(by_32_bits),
#endif
    {NULL, NULL},
};

static const cattack needs[] = {
    ATTACK(start_thread), ATTACK(make_code), ATTACK(wait_for_events), ATTACK(answer), ATTACK(chance),
    ATTACK(collect_memory), {NULL, NULL},
};

static const cattack floods[] = {ATTACK(thread_flood), ATTACK(memory_flood), {NULL, NULL}};

const cattack *cattacks(void) { return attacks; }
const cattack *cattacks_needs(void) { return needs; }
const cattack *cattacks_floods(void) { return floods; }
