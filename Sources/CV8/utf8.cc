// UTF-8: what is ASCII, what is well formed (RFC 3629, section 4), and the decoder (Encoding Standard, section 8.1.1).
#include <cstring>

#include "internal.h"

namespace martlet {

bool is_ascii(const Bytes &bytes) {
    size_t i = 0;
    for (; i + 64 <= bytes.length; i += 64) {
        uint64_t words[8];
        std::memcpy(words, bytes.data + i, 64);
        uint64_t all = words[0] | words[1] | words[2] | words[3] | words[4] | words[5] | words[6] | words[7];
        if (all & 0x8080808080808080u) return false;
    }
    for (; i + 8 <= bytes.length; i += 8) {
        uint64_t word;
        std::memcpy(&word, bytes.data + i, 8);
        if (word & 0x8080808080808080u) return false;
    }
    for (; i < bytes.length; i++) {
        if (bytes.data[i] & 0x80) return false;
    }
    return true;
}

namespace {

/// The length of the well-formed sequence at `i` (RFC 3629, section 4), or 0.
size_t sequence_length(const Bytes &bytes, size_t i) {
    auto tail = [&](size_t at, uint8_t low, uint8_t high) {
        return at < bytes.length && bytes.data[at] >= low && bytes.data[at] <= high;
    };
    uint8_t lead = bytes.data[i];
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return tail(i + 1, 0x80, 0xBF) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        uint8_t low = lead == 0xE0 ? 0xA0 : 0x80, high = lead == 0xED ? 0x9F : 0xBF;
        return tail(i + 1, low, high) && tail(i + 2, 0x80, 0xBF) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        uint8_t low = lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xF4 ? 0x8F : 0xBF;
        return tail(i + 1, low, high) && tail(i + 2, 0x80, 0xBF) && tail(i + 3, 0x80, 0xBF) ? 4 : 0;
    }
    return 0;
}

/// How many bytes of the malformed sequence at `i` one replacement character stands for: those that a well-formed
/// sequence could begin with, at least one.
size_t malformed_length(const Bytes &bytes, size_t i) {
    uint8_t lead = bytes.data[i];
    if (lead < 0xC2 || lead > 0xF4 || i + 1 == bytes.length) return 1;
    uint8_t second = bytes.data[i + 1];
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (lead < 0xE0 || second < low || second > high) return 1;
    bool has_third = lead >= 0xF0 && i + 2 < bytes.length && (bytes.data[i + 2] & 0xC0) == 0x80;
    return has_third ? 3 : 2;
}

/// Eight bytes at a time become units without a look at each.
using Octet = uint8_t __attribute__((vector_size(8)));
using Units = uint16_t __attribute__((vector_size(16)));

}  // namespace

bool is_utf8(const Bytes &bytes) {
    for (size_t i = 0; i < bytes.length;) {
        size_t length = sequence_length(bytes, i);
        if (length == 0) return false;
        i += length;
    }
    return true;
}

bool decode_utf8(const Bytes &bytes, bool is_fatal, uint16_t *units, size_t *count, uint16_t *all) {
    const uint8_t *data = bytes.data;
    uint16_t *out = units;
    uint16_t seen = 0;
    size_t i = 0;
    while (i < bytes.length) {
        if (i + sizeof(Octet) <= bytes.length) {
            Octet octet;
            uint64_t word;
            std::memcpy(&octet, data + i, sizeof octet);
            std::memcpy(&word, data + i, sizeof word);
            Units wide = __builtin_convertvector(octet, Units);
            std::memcpy(out, &wide, sizeof wide);
            uint64_t high = word & 0x8080808080808080u;
            size_t ascii = high == 0 ? sizeof word : static_cast<size_t>(__builtin_ctzll(high)) / 8;
            i += ascii;
            out += ascii;
            if (high == 0) continue;
        } else if (data[i] < 0x80) {
            *out++ = data[i++];
            continue;
        }
        size_t length = sequence_length(bytes, i);
        const uint8_t *at = data + i;
        if (length == 2) {
            *out = static_cast<uint16_t>((at[0] & 0x1F) << 6 | (at[1] & 0x3F));
        } else if (length == 3) {
            *out = static_cast<uint16_t>((at[0] & 0x0F) << 12 | (at[1] & 0x3F) << 6 | (at[2] & 0x3F));
        } else if (length == 4) {
            uint32_t point = static_cast<uint32_t>(
                (at[0] & 0x07) << 18 | (at[1] & 0x3F) << 12 | (at[2] & 0x3F) << 6 | (at[3] & 0x3F));
            *out++ = static_cast<uint16_t>(0xD7C0 + (point >> 10));
            *out = static_cast<uint16_t>(0xDC00 + (point & 0x3FF));
        } else {
            if (is_fatal) return false;
            length = malformed_length(bytes, i);
            *out = 0xFFFD;
        }
        seen |= *out++;
        i += length;
    }
    *count = static_cast<size_t>(out - units);
    *all = seen;
    return true;
}

}  // namespace martlet
