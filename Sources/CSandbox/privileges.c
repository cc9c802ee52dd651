// The root folder, users, capabilities: given up by a process that still has one thread.
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/securebits.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CSandbox.h"

int csandbox_empty_root(void) {
    // Nothing that is mounted here may reach the mount namespace that this one was copied from.
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return -errno;
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    // Any folder will do to mount upon.
    const char *places[] = {"/tmp", "/usr", "/proc"};
    int result = -ENOENT;
    for (size_t i = 0; i < sizeof places / sizeof *places && result; i++) {
        result = mount("none", places[i], "tmpfs", flags, "mode=0555,nr_inodes=2,size=4k") ? -errno : 0;
        if (!result && chdir(places[i])) return -errno;
    }
    if (result) return result;
    // The old root lies on the new one then, and goes.
    if (syscall(SYS_pivot_root, ".", ".")) return -errno;
    if (umount2(".", MNT_DETACH) || chdir("/")) return -errno;
    return mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY | flags, NULL) ? -errno : 0;
}

int csandbox_become(uid_t user, gid_t group) {
    if (setgroups(0, NULL) || setresgid(group, group, group) || setresuid(user, user, user)) return -errno;
    return 0;
}

int csandbox_drop_capabilities(void) {
    // Those of a later exec; the list ends where the kernel knows no more.
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability) && errno != EPERM) return -errno;
    }
    prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE);
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) && errno != EINVAL) return -errno;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};
    return syscall(SYS_capset, &header, none) ? -errno : 0;
}

int csandbox_has_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, sets)) return -errno;
    uint32_t any = 0;
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        any |= sets[i].effective | sets[i].permitted | sets[i].inheritable;
    }
    return any != 0;
}

int csandbox_forbid_privileges(void) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -errno;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ? -errno : 0;
}

int csandbox_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) ? -errno : 0; }

int csandbox_end_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) ? -errno : 0; }

int csandbox_limit(void) {
    const int kinds[] = {RLIMIT_CORE, RLIMIT_FSIZE, RLIMIT_MSGQUEUE, RLIMIT_MEMLOCK};
    const struct rlimit none = {0, 0};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (setrlimit(kinds[i], &none)) return -errno;
    }
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files)) return -errno;
    files.rlim_max = files.rlim_cur;
    return setrlimit(RLIMIT_NOFILE, &files) ? -errno : 0;
}
