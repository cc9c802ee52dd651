// The start-up snapshot: the bundle evaluated once, warmed by a request, and kept with its compiled functions.
#include <cstring>

#include "internal.h"

using namespace martlet;

namespace {

Local<v8::Object> make_ops(
    v8::Isolate *isolate, Local<v8::Context> context, const char *const *names, size_t count, uint32_t first) {
    auto table = v8::Object::New(isolate);
    table->SetPrototype(context, v8::Null(isolate)).Check();
    for (size_t i = 0; i < count; i++) {
        auto index = v8::Integer::NewFromUnsigned(isolate, first + static_cast<uint32_t>(i));
        auto function = v8::FunctionTemplate::New(
                            isolate, op_callback, index, Local<v8::Signature>(), 0, v8::ConstructorBehavior::kThrow)
                            ->GetFunction(context)
                            .ToLocalChecked();
        auto name = text(isolate, names[i]);
        function->SetName(name);
        table->CreateDataProperty(context, name, function).Check();
    }
    return table;
}

/// Evaluates the bundle: `(ops, engine) => entries`.
bool evaluate(
    v8::Isolate *isolate, Local<v8::Context> context, const cv8_bundle *bundle, Local<v8::Object> *entries) {
    auto source = v8::String::NewExternalOneByte(isolate, bundle_resource()).ToLocalChecked();
    auto origin = make_origin(isolate, text(isolate, "martlet:runtime"), false);
    v8::ScriptCompiler::Source unit(source, origin);
    Local<v8::Script> script;
    Local<v8::Value> function, result;
    if (!v8::ScriptCompiler::Compile(context, &unit).ToLocal(&script)) return false;
    if (!script->Run(context).ToLocal(&function)) return false;
    Local<v8::Value> arguments[] = {
        make_ops(isolate, context, bundle->op_names, bundle->op_count, 0),
        make_ops(isolate, context, engine_function_names, engine_function_count, first_engine_function),
    };
    auto undefined = v8::Undefined(isolate);
    if (!function.As<v8::Function>()->Call(context, undefined, 2, arguments).ToLocal(&result)) return false;
    *entries = result.As<v8::Object>();
    return true;
}

/// The entries in the host's order, then the bridge's own; a missing one is undefined in the array.
Local<v8::Array> entry_list(
    v8::Isolate *isolate, Local<v8::Context> context, const cv8_bundle *bundle, Local<v8::Object> entries) {
    static const char *const own[] = {"makeDOMException", "promiseRejected", "settleRejections", "importBuiltin"};
    auto list = v8::Array::New(isolate);
    uint32_t next = 0;
    auto add = [&](const char *name) {
        auto function = entries->Get(context, text(isolate, name)).ToLocalChecked();
        list->CreateDataProperty(context, next++, function).Check();
    };
    for (size_t i = 0; i < bundle->entry_count; i++) add(bundle->entry_names[i]);
    for (const char *name : own) add(name);
    return list;
}

bool warm_up(cv8_isolate *self, Local<v8::Context> context, const cv8_bundle *bundle) {
    if (bundle->warm_up_entry < 0) return true;
    v8::Isolate *isolate = self->isolate;
    auto entry = self->entries[static_cast<size_t>(bundle->warm_up_entry)].Get(isolate);
    if (entry->Call(context, v8::Undefined(isolate), 0, nullptr).IsEmpty()) return false;
    isolate->PerformMicrotaskCheckpoint();
    return true;
}

}  // namespace

cv8_snapshot *cv8_snapshot_create(const cv8_bundle *bundle, cv8_error *error) {
    std::memset(error, 0, sizeof *error);
    error->message = error->stack = error->resource = error->source_line = "";
    set_bundle(bundle->source, bundle->source_length);
    auto *snapshot = new cv8_snapshot;
    snapshot->entry_count = bundle->entry_count;
    snapshot->external_references = {
        reinterpret_cast<intptr_t>(op_callback), reinterpret_cast<intptr_t>(bundle_resource()), 0};
    v8::SnapshotCreator creator(snapshot->external_references.data());
    v8::Isolate *isolate = creator.GetIsolate();
    cv8_isolate self;
    self.isolate = isolate;
    self.host = bundle->host;
    self.allocator = std::make_shared<CountingAllocator>();
    self.allocator->limit = SIZE_MAX;
    bool is_good = false;
    {
        v8::HandleScope scope(isolate);
        configure(&self);
        auto context = v8::Context::New(isolate);
        v8::Context::Scope in_context(context);
        v8::TryCatch failure(isolate);
        Local<v8::Object> entries;
        if (evaluate(isolate, context, bundle, &entries)) {
            auto list = entry_list(isolate, context, bundle, entries);
            is_good = adopt_entries(&self, context, list, bundle->entry_count) && warm_up(&self, context, bundle);
            creator.AddData(context, list);
        }
        if (!is_good) describe(isolate, context, failure, error);
        for (auto &entry : self.entries) entry.Reset();
        self.make_exception.Reset();
        self.promise_rejected.Reset();
        self.settle_rejections.Reset();
        self.import_builtin.Reset();
        self.context.Reset();
        isolate->SetPromiseRejectCallback(nullptr);
        creator.SetDefaultContext(context);
    }
    snapshot->blob = creator.CreateBlob(v8::SnapshotCreator::FunctionCodeHandling::kKeep);
    if (is_good) return snapshot;
    delete[] snapshot->blob.data;
    delete snapshot;
    return nullptr;
}

size_t cv8_snapshot_size(const cv8_snapshot *snapshot) { return static_cast<size_t>(snapshot->blob.raw_size); }
