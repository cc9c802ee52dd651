// `engine.*`: what the runtime's JavaScript needs of V8 itself. None of these runs code of the tenant.
#include <cstring>

#include "internal.h"

namespace martlet {

namespace {

using Info = v8::FunctionCallbackInfo<v8::Value>;

void throw_type_error(v8::Isolate *isolate, const char *message) {
    isolate->ThrowException(v8::Exception::TypeError(text(isolate, message)));
}

const char *type_name(Local<v8::Value> value) {
    if (!value->IsObject()) return "";
    if (value->IsProxy()) return "Proxy";
    if (value->IsFunction()) return "Function";
    if (value->IsArray()) return "Array";
    if (value->IsDate()) return "Date";
    if (value->IsRegExp()) return "RegExp";
    if (value->IsMap()) return "Map";
    if (value->IsSet()) return "Set";
    if (value->IsWeakMap()) return "WeakMap";
    if (value->IsWeakSet()) return "WeakSet";
    if (value->IsPromise()) return "Promise";
    if (value->IsArrayBuffer()) return "ArrayBuffer";
    if (value->IsSharedArrayBuffer()) return "SharedArrayBuffer";
    if (value->IsDataView()) return "DataView";
    if (value->IsTypedArray()) return "TypedArray";
    if (value->IsNativeError()) return "Error";
    if (value->IsBooleanObject()) return "Boolean";
    if (value->IsNumberObject()) return "Number";
    if (value->IsStringObject()) return "String";
    if (value->IsSymbolObject()) return "Symbol";
    if (value->IsBigIntObject()) return "BigInt";
    if (value->IsArgumentsObject()) return "Arguments";
    if (value->IsGeneratorObject()) return "Generator";
    if (value->IsMapIterator()) return "MapIterator";
    if (value->IsSetIterator()) return "SetIterator";
    if (value->IsModuleNamespaceObject()) return "Module";
    if (value->IsWasmModuleObject()) return "WasmModule";
    return "Object";
}

void type_of(const Info &info) {
    v8::Isolate *isolate = info.GetIsolate();
    auto name = reinterpret_cast<const uint8_t *>(type_name(info[0]));
    info.GetReturnValue().Set(
        v8::String::NewFromOneByte(isolate, name, v8::NewStringType::kInternalized).ToLocalChecked());
}

void promise_details(const Info &info) {
    v8::Isolate *isolate = info.GetIsolate();
    if (!info[0]->IsPromise()) return;
    auto promise = info[0].As<v8::Promise>();
    int state = promise->State() == v8::Promise::kPending ? 0 : promise->State() == v8::Promise::kFulfilled ? 1 : 2;
    Local<v8::Value> result = state == 0 ? v8::Undefined(isolate).As<v8::Value>() : promise->Result();
    Local<v8::Value> pair[] = {v8::Integer::New(isolate, state), result};
    info.GetReturnValue().Set(v8::Array::New(isolate, pair, 2));
}

void proxy_details(const Info &info) {
    if (!info[0]->IsProxy()) return;
    auto proxy = info[0].As<v8::Proxy>();
    Local<v8::Value> pair[] = {proxy->GetTarget(), proxy->GetHandler()};
    info.GetReturnValue().Set(v8::Array::New(info.GetIsolate(), pair, 2));
}

void preview_entries(const Info &info) {
    if (!info[0]->IsObject()) return;
    bool is_key_value = false;
    Local<v8::Array> entries;
    if (!info[0].As<v8::Object>()->PreviewEntries(&is_key_value).ToLocal(&entries)) return;
    Local<v8::Value> pair[] = {entries, v8::Boolean::New(info.GetIsolate(), is_key_value)};
    info.GetReturnValue().Set(v8::Array::New(info.GetIsolate(), pair, 2));
}

void transfer_array_buffer(const Info &info) {
    v8::Isolate *isolate = info.GetIsolate();
    if (!info[0]->IsArrayBuffer() || !info[0].As<v8::ArrayBuffer>()->IsDetachable()) {
        return throw_type_error(isolate, "This ArrayBuffer cannot be transferred");
    }
    auto buffer = info[0].As<v8::ArrayBuffer>();
    auto store = buffer->GetBackingStore();
    buffer->Detach();
    info.GetReturnValue().Set(v8::ArrayBuffer::New(isolate, std::move(store)));
}

// MARK: Strings and bytes

bool bytes_of(Local<v8::Value> value, Bytes *bytes) {
    if (value->IsArrayBufferView()) {
        auto view = value.As<v8::ArrayBufferView>();
        bytes->length = view->ByteLength();
        bytes->data = static_cast<uint8_t *>(view->Buffer()->Data()) + view->ByteOffset();
        return true;
    }
    if (!value->IsArrayBuffer()) return false;
    bytes->length = value.As<v8::ArrayBuffer>()->ByteLength();
    bytes->data = static_cast<uint8_t *>(value.As<v8::ArrayBuffer>()->Data());
    return true;
}

/// A new Uint8Array of that length; empty, with an exception pending, if the memory limit forbids it.
Local<v8::Uint8Array> new_bytes(v8::Isolate *isolate, size_t length, uint8_t **data) {
    cv8_isolate *self = isolate_of(isolate);
    if (!self->allocator->reserve(length)) {
        isolate->ThrowException(v8::Exception::RangeError(text(isolate, "Array buffer allocation failed")));
        return Local<v8::Uint8Array>();
    }
    self->allocator->release(length);
    auto buffer = v8::ArrayBuffer::New(isolate, length);
    *data = static_cast<uint8_t *>(buffer->Data());
    return v8::Uint8Array::New(buffer, 0, length);
}

void utf8_encode(const Info &info) {
    v8::Isolate *isolate = info.GetIsolate();
    auto string = info[0].As<v8::String>();
    uint8_t *data = nullptr;
    auto result = new_bytes(isolate, static_cast<size_t>(string->Utf8Length(isolate)), &data);
    if (result.IsEmpty()) return;
    string->WriteUtf8(
        isolate, reinterpret_cast<char *>(data), static_cast<int>(result->ByteLength()), nullptr,
        v8::String::NO_NULL_TERMINATION | v8::String::REPLACE_INVALID_UTF8);
    info.GetReturnValue().Set(result);
}

void utf8_encode_into(const Info &info) {
    v8::Isolate *isolate = info.GetIsolate();
    auto string = info[0].As<v8::String>();
    constexpr size_t longest = 1u << 26;
    Bytes bytes;
    if (!bytes_of(info[1], &bytes)) return throw_type_error(isolate, "The destination is not a Uint8Array");
    int read = 0;
    int capacity = static_cast<int>(bytes.length < longest ? bytes.length : longest - 1);
    int written = string->WriteUtf8(
        isolate, reinterpret_cast<char *>(const_cast<uint8_t *>(bytes.data)), capacity, &read,
        v8::String::NO_NULL_TERMINATION | v8::String::REPLACE_INVALID_UTF8);
    info.GetReturnValue().Set(static_cast<double>(read) * longest + written);
}

void utf8_length(const Info &info) {
    info.GetReturnValue().Set(info[0].As<v8::String>()->Utf8Length(info.GetIsolate()));
}

/// Up to so many bytes, what is decoded on the way to a string fits the arena's first block. V8's decoder, which reads
/// the bytes twice instead, takes twice as long.
constexpr size_t longest_decoded_here = 16 * 1024;

/// False if the bytes are malformed and must not be.
bool decode_short(v8::Isolate *isolate, const Bytes &bytes, bool is_fatal, v8::MaybeLocal<v8::String> *string) {
    Arena &arena = current_thread->arena;
    auto mark = arena.mark();
    auto *units = static_cast<uint16_t *>(arena.allocate(2 * bytes.length));
    uint16_t all = 0;
    size_t count = 0;
    bool is_whole = decode_utf8(bytes, is_fatal, units, &count, &all);
    if (is_whole && all < 0x100) {
        auto *narrow = reinterpret_cast<uint8_t *>(units);
        for (size_t i = 0; i < count; i++) narrow[i] = static_cast<uint8_t>(units[i]);
        *string = v8::String::NewFromOneByte(isolate, narrow, v8::NewStringType::kNormal, static_cast<int>(count));
    } else if (is_whole) {
        *string = v8::String::NewFromTwoByte(isolate, units, v8::NewStringType::kNormal, static_cast<int>(count));
    }
    arena.rewind(mark);
    return is_whole;
}

void utf8_decode(const Info &info) {
    v8::Isolate *isolate = info.GetIsolate();
    Bytes bytes;
    if (!bytes_of(info[0], &bytes)) return throw_type_error(isolate, "The input is not a buffer or a view on one");
    if (bytes.length > static_cast<size_t>(v8::String::kMaxLength)) {
        isolate->ThrowException(v8::Exception::RangeError(text(isolate, "Invalid string length")));
        return;
    }
    auto length = static_cast<int>(bytes.length);
    v8::MaybeLocal<v8::String> string;
    bool is_fatal = info[1]->IsTrue();
    if (is_ascii(bytes)) {
        string = v8::String::NewFromOneByte(isolate, bytes.data, v8::NewStringType::kNormal, length);
    } else if (bytes.length <= longest_decoded_here) {
        if (!decode_short(isolate, bytes, is_fatal, &string)) return;
    } else {
        if (is_fatal && !is_utf8(bytes)) return;
        string = v8::String::NewFromUtf8(
            isolate, reinterpret_cast<const char *>(bytes.data), v8::NewStringType::kNormal, length);
    }
    Local<v8::String> result;
    if (string.ToLocal(&result)) info.GetReturnValue().Set(result);
}

/// A string whose characters are the bytes of an ArrayBuffer, which it keeps alive.
class BufferString final : public v8::String::ExternalOneByteStringResource {
 public:
    BufferString(std::shared_ptr<v8::BackingStore> store, const Bytes &bytes)
        : store_(std::move(store)), bytes_(bytes) {}
    const char *data() const override { return reinterpret_cast<const char *>(bytes_.data); }
    size_t length() const override { return bytes_.length; }

