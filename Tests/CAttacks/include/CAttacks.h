// What a host must not be able to do, as somebody would try it who runs code of his own in it.
#ifndef CATTACKS_H
#define CATTACKS_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Descriptors that the process has from its parent, like a host: 3 listens on 127.0.0.1, 4 is connected to it, 5 is a
/// TCP socket without a connection, 6 a UDP one.
enum { CATTACKS_LISTENER = 3, CATTACKS_CONNECTED = 4, CATTACKS_UNCONNECTED = 5, CATTACKS_DATAGRAM = 6 };

typedef struct {
    const char *_Nullable name;
    /// 0 or more if it worked, else a negated errno.
    long (*_Nullable run)(void);
} cattack;

/// What must be refused; ended by one without a name.
const cattack *cattacks(void);

/// What a host does all the time, and must be able to; ended by one without a name.
const cattack *cattacks_needs(void);

/// How many threads, or MiB of memory, a flood takes.
enum { CATTACKS_FLOOD = 300 };

/// What takes more and more, and returns how much it got; ended by one without a name.
const cattack *cattacks_floods(void);

/// The port of 127.0.0.1 that attacks on the network reach for.
void cattacks_set_port(uint16_t port);

#pragma clang assume_nonnull end

#endif
