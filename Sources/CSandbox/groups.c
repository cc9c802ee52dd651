// Control groups, as far as they are no plain files.
#define _GNU_SOURCE
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "CSandbox.h"

int csandbox_is_delegated(const char *folder) {
    // Others than root could not write there if it was not so; without systemd there is nobody to ask.
    if (geteuid() || access("/run/systemd/system", F_OK)) return 1;
    // The first can be read by root of the machine only; older versions of systemd know no other.
    const char *marks[] = {"trusted.delegate", "user.delegate"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        char value[2];
        if (getxattr(folder, marks[i], value, sizeof value) == 1 && *value == '1') return 1;
    }
    return 0;
}
