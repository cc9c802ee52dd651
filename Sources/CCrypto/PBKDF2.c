// PBKDF2 (RFC 8018, section 5.2) that can be stopped. libcrypto's own cannot, and takes twice as long: it goes through
// its layer of providers at each iteration. The functions below it are deprecated in favour of that layer.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "CCrypto.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

/// How many iterations pass between two looks at whether to go on: a look costs as much as one or two.
static const uint32_t iterations_between_looks = 512;

/// HMAC (RFC 2104) with the two blocks of the key hashed already, and PBKDF2 with it, for one hash function.
#define DEFINE_PBKDF2(NAME, CONTEXT, INIT, UPDATE, FINAL, DIGEST, BLOCK)                                               \
    typedef struct {                                                                                                   \
        CONTEXT inner, outer;                                                                                          \
    } NAME##_key;                                                                                                      \
                                                                                                                       \
    static void NAME##_set_key(NAME##_key *key, const uint8_t *bytes, size_t length) {                                 \
        uint8_t block[BLOCK] = {0};                                                                                    \
        if (length > BLOCK) {                                                                                          \
            INIT(&key->inner);                                                                                         \
            UPDATE(&key->inner, bytes, length);                                                                        \
            FINAL(block, &key->inner);                                                                                 \
        } else if (length > 0) {                                                                                       \
            memcpy(block, bytes, length);                                                                              \
        }                                                                                                              \
        for (size_t i = 0; i < BLOCK; i++) block[i] ^= 0x36;                                                           \
        INIT(&key->inner);                                                                                             \
        UPDATE(&key->inner, block, BLOCK);                                                                             \
        for (size_t i = 0; i < BLOCK; i++) block[i] ^= 0x36 ^ 0x5c;                                                    \
        INIT(&key->outer);                                                                                             \
        UPDATE(&key->outer, block, BLOCK);                                                                             \
        OPENSSL_cleanse(block, sizeof block);                                                                          \
    }                                                                                                                  \
                                                                                                                       \
    /* Ends an HMAC whose message `inner` has hashed. */                                                               \
    static void NAME##_end(const NAME##_key *key, CONTEXT *inner, uint8_t *code) {                                     \
        FINAL(code, inner);                                                                                            \
        *inner = key->outer;                                                                                           \
        UPDATE(inner, code, DIGEST);                                                                                   \
        FINAL(code, inner);                                                                                            \
    }                                                                                                                  \
                                                                                                                       \
    static bool NAME##_pbkdf2(const ccrypto_derivation *in, uint8_t *output, size_t length) {                          \
        NAME##_key key;                                                                                                \
        CONTEXT context;                                                                                               \
        uint8_t code[DIGEST], sum[DIGEST];                                                                             \
        bool goes_on = true;                                                                                           \
        NAME##_set_key(&key, in->password, in->password_length);                                                       \
        for (uint32_t block = 1; length > 0 && goes_on; block++) {                                                     \
            const uint8_t number[4] = {block >> 24 & 255, block >> 16 & 255, block >> 8 & 255, block & 255};           \
            context = key.inner;                                                                                       \
            if (in->salt_length > 0) UPDATE(&context, in->salt, in->salt_length);                                      \
            UPDATE(&context, number, sizeof number);                                                                   \
            NAME##_end(&key, &context, code);                                                                          \
            memcpy(sum, code, DIGEST);                                                                                 \
            for (uint32_t i = 1; i < in->iterations && goes_on; i++) {                                                 \
                context = key.inner;                                                                                   \
                UPDATE(&context, code, DIGEST);                                                                        \
                NAME##_end(&key, &context, code);                                                                      \
                for (size_t j = 0; j < DIGEST; j++) sum[j] ^= code[j];                                                 \
                if (i % iterations_between_looks == 0) goes_on = in->goes_on(in->caller);                              \
            }                                                                                                          \
            if (in->iterations < iterations_between_looks && block % 16 == 0) goes_on = in->goes_on(in->caller);       \
            size_t count = length < DIGEST ? length : DIGEST;                                                          \
            memcpy(output, sum, count);                                                                                \
            output += count;                                                                                           \
            length -= count;                                                                                           \
        }                                                                                                              \
        OPENSSL_cleanse(&key, sizeof key);                                                                             \
        OPENSSL_cleanse(&context, sizeof context);                                                                     \
        OPENSSL_cleanse(code, sizeof code);                                                                            \
        OPENSSL_cleanse(sum, sizeof sum);                                                                              \
        return goes_on;                                                                                                \
    }

DEFINE_PBKDF2(sha1, SHA_CTX, SHA1_Init, SHA1_Update, SHA1_Final, SHA_DIGEST_LENGTH, SHA_CBLOCK)
DEFINE_PBKDF2(sha256, SHA256_CTX, SHA256_Init, SHA256_Update, SHA256_Final, SHA256_DIGEST_LENGTH, SHA256_CBLOCK)
DEFINE_PBKDF2(sha384, SHA512_CTX, SHA384_Init, SHA384_Update, SHA384_Final, SHA384_DIGEST_LENGTH, SHA512_CBLOCK)
DEFINE_PBKDF2(sha512, SHA512_CTX, SHA512_Init, SHA512_Update, SHA512_Final, SHA512_DIGEST_LENGTH, SHA512_CBLOCK)

bool ccrypto_pbkdf2(ccrypto_hash hash, const ccrypto_derivation *in, uint8_t *output, size_t length) {
    switch (hash) {
    case CCRYPTO_SHA1: return sha1_pbkdf2(in, output, length);
    case CCRYPTO_SHA256: return sha256_pbkdf2(in, output, length);
    case CCRYPTO_SHA384: return sha384_pbkdf2(in, output, length);
    case CCRYPTO_SHA512: return sha512_pbkdf2(in, output, length);
    }
    return false;
}
