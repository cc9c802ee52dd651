#include "CICU.h"

#include <pthread.h>
#include <unicode/ucnv.h>
#include <unicode/ucnv_err.h>
#include <unicode/uidna.h>
#include <unicode/utf16.h>

// MARK: Domain names

// The processors are immutable and live as long as the process.
static UIDNA *processors[2];
static pthread_once_t processors_once = PTHREAD_ONCE_INIT;

static void open_processors(void) {
    const uint32_t options = UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ | UIDNA_NONTRANSITIONAL_TO_ASCII
        | UIDNA_NONTRANSITIONAL_TO_UNICODE;
    UErrorCode status = U_ZERO_ERROR;
    processors[false] = uidna_openUTS46(options, &status);
    processors[true] = uidna_openUTS46(options | UIDNA_USE_STD3_RULES, &status);
}

// ICU always checks hyphens and lengths, and leaves it to the caller to mind.
static const uint32_t strict_errors = UIDNA_ERROR_EMPTY_LABEL | UIDNA_ERROR_LABEL_TOO_LONG
    | UIDNA_ERROR_DOMAIN_NAME_TOO_LONG | UIDNA_ERROR_LEADING_HYPHEN | UIDNA_ERROR_TRAILING_HYPHEN
    | UIDNA_ERROR_HYPHEN_3_4;

typedef int32_t name_function(const UIDNA *, const UChar *, int32_t, UChar *, int32_t, UIDNAInfo *, UErrorCode *);

static int32_t process(
    name_function *function, const uint16_t *domain, int32_t length, bool is_strict, uint16_t *result, int32_t capacity,
    bool *has_error) {
    pthread_once(&processors_once, open_processors);
    UIDNAInfo info = UIDNA_INFO_INITIALIZER;
    UErrorCode status = U_ZERO_ERROR;
    if (processors[is_strict] == NULL) return -1;
    int32_t needed = function(processors[is_strict], domain, length, result, capacity, &info, &status);
    if (U_FAILURE(status) && status != U_BUFFER_OVERFLOW_ERROR) return -1;
    *has_error = (is_strict ? info.errors : info.errors & ~strict_errors) != 0;
    return needed;
}

int32_t cicu_idna_to_ascii(
    const uint16_t *domain, int32_t length, bool is_strict, uint16_t *result, int32_t capacity, bool *has_error) {
    return process(uidna_nameToASCII, domain, length, is_strict, result, capacity, has_error);
}

int32_t cicu_idna_to_unicode(
    const uint16_t *domain, int32_t length, bool is_strict, uint16_t *result, int32_t capacity, bool *has_error) {
    return process(uidna_nameToUnicode, domain, length, is_strict, result, capacity, has_error);
}

// MARK: Legacy encodings

// A cicu_converter is a UConverter under another name.
cicu_converter *cicu_converter_open(const char *name) {
    UErrorCode status = U_ZERO_ERROR;
    UConverter *converter = ucnv_open(name, &status);
    if (U_FAILURE(status)) return NULL;
    ucnv_setToUCallBack(converter, UCNV_TO_U_CALLBACK_STOP, NULL, NULL, NULL, &status);
    return (cicu_converter *)converter;
}

void cicu_converter_close(cicu_converter *converter) { ucnv_close((UConverter *)converter); }

uint32_t cicu_converter_code_point(cicu_converter *opaque, const uint8_t *bytes, size_t length) {
    UConverter *converter = (UConverter *)opaque;
    UChar units[4];
    UChar *end = units;
    const char *source = (const char *)bytes;
    UErrorCode status = U_ZERO_ERROR;
    ucnv_resetToUnicode(converter);
    ucnv_toUnicode(converter, &end, units + 4, &source, source + length, NULL, true, &status);
    if (U_FAILURE(status)) return CICU_UNMAPPED;
    if (end - units == 1 && !U16_IS_SURROGATE(units[0])) return units[0];
    if (end - units == 2 && U16_IS_LEAD(units[0]) && U16_IS_TRAIL(units[1])) {
        return (uint32_t)U16_GET_SUPPLEMENTARY(units[0], units[1]);
    }
    return CICU_UNMAPPED;
}
