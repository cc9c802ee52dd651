// What Martlet needs of OpenSSL's libcrypto because swift-crypto lacks it: AES-GCM with short tags or nonces and no
// copying, PBKDF2 and RSA key generation that can be stopped, RSA-OAEP with labels and all hashes, RSA-PSS with any
// salt length, RSA keys with the public exponent 3 or an unusual length. Swift cannot import these themselves: many are
// macros. Any thread may call any function.
//
// Lengths are in bytes. Functions that give a bool tell by false that the operation failed; their output is void then.
#ifndef CCRYPTO_H
#define CCRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { CCRYPTO_SHA1, CCRYPTO_SHA256, CCRYPTO_SHA384, CCRYPTO_SHA512 } ccrypto_hash;

/// Compares in a time that depends on the length only.
bool ccrypto_equal(const uint8_t *_Nullable a, const uint8_t *_Nullable b, size_t length);

// MARK: AES-GCM

/// Keys of 16, 24 or 32 bytes, nonces of 1 to 128 bytes, tags of 4 to 16 bytes. `output` has the length of `input`.
bool ccrypto_gcm_seal(
    const uint8_t *_Nonnull key, size_t key_length, const uint8_t *_Nullable nonce, size_t nonce_length,
    const uint8_t *_Nullable additional, size_t additional_length, const uint8_t *_Nullable input, size_t length,
    uint8_t *_Nonnull output, uint8_t *_Nonnull tag, size_t tag_length);
bool ccrypto_gcm_open(
    const uint8_t *_Nonnull key, size_t key_length, const uint8_t *_Nullable nonce, size_t nonce_length,
    const uint8_t *_Nullable additional, size_t additional_length, const uint8_t *_Nullable input, size_t length,
    uint8_t *_Nonnull output, const uint8_t *_Nonnull tag, size_t tag_length);

// MARK: What takes long

/// Asked every some hundred microseconds, with what its caller passed along: false ends the operation, which fails.
typedef bool ccrypto_goes_on(void *_Nullable caller);

typedef struct {
    const uint8_t *_Nullable password, *_Nullable salt;
    size_t password_length, salt_length;
    uint32_t iterations;
    ccrypto_goes_on *_Nonnull goes_on;
    void *_Nullable caller;
} ccrypto_derivation;

/// PBKDF2 with HMAC. False if it was stopped.
bool ccrypto_pbkdf2(
    ccrypto_hash hash, const ccrypto_derivation *_Nonnull derivation, uint8_t *_Nonnull output, size_t length);

// MARK: RSA. Keys are DER: RSAPrivateKey and RSAPublicKey of RFC 8017, appendix A.1.

/// A key of 8,192 bits, the longest that is used, fits into this capacity in all forms.
#define CCRYPTO_RSA_CAPACITY 8192

/// The functions below write at most CCRYPTO_RSA_CAPACITY bytes to `output` and give their number, or 0 for failure.

/// Some hundred milliseconds, with luck and without: stops when `goes_on` says so.
size_t ccrypto_rsa_generate(
    uint32_t bits, uint32_t exponent, uint8_t *_Nonnull output, ccrypto_goes_on *_Nonnull goes_on,
    void *_Nullable caller);

size_t ccrypto_rsa_pss_sign(
    const uint8_t *_Nonnull key, size_t key_length, ccrypto_hash hash, uint32_t salt_length,
    const uint8_t *_Nonnull digest, uint8_t *_Nonnull output);
bool ccrypto_rsa_pss_verify(
    const uint8_t *_Nonnull key, size_t key_length, ccrypto_hash hash, uint32_t salt_length,
    const uint8_t *_Nonnull digest, const uint8_t *_Nullable signature, size_t signature_length);

/// Decryption may give an empty message: these two tell failure by false, and the number of bytes in `output_length`.
bool ccrypto_rsa_oaep_encrypt(
    const uint8_t *_Nonnull key, size_t key_length, ccrypto_hash hash, const uint8_t *_Nullable label,
    size_t label_length, const uint8_t *_Nullable input, size_t length, uint8_t *_Nonnull output,
    size_t *_Nonnull output_length);
bool ccrypto_rsa_oaep_decrypt(
    const uint8_t *_Nonnull key, size_t key_length, ccrypto_hash hash, const uint8_t *_Nullable label,
    size_t label_length, const uint8_t *_Nullable input, size_t length, uint8_t *_Nonnull output,
    size_t *_Nonnull output_length);

#endif
