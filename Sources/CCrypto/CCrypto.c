#include "CCrypto.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

bool ccrypto_equal(const uint8_t *a, const uint8_t *b, size_t length) {
    return length == 0 || CRYPTO_memcmp(a, b, length) == 0;
}

// libcrypto keeps a queue of errors for each thread; nobody reads it.
static bool report(bool has_succeeded) {
    if (!has_succeeded) ERR_clear_error();
    return has_succeeded;
}

// MARK: AES-GCM

static const EVP_CIPHER *gcm_cipher(size_t key_length) {
    switch (key_length) {
    case 16: return EVP_aes_128_gcm();
    case 24: return EVP_aes_192_gcm();
    case 32: return EVP_aes_256_gcm();
    default: return NULL;
    }
}

typedef struct {
    const uint8_t *key, *nonce, *additional, *input;
    size_t key_length, nonce_length, additional_length, length;
} gcm_input;

static bool gcm_update(EVP_CIPHER_CTX *context, bool is_sealing, const gcm_input *in, uint8_t *output) {
    const EVP_CIPHER *cipher = gcm_cipher(in->key_length);
    int written = 0;
    if (cipher == NULL || in->nonce_length == 0 || in->nonce_length > INT_MAX) return false;
    if (in->additional_length > INT_MAX || in->length > INT_MAX) return false;
    if (EVP_CipherInit_ex(context, cipher, NULL, NULL, NULL, is_sealing) != 1) return false;
    if (EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, (int)in->nonce_length, NULL) != 1) return false;
    if (EVP_CipherInit_ex(context, NULL, NULL, in->key, in->nonce, is_sealing) != 1) return false;
    if (in->additional_length > 0
        && EVP_CipherUpdate(context, NULL, &written, in->additional, (int)in->additional_length) != 1) return false;
    return in->length == 0 || EVP_CipherUpdate(context, output, &written, in->input, (int)in->length) == 1;
}

bool ccrypto_gcm_seal(
    const uint8_t *key, size_t key_length, const uint8_t *nonce, size_t nonce_length, const uint8_t *additional,
    size_t additional_length, const uint8_t *input, size_t length, uint8_t *output, uint8_t *tag, size_t tag_length) {
    gcm_input in = {key, nonce, additional, input, key_length, nonce_length, additional_length, length};
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0;
    uint8_t rest[EVP_MAX_BLOCK_LENGTH];
    bool is_done = context != NULL && gcm_update(context, true, &in, output)
        && EVP_CipherFinal_ex(context, rest, &written) == 1
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, (int)tag_length, tag) == 1;
    EVP_CIPHER_CTX_free(context);
    return report(is_done);
}

bool ccrypto_gcm_open(
    const uint8_t *key, size_t key_length, const uint8_t *nonce, size_t nonce_length, const uint8_t *additional,
    size_t additional_length, const uint8_t *input, size_t length, uint8_t *output, const uint8_t *tag,
    size_t tag_length) {
    gcm_input in = {key, nonce, additional, input, key_length, nonce_length, additional_length, length};
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0;
    uint8_t rest[EVP_MAX_BLOCK_LENGTH], expected[16];
    if (tag_length <= sizeof expected) memcpy(expected, tag, tag_length);
    bool is_done = context != NULL && tag_length <= sizeof expected && gcm_update(context, false, &in, output)
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, (int)tag_length, expected) == 1
        && EVP_CipherFinal_ex(context, rest, &written) == 1;
    EVP_CIPHER_CTX_free(context);
    if (!is_done && length > 0) OPENSSL_cleanse(output, length);
    return report(is_done);
}

// MARK: RSA

static const EVP_MD *digest_of(ccrypto_hash hash) {
    switch (hash) {
    case CCRYPTO_SHA1: return EVP_sha1();
    case CCRYPTO_SHA256: return EVP_sha256();
    case CCRYPTO_SHA384: return EVP_sha384();
    case CCRYPTO_SHA512: return EVP_sha512();
    }
    return NULL;
}

typedef struct {
    ccrypto_goes_on *goes_on;
    void *caller;
} generation;

/// libcrypto calls this at each candidate for a prime.
static int generation_goes_on(EVP_PKEY_CTX *context) {
    const generation *self = EVP_PKEY_CTX_get_app_data(context);
    return self->goes_on(self->caller);
}

size_t ccrypto_rsa_generate(
    uint32_t bits, uint32_t exponent, uint8_t *output, ccrypto_goes_on *goes_on, void *caller) {
    generation self = {goes_on, caller};
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *e = BN_new();
    EVP_PKEY *key = NULL;
    int length = 0;
    if (context != NULL) {
        EVP_PKEY_CTX_set_app_data(context, &self);
        EVP_PKEY_CTX_set_cb(context, generation_goes_on);
    }
    bool is_done = context != NULL && e != NULL && BN_set_word(e, exponent) == 1 && EVP_PKEY_keygen_init(context) == 1
        && EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits) == 1
        && EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e) == 1 && EVP_PKEY_generate(context, &key) == 1;
    if (is_done) {
        length = i2d_PrivateKey(key, NULL);
        is_done = length > 0 && length <= CCRYPTO_RSA_CAPACITY;
        if (is_done) length = i2d_PrivateKey(key, &output);
    }
    EVP_PKEY_free(key);
    BN_free(e);
    EVP_PKEY_CTX_free(context);
    return report(is_done) ? (size_t)length : 0;
}

