// Workers' modules: JavaScript, text, data, JSON and Wasm; imports between them; code caches.
#include <cstring>

#include "internal.h"

namespace martlet {

namespace {

/// Source text in the host's memory, shared by all isolates of the worker.
class SharedOneByte final : public v8::String::ExternalOneByteStringResource {
 public:
    SharedOneByte(const uint8_t *bytes, size_t length) : bytes_(bytes), length_(length) {}
    const char *data() const override { return reinterpret_cast<const char *>(bytes_); }
    size_t length() const override { return length_; }

 private:
    const uint8_t *bytes_;
    size_t length_;
};

class SharedTwoByte final : public v8::String::ExternalStringResource {
 public:
    SharedTwoByte(const uint16_t *units, size_t length) : units_(units), length_(length) {}
    const uint16_t *data() const override { return units_; }
    size_t length() const override { return length_; }

 private:
    const uint16_t *units_;
    size_t length_;
};

v8::MaybeLocal<v8::String> source_text(v8::Isolate *isolate, const cv8_module *source) {
    if (source->length == 0) return v8::String::Empty(isolate);
    if (source->units) {
        return v8::String::NewExternalTwoByte(isolate, new SharedTwoByte(source->units, source->length));
    }
    return v8::String::NewExternalOneByte(isolate, new SharedOneByte(source->bytes, source->length));
}

Local<v8::Value> type_error(v8::Isolate *isolate, const std::string &message) {
    return v8::Exception::TypeError(text(isolate, message.c_str()));
}

/// "./b.js" seen from "lib/a.js" is "lib/b.js". A bare name stays as it is: bundles may name modules freely.
std::string resolve(const std::string &specifier, const std::string &referrer) {
    bool is_relative = specifier.rfind("./", 0) == 0 || specifier.rfind("../", 0) == 0;
    bool is_rooted = specifier.rfind("/", 0) == 0;
    if (!is_relative && !is_rooted) return specifier;
    std::string path = is_rooted ? specifier : referrer.substr(0, referrer.rfind('/') + 1) + specifier;
    std::vector<std::string> parts;
    for (size_t start = 0; start <= path.size();) {
        size_t end = path.find('/', start);
        if (end == std::string::npos) end = path.size();
        std::string part = path.substr(start, end - start);
        if (part == ".." && !parts.empty()) parts.pop_back();
        else if (!part.empty() && part != "." && part != "..") parts.push_back(part);
        start = end + 1;
    }
    std::string result;
    for (auto &part : parts) result += (result.empty() ? "" : "/") + part;
    return result;
}

LoadedModule *find(cv8_isolate *self, const std::string &name) {
    for (auto &module : self->modules) {
        if (name == module.source->name) return &module;
    }
    return nullptr;
}

v8::ScriptOrigin origin_of(v8::Isolate *isolate, const cv8_module *source) {
    return make_origin(isolate, text(isolate, source->name), source->kind != CV8_MODULE_SCRIPT);
}

std::string utf8(v8::Isolate *isolate, Local<v8::Value> value) {
    v8::String::Utf8Value characters(isolate, value);
    return *characters ? std::string(*characters, static_cast<size_t>(characters.length())) : std::string();
}

// MARK: Modules that are values

v8::MaybeLocal<v8::Value> wasm_module(cv8_isolate *self, LoadedModule *entry) {
    v8::Isolate *isolate = self->isolate;
    Local<v8::WasmModuleObject> module;
    if (entry->source->compiled_wasm) {
        auto *compiled = static_cast<const std::shared_ptr<v8::CompiledWasmModule> *>(entry->source->compiled_wasm);
        if (!v8::WasmModuleObject::FromCompiledModule(isolate, **compiled).ToLocal(&module)) return {};
        return module;
    }
    self->may_compile_wasm = true;
    v8::MemorySpan<const uint8_t> bytes(entry->source->bytes, entry->source->length);
    bool is_compiled = v8::WasmModuleObject::Compile(isolate, bytes).ToLocal(&module);
    self->may_compile_wasm = false;
    if (!is_compiled) return {};
    entry->wasm = std::make_shared<v8::CompiledWasmModule>(module->GetCompiledModule());
    return module;
}

v8::MaybeLocal<v8::Value> value_of(cv8_isolate *self, Local<v8::Context> context, LoadedModule *entry) {
    v8::Isolate *isolate = self->isolate;
    const cv8_module *source = entry->source;
    Local<v8::String> string;
    switch (source->kind) {
        case CV8_MODULE_TEXT:
            if (!source_text(isolate, source).ToLocal(&string)) return {};
            return string;
        case CV8_MODULE_JSON:
            if (!source_text(isolate, source).ToLocal(&string)) return {};
            return v8::JSON::Parse(context, string);
        case CV8_MODULE_DATA: {
            if (!self->allocator->reserve(source->length)) {
                isolate->ThrowException(
                    v8::Exception::RangeError(text(isolate, "A data module is over the worker's memory limit")));
                return {};
            }
            self->allocator->release(source->length);
            auto buffer = v8::ArrayBuffer::New(isolate, source->length);
            std::memcpy(buffer->Data(), source->bytes, source->length);
            return buffer;
        }
        case CV8_MODULE_WASM: return wasm_module(self, entry);
        default: return {};
    }
}

/// V8 forgets an exception that its callback leaves behind while an outer TryCatch looks on without JavaScript in
/// between, and then ends the process because there is none: each callback catches and throws anew.
template <typename T>
v8::MaybeLocal<T> leave_with(v8::TryCatch &failure) {
    // A termination goes on by itself: rethrown, the guest could catch it.
    if (!failure.HasTerminated()) failure.ReThrow();
    return {};
}

/// Throws what was wrong with a module that is no code again, with the module's name before the text.
void name_module(v8::Isolate *isolate, Local<v8::Context> context, const cv8_module *source, v8::TryCatch &failure) {
    bool is_wasm = source->kind == CV8_MODULE_WASM;
    Local<v8::Value> message;
    if (failure.HasTerminated() || (!is_wasm && source->kind != CV8_MODULE_JSON)) return;
    if (!failure.Exception()->IsObject()) return;
    if (!failure.Exception().As<v8::Object>()->Get(context, text(isolate, "message")).ToLocal(&message)) return;
    auto named = text(isolate, (std::string(source->name) + ": " + utf8(isolate, message)).c_str());
    failure.Reset();
    isolate->ThrowException(is_wasm ? v8::Exception::WasmCompileError(named) : v8::Exception::SyntaxError(named));
}

/// The evaluation of a module that is a value: sets its one export, "default".
v8::MaybeLocal<v8::Value> evaluate_value(Local<v8::Context> context, Local<v8::Module> module) {
    v8::Isolate *isolate = context->GetIsolate();
    cv8_isolate *self = isolate_of(isolate);
    for (auto &entry : self->modules) {
        if (entry.module.IsEmpty() || entry.module.Get(isolate) != module) continue;
        v8::TryCatch failure(isolate);
        Local<v8::Value> value;
        if (!value_of(self, context, &entry).ToLocal(&value)) {
            name_module(isolate, context, entry.source, failure);
            return leave_with<v8::Value>(failure);
        }
        if (module->SetSyntheticModuleExport(isolate, text(isolate, "default"), value).IsNothing()) return {};
        auto done = v8::Promise::Resolver::New(context).ToLocalChecked();
        done->Resolve(context, v8::Undefined(isolate)).Check();
        return done->GetPromise();
    }
    return {};
}

// MARK: Compilation and linking

v8::MaybeLocal<v8::Module> compile(cv8_isolate *self, LoadedModule *entry) {
    v8::Isolate *isolate = self->isolate;
    const cv8_module *source = entry->source;
    if (!entry->module.IsEmpty()) return entry->module.Get(isolate);
    if (source->kind != CV8_MODULE_JAVASCRIPT) {
#if V8_MAJOR_VERSION >= 13
        const Local<v8::String> names[] = {text(isolate, "default")};
        v8::MemorySpan<const Local<v8::String>> exports(names, 1);
#else
        std::vector<Local<v8::String>> exports = {text(isolate, "default")};
#endif
        auto name = text(isolate, source->name);
        auto module = v8::Module::CreateSyntheticModule(isolate, name, exports, evaluate_value);
        entry->module.Reset(isolate, module);
        return module;
    }
    Local<v8::String> string;
    if (!source_text(isolate, source).ToLocal(&string)) return {};
    v8::ScriptCompiler::CachedData *cache = nullptr;
    if (source->code_cache) {
        cache = new v8::ScriptCompiler::CachedData(source->code_cache, static_cast<int>(source->code_cache_length));
    }
    auto options = cache ? v8::ScriptCompiler::kConsumeCodeCache : v8::ScriptCompiler::kNoCompileOptions;
    v8::ScriptCompiler::Source unit(string, origin_of(isolate, source), cache);
    Local<v8::Module> module;
    if (!v8::ScriptCompiler::CompileModule(isolate, &unit, options).ToLocal(&module)) return {};
    entry->consumed_cache = cache && !cache->rejected;
    entry->module.Reset(isolate, module);
    return module;
}

/// The evaluation of a module of the runtime's own: its exports are the object's properties.
v8::MaybeLocal<v8::Value> evaluate_builtin(Local<v8::Context> context, Local<v8::Module> module) {
    v8::Isolate *isolate = context->GetIsolate();
    for (auto &builtin : isolate_of(isolate)->builtins) {
        if (builtin.module.Get(isolate) != module) continue;
        auto exports = builtin.exports.Get(isolate);
        auto names = exports->GetOwnPropertyNames(context).ToLocalChecked();
        for (uint32_t i = 0; i < names->Length(); i++) {
            auto name = names->Get(context, i).ToLocalChecked().As<v8::String>();
            auto value = exports->Get(context, name).ToLocalChecked();
            if (module->SetSyntheticModuleExport(isolate, name, value).IsNothing()) return {};
        }
        auto done = v8::Promise::Resolver::New(context).ToLocalChecked();
        done->Resolve(context, v8::Undefined(isolate)).Check();
        return done->GetPromise();
    }
    return {};
}

/// A module of the runtime's own, made on its first import. Empty without an exception if there is none of that name.
v8::MaybeLocal<v8::Module> import_builtin(cv8_isolate *self, const std::string &specifier) {
    v8::Isolate *isolate = self->isolate;
    for (auto &builtin : self->builtins) {
        if (builtin.name == specifier) return builtin.module.Get(isolate);
    }
    // A bundle need not have any.
    if (self->import_builtin.IsEmpty()) return {};
    auto context = isolate->GetCurrentContext();
    Local<v8::Value> name = text(isolate, specifier.c_str()), exports;
    auto import = self->import_builtin.Get(isolate);
    if (!import->Call(context, v8::Undefined(isolate), 1, &name).ToLocal(&exports)) return {};
    if (!exports->IsObject()) return {};
    auto names = exports.As<v8::Object>()->GetOwnPropertyNames(context).ToLocalChecked();
    std::vector<Local<v8::String>> exported;
    for (uint32_t i = 0; i < names->Length(); i++) {
        exported.push_back(names->Get(context, i).ToLocalChecked().As<v8::String>());
    }
    auto module = v8::Module::CreateSyntheticModule(isolate, name.As<v8::String>(), exported, evaluate_builtin);
    auto members = exports.As<v8::Object>();
    self->builtins.push_back(
        {specifier, v8::Global<v8::Module>(isolate, module), v8::Global<v8::Object>(isolate, members)});
    return module;
}

v8::MaybeLocal<v8::Module> compile_import(
    cv8_isolate *self, const std::string &specifier, const std::string &referrer) {
    LoadedModule *entry = find(self, resolve(specifier, referrer));
    if (entry) return compile(self, entry);
    {
        v8::TryCatch failure(self->isolate);
        auto builtin = import_builtin(self, specifier);
        if (!builtin.IsEmpty()) return builtin;
        if (failure.HasCaught()) return leave_with<v8::Module>(failure);
    }
    auto message = "No such module \"" + specifier + "\", imported from \"" + referrer + "\"";
    self->isolate->ThrowException(type_error(self->isolate, message));
    return {};
}

v8::MaybeLocal<v8::Module> on_import(
    Local<v8::Context> context, Local<v8::String> specifier, Local<v8::FixedArray>, Local<v8::Module> referrer) {
    v8::Isolate *isolate = context->GetIsolate();
    cv8_isolate *self = isolate_of(isolate);
    for (auto &entry : self->modules) {
        if (entry.module.IsEmpty() || entry.module.Get(isolate) != referrer) continue;
        v8::TryCatch failure(isolate);
        Local<v8::Module> module;
        if (compile_import(self, utf8(isolate, specifier), entry.source->name).ToLocal(&module)) return module;
        return leave_with<v8::Module>(failure);
    }
    isolate->ThrowException(type_error(isolate, "Import from an unknown module"));
    return {};
}

void give_namespace(const v8::FunctionCallbackInfo<v8::Value> &info) { info.GetReturnValue().Set(info.Data()); }

/// `import()`: only of modules of the bundle.
v8::MaybeLocal<v8::Promise> on_dynamic_import(
    Local<v8::Context> context, Local<v8::Data>, Local<v8::Value> referrer, Local<v8::String> specifier,
    Local<v8::FixedArray>) {
    v8::Isolate *isolate = context->GetIsolate();
    cv8_isolate *self = isolate_of(isolate);
    auto resolver = v8::Promise::Resolver::New(context).ToLocalChecked();
    auto reject = [&](v8::TryCatch &failure) -> v8::MaybeLocal<v8::Promise> {
        // A termination goes on by itself: rethrown, the guest could catch it.
        if (failure.HasTerminated()) return {};
        resolver->Reject(context, failure.Exception()).FromMaybe(false);
        return resolver->GetPromise();
    };
    v8::TryCatch failure(isolate);
    Local<v8::Module> module;
    Local<v8::Value> evaluated;
    auto from = utf8(isolate, referrer);
    if (!compile_import(self, utf8(isolate, specifier), from).ToLocal(&module)) return reject(failure);
    if (module->InstantiateModule(context, on_import).IsNothing()) return reject(failure);
    if (!module->Evaluate(context).ToLocal(&evaluated)) return reject(failure);
    Local<v8::Function> then;
    auto exports = module->GetModuleNamespace();
    if (!v8::Function::New(context, give_namespace, exports).ToLocal(&then)) return reject(failure);
    Local<v8::Promise> result;
    if (!evaluated.As<v8::Promise>()->Then(context, then).ToLocal(&result)) return reject(failure);
    return result;
}

void on_import_meta(Local<v8::Context> context, Local<v8::Module> module, Local<v8::Object> meta) {
    v8::Isolate *isolate = context->GetIsolate();
    for (auto &entry : isolate_of(isolate)->modules) {
        if (entry.module.IsEmpty() || entry.module.Get(isolate) != module) continue;
        auto url = std::string("file:///") + entry.source->name;
        (void)meta->CreateDataProperty(context, text(isolate, "url"), text(isolate, url.c_str()));
        auto is_main = v8::Boolean::New(isolate, &entry == &isolate_of(isolate)->modules[0]);
        (void)meta->CreateDataProperty(context, text(isolate, "main"), is_main);
    }
}

// MARK: Loading a worker

struct Load {
    const cv8_module *modules;
    size_t count;
    uint32_t loaded_entry;
};

bool report_loaded(cv8_isolate *self, Local<v8::Context> context, uint32_t entry, Local<v8::Value> exports) {
    auto loaded = self->entries[entry].Get(self->isolate);
    return !loaded->Call(context, v8::Undefined(self->isolate), 1, &exports).IsEmpty();
}

bool run_script(cv8_isolate *self, Local<v8::Context> context, LoadedModule *entry) {
    v8::Isolate *isolate = self->isolate;
    Local<v8::String> string;
    Local<v8::Script> script;
    if (!source_text(isolate, entry->source).ToLocal(&string)) return false;
    v8::ScriptCompiler::CachedData *cache = nullptr;
    if (entry->source->code_cache) {
        cache = new v8::ScriptCompiler::CachedData(
            entry->source->code_cache, static_cast<int>(entry->source->code_cache_length));
    }
    v8::ScriptCompiler::Source unit(string, origin_of(isolate, entry->source), cache);
    auto options = cache ? v8::ScriptCompiler::kConsumeCodeCache : v8::ScriptCompiler::kNoCompileOptions;
    if (!v8::ScriptCompiler::Compile(context, &unit, options).ToLocal(&script)) return false;
    entry->script.Reset(isolate, script->GetUnboundScript());
    return !script->Run(context).IsEmpty();
}

/// Whoever loads the worker says why it cannot start: nobody needs to be told that the promise was rejected.
void ignore_rejection(v8::Isolate *isolate, Local<v8::Context> context, Local<v8::Promise> promise) {
    if (promise->State() != v8::Promise::kRejected) return;
    v8::TryCatch failure(isolate);
    Local<v8::Function> nothing;
    auto ignore = [](const v8::FunctionCallbackInfo<v8::Value> &) {};
    if (v8::Function::New(context, ignore).ToLocal(&nothing)) (void)promise->Then(context, nothing, nothing);
}

bool run_module(cv8_isolate *self, Local<v8::Context> context, LoadedModule *entry) {
    v8::Isolate *isolate = self->isolate;
    Local<v8::Module> module;
    Local<v8::Value> value;
    if (!compile(self, entry).ToLocal(&module)) return false;
    if (module->InstantiateModule(context, on_import).IsNothing()) return false;
    if (!module->Evaluate(context).ToLocal(&value)) return false;
    auto evaluated = value.As<v8::Promise>();
    if (evaluated->State() == v8::Promise::kPending) isolate->PerformMicrotaskCheckpoint();
    if (isolate->IsExecutionTerminating()) return false;
    if (evaluated->State() == v8::Promise::kFulfilled) return true;
    ignore_rejection(isolate, context, evaluated);
    isolate->ThrowException(
        evaluated->State() == v8::Promise::kRejected
            ? evaluated->Result()
            : v8::Exception::Error(text(
                isolate, "Top-level await in the worker never settles: there is no I/O in global scope to wait for")));
    return false;
}

bool load(cv8_isolate *self, Local<v8::Context> context, void *data) {
    auto *load = static_cast<Load *>(data);
    current_thread->arena.rewind({0, 0});
    self->sources.assign(load->modules, load->modules + load->count);
    self->modules.resize(load->count);
    for (size_t i = 0; i < load->count; i++) self->modules[i].source = &self->sources[i];
    LoadedModule *main = &self->modules[0];
    if (main->source->kind == CV8_MODULE_SCRIPT) {
        return run_script(self, context, main)
            && report_loaded(self, context, load->loaded_entry, v8::Undefined(self->isolate));
    }
    if (!run_module(self, context, main)) return false;
    return report_loaded(self, context, load->loaded_entry, main->module.Get(self->isolate)->GetModuleNamespace());
}

struct Precompilation {
    const cv8_module *module;
    v8::ScriptCompiler::CachedData *cache;
};

bool precompile(cv8_isolate *self, Local<v8::Context>, void *data) {
    auto *request = static_cast<Precompilation *>(data);
    v8::Isolate *isolate = self->isolate;
    Local<v8::String> string;
    if (!source_text(isolate, request->module).ToLocal(&string)) return false;
    v8::ScriptCompiler::Source unit(string, origin_of(isolate, request->module));
    Local<v8::Module> module;
    if (!v8::ScriptCompiler::CompileModule(isolate, &unit).ToLocal(&module)) return false;
    request->cache = v8::ScriptCompiler::CreateCodeCache(module->GetUnboundModuleScript());
    return true;
}

struct CacheRequest {
    size_t module;
    v8::ScriptCompiler::CachedData *cache;
};

bool make_cache(cv8_isolate *self, Local<v8::Context>, void *data) {
    auto *request = static_cast<CacheRequest *>(data);
    LoadedModule *entry = &self->modules[request->module];
    if (!entry->script.IsEmpty()) {
        request->cache = v8::ScriptCompiler::CreateCodeCache(entry->script.Get(self->isolate));
    } else if (entry->source->kind == CV8_MODULE_JAVASCRIPT && !entry->module.IsEmpty()) {
        auto module = entry->module.Get(self->isolate);
        request->cache = v8::ScriptCompiler::CreateCodeCache(module->GetUnboundModuleScript());
    }
    return true;
}

}  // namespace

void install_module_callbacks(v8::Isolate *isolate) {
    isolate->SetHostImportModuleDynamicallyCallback(on_dynamic_import);
    isolate->SetHostInitializeImportMetaObjectCallback(on_import_meta);
}

}  // namespace martlet