 private:
    std::shared_ptr<v8::BackingStore> store_;
    Bytes bytes_;
};

/// From so many bytes on, a string over the bytes costs less than their copy in V8's heap: longer strings are large
/// objects there, each with pages of its own.
constexpr size_t least_shared = 127 * 1024;

/// The same for bytes that nobody else has, now or later. The string is made of them; or their memory is free for the
/// next body at once, still in the cache, instead of after the next collection.
void utf8_decode_own(const Info &info) {
    v8::Isolate *isolate = info.GetIsolate();
    Bytes bytes;
    bool is_own = info[0]->IsUint8Array() && bytes_of(info[0], &bytes);
    bool is_shareable = is_own && bytes.length >= least_shared &&
                        bytes.length <= static_cast<size_t>(v8::String::kMaxLength) && is_ascii(bytes);
    if (!is_shareable) {
        utf8_decode(info);
        if (is_own) info[0].As<v8::Uint8Array>()->Buffer()->Detach();
        return;
    }
    auto resource = new BufferString(info[0].As<v8::Uint8Array>()->Buffer()->GetBackingStore(), bytes);
    Local<v8::String> string;
    if (v8::String::NewExternalOneByte(isolate, resource).ToLocal(&string)) info.GetReturnValue().Set(string);
    else delete resource;
}

void latin1_decode(const Info &info) {
    v8::Isolate *isolate = info.GetIsolate();
    Bytes bytes;
    if (!bytes_of(info[0], &bytes)) return throw_type_error(isolate, "The input is not a buffer or a view on one");
    Local<v8::String> result;
    auto string = v8::String::NewFromOneByte(
        isolate, bytes.data, v8::NewStringType::kNormal, static_cast<int>(bytes.length));
    if (string.ToLocal(&result)) info.GetReturnValue().Set(result);
}

void latin1_encode(const Info &info) {
    v8::Isolate *isolate = info.GetIsolate();
    auto string = info[0].As<v8::String>();
    if (!string->ContainsOnlyOneByte()) return;
    uint8_t *data = nullptr;
    auto result = new_bytes(isolate, static_cast<size_t>(string->Length()), &data);
    if (result.IsEmpty()) return;
    string->WriteOneByte(isolate, data, 0, string->Length(), v8::String::NO_NULL_TERMINATION);
    info.GetReturnValue().Set(result);
}

// MARK: Well-formed UTF-16 (ECMA-262, IsStringWellFormedUnicode)

size_t first_lone_surrogate(const uint16_t *units, size_t length, size_t from) {
    for (size_t i = from; i < length; i++) {
        if ((units[i] & 0xF800) != 0xD800) continue;
        bool is_pair = (units[i] & 0xFC00) == 0xD800 && i + 1 < length && (units[i + 1] & 0xFC00) == 0xDC00;
        if (!is_pair) return i;
        i++;
    }
    return length;
}

const uint16_t *units_of(v8::Isolate *isolate, Local<v8::String> string) {
    auto *units = static_cast<uint16_t *>(
        current_thread->arena.allocate(2 * static_cast<size_t>(string->Length())));
    string->Write(isolate, units, 0, string->Length(), v8::String::NO_NULL_TERMINATION);
    return units;
}

void is_well_formed(const Info &info) {
    v8::Isolate *isolate = info.GetIsolate();
    auto string = info[0].As<v8::String>();
    if (string->IsOneByte()) return info.GetReturnValue().Set(true);
    auto mark = current_thread->arena.mark();
    auto length = static_cast<size_t>(string->Length());
    info.GetReturnValue().Set(first_lone_surrogate(units_of(isolate, string), length, 0) == length);
    current_thread->arena.rewind(mark);
}

void to_well_formed(const Info &info) {
    v8::Isolate *isolate = info.GetIsolate();
    auto string = info[0].As<v8::String>();
    info.GetReturnValue().Set(string);
    if (string->IsOneByte()) return;
    auto mark = current_thread->arena.mark();
    auto length = static_cast<size_t>(string->Length());
    auto *units = const_cast<uint16_t *>(units_of(isolate, string));
    size_t lone = first_lone_surrogate(units, length, 0);
    bool is_changed = lone < length;
    for (; lone < length; lone = first_lone_surrogate(units, length, lone + 1)) units[lone] = 0xFFFD;
    Local<v8::String> result;
    if (is_changed
        && v8::String::NewFromTwoByte(isolate, units, v8::NewStringType::kNormal, static_cast<int>(length))
               .ToLocal(&result)) {
        info.GetReturnValue().Set(result);
    }
    current_thread->arena.rewind(mark);
}

// MARK: The value that follows promise continuations

#if V8_MAJOR_VERSION >= 13
v8::Isolate *holder_of_async_context(const Info &info) { return info.GetIsolate(); }
#else
Local<v8::Context> holder_of_async_context(const Info &info) { return info.GetIsolate()->GetCurrentContext(); }
#endif

void get_async_context(const Info &info) {
    info.GetReturnValue().Set(holder_of_async_context(info)->GetContinuationPreservedEmbedderData());
}

void set_async_context(const Info &info) {
    holder_of_async_context(info)->SetContinuationPreservedEmbedderData(info[0]);
}

/// The hooks see promises of the tenant's, and only those of contexts that follow them.
void set_promise_hooks(const Info &info) {
    auto init = info[0].As<v8::Function>(), before = info[1].As<v8::Function>(), after = info[2].As<v8::Function>();
    info.GetIsolate()->GetCurrentContext()->SetPromiseHooks(init, before, after, {});
}

using Function = void (*)(const Info &);
constexpr Function functions[] = {
    type_of, promise_details, proxy_details, preview_entries, transfer_array_buffer, utf8_encode, utf8_encode_into,
    utf8_length, utf8_decode, utf8_decode_own, latin1_decode, latin1_encode, is_well_formed, to_well_formed,
    get_async_context, set_async_context, set_promise_hooks,
};

}  // namespace

const char *const engine_function_names[] = {
    "typeOf", "promiseDetails", "proxyDetails", "previewEntries", "transferArrayBuffer", "utf8Encode", "utf8EncodeInto",
    "utf8Length", "utf8Decode", "utf8DecodeOwn", "latin1Decode", "latin1Encode", "isWellFormed", "toWellFormed",
    "getAsyncContext", "setAsyncContext", "setPromiseHooks",
};
const size_t engine_function_count = sizeof functions / sizeof functions[0];

void call_engine_function(uint32_t index, const Info &info) { functions[index](info); }

}  // namespace martlet
