// libFuzzer's driver, as Swift can call it.
#ifndef CFUZZER_H
#define CFUZZER_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Runs `body` with inputs until the arguments' time is over; they are libFuzzer's. Ends the process.
int cfuzzer_run(
    int count, char *_Nonnull *_Nonnull arguments, int (*body)(const uint8_t *_Nullable bytes, size_t count));

#pragma clang assume_nonnull end

#endif