using namespace martlet;

cv8_status cv8_isolate_load(
    cv8_isolate *self, const cv8_module *modules, size_t count, uint32_t loaded_entry, cv8_error *error) {
    Load arguments = {modules, count, loaded_entry};
    return enter(self, error, load, &arguments, Afterwards::drain);
}

static void hand_over(v8::ScriptCompiler::CachedData *cache, cv8_code_cache *result) {
    *result = {nullptr, 0};
    if (!cache) return;
    result->length = static_cast<size_t>(cache->length);
    result->bytes = static_cast<uint8_t *>(std::malloc(result->length));
    if (result->bytes) std::memcpy(result->bytes, cache->data, result->length);
    delete cache;
}

cv8_status cv8_isolate_precompile(
    cv8_isolate *self, const cv8_module *module, cv8_code_cache *cache, cv8_error *error) {
    Precompilation request = {module, nullptr};
    cv8_status status = enter(self, error, precompile, &request, Afterwards::leave);
    hand_over(request.cache, cache);
    return status;
}

cv8_status cv8_isolate_code_cache(cv8_isolate *self, size_t module, cv8_code_cache *cache, cv8_error *error) {
    CacheRequest request = {module, nullptr};
    cv8_status status = enter(self, error, make_cache, &request, Afterwards::leave);
    hand_over(request.cache, cache);
    return status;
}

void *cv8_isolate_compiled_wasm(cv8_isolate *self, size_t module) {
    auto &wasm = self->modules[module].wasm;
    return wasm ? new std::shared_ptr<v8::CompiledWasmModule>(wasm) : nullptr;
}

void cv8_compiled_wasm_free(void *compiled) { delete static_cast<std::shared_ptr<v8::CompiledWasmModule> *>(compiled); }
