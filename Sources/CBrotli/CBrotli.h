// The system's Brotli.
#ifndef CBROTLI_H
#define CBROTLI_H

#include <brotli/decode.h>
#include <brotli/encode.h>

#endif
