// Descriptors over a Unix socket (SCM_RIGHTS), and one to share memory by.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "CSandbox.h"

enum { most = 16 };

union control {
    char bytes[CMSG_SPACE(sizeof(int) * most)];
    struct cmsghdr alignment;
};

ssize_t csandbox_send(int socket, const void *bytes, size_t length, const int *descriptors, size_t count) {
    if (count > most || length == 0) return -EINVAL;
    struct iovec piece = {(void *)bytes, length};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    union control control = {{0}};
    if (count) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * count);
    }
    ssize_t sent;
    do sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

ssize_t csandbox_receive(int socket, void *bytes, size_t length, int *descriptors, size_t *count) {
    struct iovec piece = {bytes, length};
    union control control;
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes,
    };
    ssize_t received;
    do received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0) return -errno;
    size_t room = *count;
    *count = 0;
    bool is_cut = message.msg_flags & MSG_CTRUNC;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t found = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < found; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
            if (*count < room) {
                descriptors[(*count)++] = descriptor;
            } else {
                close(descriptor);
                is_cut = true;
            }
        }
    }
    if (!is_cut) return received;
    while (*count) close(descriptors[--*count]);
    return -EMSGSIZE;
}

int csandbox_shared_memory(size_t size) {
    // Its size is sealed: whoever has the other end cannot cut it off under us.
    int descriptor = memfd_create("martlet", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0) return -errno;
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    if (ftruncate(descriptor, (off_t)size) || fcntl(descriptor, F_ADD_SEALS, seals)) {
        int error = errno;
        close(descriptor);
        return -error;
    }
    return descriptor;
}
