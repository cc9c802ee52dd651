// The modules that Workers have and the web platform does not; a part of bundle.c.

static const char core_asyncContext[] = {
#embed "../WebAPI/Core/js/asyncContext.js"
};
static const char workers_compatibility[] = {
#embed "../WebAPI/Workers/js/compatibility.js"
};
static const char workers_environment[] = {
#embed "../WebAPI/Workers/js/environment.js"
};
static const char workers_kv[] = {
#embed "../WebAPI/Workers/js/kv.js"
};
static const char workers_fetcher[] = {
#embed "../WebAPI/Workers/js/fetcher.js"
};
static const char workers_rateLimit[] = {
#embed "../WebAPI/Workers/js/rateLimit.js"
};
static const char html_serialization[] = {
#embed "../WebAPI/HTML/js/serialization.js"
};
static const char workers_rpc[] = {
#embed "../WebAPI/Workers/js/rpc.js"
};
static const char workers_entrypoints[] = {
#embed "../WebAPI/Workers/js/entrypoints.js"
};
static const char workers_entrypoint[] = {
#embed "../WebAPI/Workers/js/entrypoint.js"
};
static const char workers_builtins[] = {
#embed "../WebAPI/Workers/js/builtins.js"
};
static const char workers_rejections[] = {
#embed "../WebAPI/Workers/js/rejections.js"
};
static const char workers_context[] = {
#embed "../WebAPI/Workers/js/context.js"
};
static const char workers_fetchEvent[] = {
#embed "../WebAPI/Workers/js/fetchEvent.js"
};
static const char workers_scheduled[] = {
#embed "../WebAPI/Workers/js/scheduled.js"
};
static const char workers_dispatch[] = {
#embed "../WebAPI/Workers/js/dispatch.js"
};
static const char node_errors[] = {
#embed "../WebAPI/Node/js/errors.js"
};
static const char node_asyncHooks[] = {
#embed "../WebAPI/Node/js/asyncHooks.js"
};
static const char node_bytes[] = {
#embed "../WebAPI/Node/js/bytes.js"
};
static const char node_encodings[] = {
#embed "../WebAPI/Node/js/encodings.js"
};
static const char node_bufferNumbers[] = {
#embed "../WebAPI/Node/js/bufferNumbers.js"
};
static const char node_bufferSearch[] = {
#embed "../WebAPI/Node/js/bufferSearch.js"
};
static const char node_buffer[] = {
#embed "../WebAPI/Node/js/buffer.js"
};

static const char cache_cache[] = {
#embed "../WebAPI/Cache/js/cache.js"
};

#define WORKERS_MODULES \
    MODULE("Workers/rejections", eager, workers_rejections), \
    MODULE("Workers/context", eager, workers_context), \
    MODULE("Workers/fetchEvent", eager, workers_fetchEvent), \
    MODULE("Workers/environment", eager, workers_environment), \
    MODULE("Workers/kv", lazy, workers_kv), \
    MODULE("Workers/fetcher", lazy, workers_fetcher), \
    MODULE("Workers/rateLimit", lazy, workers_rateLimit), \
    MODULE("HTML/serialization", lazy, html_serialization), \
    MODULE("Workers/rpc", lazy, workers_rpc), \
    MODULE("Workers/entrypoint", lazy, workers_entrypoint), \
    MODULE("Workers/entrypoints", lazy, workers_entrypoints), \
    MODULE("Workers/builtins", eager, workers_builtins), \
    MODULE("Workers/scheduled", lazy, workers_scheduled), \
    MODULE("Workers/dispatch", eager, workers_dispatch), \
    MODULE("Cache/cache", lazy, cache_cache), \
    MODULE("Node/errors", lazy, node_errors), \
    MODULE("Node/asyncHooks", lazy, node_asyncHooks), \
    MODULE("Node/bytes", lazy, node_bytes), \
    MODULE("Node/encodings", lazy, node_encodings), \
    MODULE("Node/bufferNumbers", lazy, node_bufferNumbers), \
    MODULE("Node/bufferSearch", lazy, node_bufferSearch), \
    MODULE("Node/buffer", lazy, node_buffer)