typedef int initializer(EVP_PKEY_CTX *);

/// A context for an operation with a key, or NULL. The key is freed with it.
static EVP_PKEY_CTX *open_key(
    const uint8_t *bytes, size_t length, bool is_private, initializer *initialize, int padding) {
    if (length > LONG_MAX) return NULL;
    EVP_PKEY *key = is_private ? d2i_PrivateKey(EVP_PKEY_RSA, NULL, &bytes, (long)length)
                               : d2i_PublicKey(EVP_PKEY_RSA, NULL, &bytes, (long)length);
    if (key == NULL) return NULL;
    bool fits = EVP_PKEY_get_size(key) <= CCRYPTO_RSA_CAPACITY;
    EVP_PKEY_CTX *context = fits ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    EVP_PKEY_free(key);
    if (context != NULL && initialize(context) == 1 && EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1) {
        return context;
    }
    EVP_PKEY_CTX_free(context);
    return NULL;
}

static bool set_pss(EVP_PKEY_CTX *context, ccrypto_hash hash, uint32_t salt_length) {
    // Negative lengths have meanings of their own.
    return context != NULL && salt_length <= INT_MAX
        && EVP_PKEY_CTX_set_signature_md(context, digest_of(hash)) == 1
        && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, (int)salt_length) == 1;
}

size_t ccrypto_rsa_pss_sign(
    const uint8_t *key, size_t key_length, ccrypto_hash hash, uint32_t salt_length, const uint8_t *digest,
    uint8_t *output) {
    EVP_PKEY_CTX *context = open_key(key, key_length, true, EVP_PKEY_sign_init, RSA_PKCS1_PSS_PADDING);
    size_t length = CCRYPTO_RSA_CAPACITY, digest_length = (size_t)EVP_MD_get_size(digest_of(hash));
    bool is_done = set_pss(context, hash, salt_length)
        && EVP_PKEY_sign(context, output, &length, digest, digest_length) == 1;
    EVP_PKEY_CTX_free(context);
    return report(is_done) ? length : 0;
}

bool ccrypto_rsa_pss_verify(
    const uint8_t *key, size_t key_length, ccrypto_hash hash, uint32_t salt_length, const uint8_t *digest,
    const uint8_t *signature, size_t signature_length) {
    EVP_PKEY_CTX *context = open_key(key, key_length, false, EVP_PKEY_verify_init, RSA_PKCS1_PSS_PADDING);
    size_t digest_length = (size_t)EVP_MD_get_size(digest_of(hash));
    bool is_valid = set_pss(context, hash, salt_length)
        && EVP_PKEY_verify(context, signature, signature_length, digest, digest_length) == 1;
    EVP_PKEY_CTX_free(context);
    return report(is_valid);
}

static bool set_oaep(EVP_PKEY_CTX *context, ccrypto_hash hash, const uint8_t *label, size_t label_length) {
    if (context == NULL || label_length > INT_MAX) return false;
    if (EVP_PKEY_CTX_set_rsa_oaep_md(context, digest_of(hash)) != 1) return false;
    if (EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest_of(hash)) != 1) return false;
    if (label_length == 0) return true;
    // The context takes the copy over, unless it fails.
    void *copy = OPENSSL_memdup(label, label_length);
    if (copy != NULL && EVP_PKEY_CTX_set0_rsa_oaep_label(context, copy, (int)label_length) == 1) return true;
    OPENSSL_free(copy);
    return false;
}

bool ccrypto_rsa_oaep_encrypt(
    const uint8_t *key, size_t key_length, ccrypto_hash hash, const uint8_t *label, size_t label_length,
    const uint8_t *input, size_t length, uint8_t *output, size_t *output_length) {
    EVP_PKEY_CTX *context = open_key(key, key_length, false, EVP_PKEY_encrypt_init, RSA_PKCS1_OAEP_PADDING);
    *output_length = CCRYPTO_RSA_CAPACITY;
    bool is_done = set_oaep(context, hash, label, label_length)
        && EVP_PKEY_encrypt(context, output, output_length, input, length) == 1;
    EVP_PKEY_CTX_free(context);
    return report(is_done);
}

bool ccrypto_rsa_oaep_decrypt(
    const uint8_t *key, size_t key_length, ccrypto_hash hash, const uint8_t *label, size_t label_length,
    const uint8_t *input, size_t length, uint8_t *output, size_t *output_length) {
    EVP_PKEY_CTX *context = open_key(key, key_length, true, EVP_PKEY_decrypt_init, RSA_PKCS1_OAEP_PADDING);
    *output_length = CCRYPTO_RSA_CAPACITY;
    bool is_done = set_oaep(context, hash, label, label_length)
        && EVP_PKEY_decrypt(context, output, output_length, input, length) == 1;
    EVP_PKEY_CTX_free(context);
    return report(is_done);
}
