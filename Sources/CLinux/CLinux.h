// What Swift's Glibc module leaves out of Linux: epoll, eventfd, inotify, accept4 and pipe2, and what else a
// child process may be started with.
#ifndef CLINUX_H
#define CLINUX_H

#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>

// The C library declares these only under _GNU_SOURCE, which a module cannot define for a header that another has read.
int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
int pipe2(int descriptors[2], int flags);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

#endif
