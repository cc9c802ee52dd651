// What Swift's Glibc module leaves out of Linux: epoll, eventfd, inotify and accept4.
#ifndef CLINUX_H
#define CLINUX_H

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>

// The C library declares it only under _GNU_SOURCE, which a module cannot define for a header that another has read.
int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);

#endif
