// Flat values: from V8's and back.
#include <cstring>
#include <utility>

#include "internal.h"

namespace martlet {

namespace {

constexpr uint32_t longest_list = 256;

/// Strings below this are not asked whether there is room for them.
constexpr size_t always_flattened = 64 * 1024;

/// The copy of a long string counts against the limit like all else: else `"x".repeat(2 ** 29)`, which is small until
/// it is read, would take hundreds of megabytes here.
void require_room(v8::Isolate *isolate, size_t bytes) {
    if (bytes < always_flattened) return;
    cv8_isolate *self = isolate_of(isolate);
    size_t used = cv8_isolate_memory_estimate(self) + current_thread->arena.large_bytes();
    if (used + bytes > self->allocator->limit) {
        jump_out(current_thread, CV8_CAUSE_MEMORY, "Out of memory for a string on its way out of JavaScript");
    }
}

void flatten_string(v8::Isolate *isolate, Local<v8::String> string, cv8_value *result) {
    int length = string->Length();
    result->length = static_cast<size_t>(length);
    if (string->IsExternalOneByte()) {
        // Where it is, it stays: the op's arguments keep it alive.
        result->kind = CV8_LATIN1;
        result->latin1 = reinterpret_cast<const uint8_t *>(string->GetExternalOneByteStringResource()->data());
        return;
    }
    require_room(isolate, string->IsOneByte() ? result->length : 2 * result->length);
    if (string->IsOneByte()) {
        auto *units = static_cast<uint8_t *>(current_thread->arena.allocate(result->length));
        string->WriteOneByte(isolate, units, 0, length, v8::String::NO_NULL_TERMINATION);
        result->kind = CV8_LATIN1;
        result->latin1 = units;
        return;
    }
    auto *units = static_cast<uint16_t *>(current_thread->arena.allocate(2 * result->length));
    string->Write(isolate, units, 0, length, v8::String::NO_NULL_TERMINATION);
    result->kind = CV8_UTF16;
    result->utf16 = units;
}

/// A view may still lie in V8's heap, where a collection could move it: asking for its buffer moves it out for good.
void flatten_view(Local<v8::ArrayBufferView> view, cv8_value *result) {
    result->kind = CV8_BYTES;
    result->length = view->ByteLength();
    result->bytes = static_cast<uint8_t *>(view->Buffer()->Data()) + view->ByteOffset();
}

void flatten_buffer(Local<v8::ArrayBuffer> buffer, cv8_value *result) {
    result->kind = CV8_BYTES;
    result->length = buffer->ByteLength();
    result->bytes = static_cast<uint8_t *>(buffer->Data());
}

void free_owned_bytes(void *data, size_t length, void *context) {
    auto *allocator = static_cast<std::shared_ptr<CountingAllocator> *>(context);
    (*allocator)->Free(data, length);
    delete allocator;
}

Local<v8::Value> own_bytes(cv8_isolate *self, const cv8_value &value) {
    auto store = v8::ArrayBuffer::NewBackingStore(
        value.bytes, value.length, free_owned_bytes, new std::shared_ptr<CountingAllocator>(self->allocator));
    return v8::Uint8Array::New(v8::ArrayBuffer::New(self->isolate, std::move(store)), 0, value.length);
}

Local<v8::Value> copy_bytes(cv8_isolate *self, const cv8_value &value) {
    cv8_value owned = value;
    owned.bytes = static_cast<uint8_t *>(self->allocator->AllocateUninitialized(value.length));
    if (!owned.bytes) {
        auto message = text(self->isolate, "The bytes are over the worker's memory limit");
        self->isolate->ThrowException(v8::Exception::RangeError(message));
        return Local<v8::Value>();
    }
    std::memcpy(owned.bytes, value.bytes, value.length);
    return own_bytes(self, owned);
}

Local<v8::Value> unflatten_string(cv8_isolate *self, v8::MaybeLocal<v8::String> string) {
    Local<v8::String> result;
    if (string.ToLocal(&result)) return result;
    // Longer than V8's strings may be: an empty handle leaves the exception V8 threw.
    return Local<v8::Value>();
}

}  // namespace

void flatten(v8::Isolate *isolate, Local<v8::Value> value, cv8_value *result) {
    result->length = 0;
    if (value->IsString()) return flatten_string(isolate, value.As<v8::String>(), result);
    if (value->IsNumber()) {
        result->kind = CV8_NUMBER;
        result->number = value.As<v8::Number>()->Value();
    } else if (value->IsUndefined()) {
        result->kind = CV8_UNDEFINED;
    } else if (value->IsNull()) {
        result->kind = CV8_NULL;
    } else if (value->IsBoolean()) {
        result->kind = value->IsTrue() ? CV8_TRUE : CV8_FALSE;
    } else if (value->IsArrayBufferView()) {
        flatten_view(value.As<v8::ArrayBufferView>(), result);
    } else if (value->IsArrayBuffer()) {
        flatten_buffer(value.As<v8::ArrayBuffer>(), result);
    } else {
        result->kind = CV8_OPAQUE;
    }
}

Local<v8::Value> make_exception(
    cv8_isolate *self, Local<v8::Context> context, const std::string &name, Local<v8::String> message) {
    if (name == "TypeError") return v8::Exception::TypeError(message);
    if (name == "RangeError") return v8::Exception::RangeError(message);
    if (name == "SyntaxError") return v8::Exception::SyntaxError(message);
    if (name == "Error" || self->make_exception.IsEmpty()) return v8::Exception::Error(message);
    Local<v8::Value> arguments[] = {message, text(self->isolate, name.c_str())};
    Local<v8::Value> exception;
    auto make = self->make_exception.Get(self->isolate);
    if (make->Call(context, v8::Undefined(self->isolate), 2, arguments).ToLocal(&exception)) return exception;
    return v8::Exception::Error(message);
}

Local<v8::Value> unflatten(cv8_isolate *self, Local<v8::Context> context, const cv8_value &value) {
    v8::Isolate *isolate = self->isolate;
    int length = static_cast<int>(value.length);
    switch (value.kind) {
        case CV8_NULL: return v8::Null(isolate);
        case CV8_FALSE: return v8::False(isolate);
        case CV8_TRUE: return v8::True(isolate);
        case CV8_NUMBER: return v8::Number::New(isolate, value.number);
        case CV8_LATIN1:
            return unflatten_string(
                self, v8::String::NewFromOneByte(isolate, value.latin1, v8::NewStringType::kNormal, length));
        case CV8_NAME:
            return unflatten_string(
                self, v8::String::NewFromOneByte(isolate, value.latin1, v8::NewStringType::kInternalized, length));
        case CV8_UTF8:
            return unflatten_string(
                self, v8::String::NewFromUtf8(
                          isolate, reinterpret_cast<const char *>(value.latin1), v8::NewStringType::kNormal, length));
        case CV8_UTF16:
            return unflatten_string(
                self, v8::String::NewFromTwoByte(isolate, value.utf16, v8::NewStringType::kNormal, length));
        case CV8_BYTES: return copy_bytes(self, value);
        case CV8_OWNED_BYTES: return own_bytes(self, value);
        case CV8_LIST: {
            auto list = v8::Array::New(isolate, length);
            for (int i = 0; i < length; i++) {
                Local<v8::Value> element = unflatten(self, context, value.list[i]);
                if (element.IsEmpty()) return element;
                list->CreateDataProperty(context, static_cast<uint32_t>(i), element).Check();
            }
            return list;
        }
        case CV8_THROW: {
            Local<v8::Value> name = unflatten(self, context, value.list[0]);
            Local<v8::Value> message = unflatten(self, context, value.list[1]);
            return make_exception(self, context, *v8::String::Utf8Value(isolate, name), message.As<v8::String>());
        }
        default: return v8::Undefined(isolate);
    }
}

/// One level of list: elements are read by index from an array the runtime's own JavaScript made.
static void flatten_argument(
    v8::Isolate *isolate, Local<v8::Context> context, Local<v8::Value> value, cv8_value *result) {
    if (!value->IsArray()) return flatten(isolate, value, result);
    auto array = value.As<v8::Array>();
    uint32_t length = array->Length() < longest_list ? array->Length() : longest_list;
    auto *elements = static_cast<cv8_value *>(current_thread->arena.allocate(length * sizeof(cv8_value)));
    for (uint32_t i = 0; i < length; i++) {
        Local<v8::Value> element;
        if (!array->Get(context, i).ToLocal(&element)) element = v8::Undefined(isolate);
        flatten(isolate, element, &elements[i]);
    }
    result->kind = CV8_LIST;
    result->length = length;
    result->list = elements;
}

void op_callback(const v8::FunctionCallbackInfo<v8::Value> &info) {
    uint32_t index = info.Data().As<v8::Uint32>()->Value();
    if (index >= first_engine_function) return call_engine_function(index - first_engine_function, info);
    constexpr int most_arguments = 12;
    v8::Isolate *isolate = info.GetIsolate();
    cv8_isolate *self = isolate_of(isolate);
    Thread *thread = current_thread;
    Local<v8::Context> context = isolate->GetCurrentContext();
    auto mark = thread->arena.mark();
    cv8_value arguments[most_arguments];
    int count = info.Length() < most_arguments ? info.Length() : most_arguments;
    for (int i = 0; i < count; i++) flatten_argument(isolate, context, info[i], &arguments[i]);
    cv8_value result = {CV8_UNDEFINED, 0, {0}};
    // Ops run while the start-up snapshot is made too, where there is no place to jump to.
    const auto was_in_javascript = thread->in_javascript;
    thread->in_javascript = 0;
    call_op(self->host, index, arguments, static_cast<size_t>(count), &result);
    thread->in_javascript = was_in_javascript;
    Local<v8::Value> value = unflatten(self, context, result);
    thread->arena.rewind(mark);
    if (int64_t change = std::exchange(self->external_change, 0)) {
        isolate->AdjustAmountOfExternalAllocatedMemory(change);
    }
    if (value.IsEmpty()) return;
    if (result.kind == CV8_THROW) isolate->ThrowException(value);
    else info.GetReturnValue().Set(value);
}

const char *arena_copy(v8::Isolate *isolate, Local<v8::Value> value) {
    Local<v8::String> string;
    if (value.IsEmpty() || !value->IsString()) return "";
    string = value.As<v8::String>();
    // Long texts are cut: nobody reads a megabyte of error message.
    constexpr int longest = 16 * 1024;
    int length = string->Length() < longest ? string->Length() : longest;
    auto *bytes = static_cast<char *>(current_thread->arena.allocate(static_cast<size_t>(length) * 3 + 1));
    int written = string->WriteUtf8(
        isolate, bytes, length * 3, nullptr, v8::String::NO_NULL_TERMINATION | v8::String::REPLACE_INVALID_UTF8);
    bytes[written] = 0;
    return bytes;
}

void describe(v8::Isolate *isolate, Local<v8::Context> context, v8::TryCatch &failure, cv8_error *error) {
    Local<v8::Message> message = failure.Message();
    if (!message.IsEmpty()) {
        error->message = arena_copy(isolate, message->Get());
        error->resource = arena_copy(isolate, message->GetScriptResourceName());
        Local<v8::String> line;
        if (message->GetSourceLine(context).ToLocal(&line)) error->source_line = arena_copy(isolate, line);
        error->line = message->GetLineNumber(context).FromMaybe(0);
        error->column = message->GetStartColumn(context).FromMaybe(-1) + 1;
    }
    Local<v8::Value> stack;
    if (failure.StackTrace(context).ToLocal(&stack)) error->stack = arena_copy(isolate, stack);
}

}  // namespace martlet
