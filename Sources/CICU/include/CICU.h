// The few calls of ICU that Martlet needs. Swift cannot import ICU itself: its headers rename each symbol by a macro
// that appends ICU's version. All functions may be called on any thread.
#ifndef CICU_H
#define CICU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// MARK: Domain names

/// Unicode ToASCII and ToUnicode (UTS #46): non-transitional, with CheckBidi and CheckJoiners; `is_strict` adds
/// UseSTD3ASCIIRules, CheckHyphens and VerifyDnsLength. Writes at most `capacity` code units to `result` and gives the
/// length of the whole, which may be more than that; -1 if ICU fails. Tells in `has_error` whether the domain is in
/// error by those rules (of ToUnicode the result is meaningful all the same).
int32_t cicu_idna_to_ascii(
    const uint16_t *_Nullable domain, int32_t length, bool is_strict, uint16_t *_Nullable result, int32_t capacity,
    bool *_Nonnull has_error);
int32_t cicu_idna_to_unicode(
    const uint16_t *_Nullable domain, int32_t length, bool is_strict, uint16_t *_Nullable result, int32_t capacity,
    bool *_Nonnull has_error);

// MARK: Legacy encodings

/// A converter to Unicode, used by one thread at a time.
typedef struct cicu_converter cicu_converter;

/// What stands for a byte sequence without a code point.
#define CICU_UNMAPPED UINT32_MAX

/// NULL if ICU has no converter of that name. Close it with cicu_converter_close.
cicu_converter *_Nullable cicu_converter_open(const char *_Nonnull name);
void cicu_converter_close(cicu_converter *_Nonnull converter);

/// The code point that a byte sequence stands for; CICU_UNMAPPED if it is malformed or stands for none or several.
uint32_t cicu_converter_code_point(
    cicu_converter *_Nonnull converter, const uint8_t *_Nonnull bytes, size_t length);

#endif
