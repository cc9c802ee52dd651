// Landlock: a ruleset that handles every kind of access and allows none.
#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CSandbox.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif

// The kernel's struct as of version 6; older kernels take it shorter.
struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scoped;
};

enum { ask_version = 1 };

// How many kinds of access to files each version knows, from version 1 on.
static const int file_accesses[] = {13, 14, 15, 15, 16};
// TCP bind and connect, from version 4 on; abstract sockets and signals, from version 6 on.
enum { network_version = 4, network_accesses = 2, scope_version = 6, scopes = 2 };

static uint64_t first_bits(int count) { return (UINT64_C(1) << count) - 1; }

int csandbox_landlock_version(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, ask_version);
    return version < 0 ? -errno : (int)version;
}

int csandbox_landlock_deny_all(void) {
    int version = csandbox_landlock_version();
    if (version < 0) return version;
    int known = (int)(sizeof file_accesses / sizeof *file_accesses);
    struct ruleset rules = {.files = first_bits(file_accesses[(version < known ? version : known) - 1])};
    size_t size = sizeof rules.files;
    if (version >= network_version) {
        rules.network = first_bits(network_accesses);
        size += sizeof rules.network;
    }
    if (version >= scope_version) {
        rules.scoped = first_bits(scopes);
        size += sizeof rules.scoped;
    }
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (ruleset < 0) return -errno;
    int result = syscall(SYS_landlock_restrict_self, ruleset, 0) ? -errno : 0;
    close(ruleset);
    return result;
}
