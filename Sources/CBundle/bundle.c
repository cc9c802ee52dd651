// The runtime's JavaScript, embedded by the compiler (C23 #embed), and the order in which it is evaluated.
// A file of WebAPI appears twice, here or in a header beside: its bytes, and its row in the table.
#include "CBundle.h"
static const char core_loader[] = {
#embed "../WebAPI/Core/js/loader.js"
};
static const char core_primordials[] = {
#embed "../WebAPI/Core/js/primordials.js"
};
static const char core_tickets[] = {
#embed "../WebAPI/Core/js/tickets.js"
};
static const char core_scope[] = {
#embed "../WebAPI/Core/js/scope.js"
};
static const char core_records[] = {
#embed "../WebAPI/Core/js/records.js"
};
static const char core_regexp[] = {
#embed "../WebAPI/Core/js/regexp.js"
};
static const char ecmascript_abstract[] = {
#embed "../WebAPI/ECMAScript/js/abstract.js"
};
static const char ecmascript_arrays[] = {
#embed "../WebAPI/ECMAScript/js/arrays.js"
};
static const char ecmascript_asyncArrays[] = {
#embed "../WebAPI/ECMAScript/js/asyncArrays.js"
};
static const char ecmascript_base64[] = {
#embed "../WebAPI/ECMAScript/js/base64.js"
};
static const char ecmascript_buffers[] = {
#embed "../WebAPI/ECMAScript/js/buffers.js"
};
static const char ecmascript_grouping[] = {
#embed "../WebAPI/ECMAScript/js/grouping.js"
};
static const char ecmascript_iterators[] = {
#embed "../WebAPI/ECMAScript/js/iterators.js"
};
static const char ecmascript_promises[] = {
#embed "../WebAPI/ECMAScript/js/promises.js"
};
static const char ecmascript_sets[] = {
#embed "../WebAPI/ECMAScript/js/sets.js"
};
static const char ecmascript_strings[] = {
#embed "../WebAPI/ECMAScript/js/strings.js"
};
static const char ecmascript_symbols[] = {
#embed "../WebAPI/ECMAScript/js/symbols.js"
};
static const char webidl_webidl[] = {
#embed "../WebAPI/WebIDL/js/webidl.js"
};
static const char webidl_bufferSource[] = {
#embed "../WebAPI/WebIDL/js/bufferSource.js"
};
static const char console_console[] = {
#embed "../WebAPI/Console/js/console.js"
};
static const char console_layout[] = {
#embed "../WebAPI/Console/js/layout.js"
};
static const char console_inspect[] = {
#embed "../WebAPI/Console/js/inspect.js"
};
static const char console_format[] = {
#embed "../WebAPI/Console/js/format.js"
};
static const char console_table[] = {
#embed "../WebAPI/Console/js/table.js"
};
static const char url_percentEncoding[] = {
#embed "../WebAPI/URL/js/percentEncoding.js"
};
static const char url_host[] = {
#embed "../WebAPI/URL/js/host.js"
};
static const char url_record[] = {
#embed "../WebAPI/URL/js/record.js"
};
static const char url_parser[] = {
#embed "../WebAPI/URL/js/parser.js"
};
static const char url_formURLEncoded[] = {
#embed "../WebAPI/URL/js/formURLEncoded.js"
};
static const char url_urlSearchParams[] = {
#embed "../WebAPI/URL/js/urlSearchParams.js"
};
static const char url_url[] = {
#embed "../WebAPI/URL/js/url.js"
};
static const char urlpattern_tokenizer[] = {
#embed "../WebAPI/URLPattern/js/tokenizer.js"
};
static const char urlpattern_unicodeSets[] = {
#embed "../WebAPI/URLPattern/js/unicodeSets.js"
};
static const char urlpattern_parts[] = {
#embed "../WebAPI/URLPattern/js/parts.js"
};
static const char urlpattern_constructorString[] = {
#embed "../WebAPI/URLPattern/js/constructorString.js"
};
static const char urlpattern_canonicalize[] = {
#embed "../WebAPI/URLPattern/js/canonicalize.js"
};
static const char urlpattern_urlPattern[] = {
#embed "../WebAPI/URLPattern/js/urlPattern.js"
};
static const char encoding_encoding[] = {
#embed "../WebAPI/Encoding/js/encoding.js"
};
static const char encoding_labels[] = {
#embed "../WebAPI/Encoding/js/labels.js"
};
static const char encoding_legacy[] = {
#embed "../WebAPI/Encoding/js/legacy.js"
};
static const char dom_exception[] = {
#embed "../WebAPI/DOM/js/exception.js"
};
static const char dom_event[] = {
#embed "../WebAPI/DOM/js/event.js"
};
static const char dom_target[] = {
#embed "../WebAPI/DOM/js/target.js"
};
static const char dom_abort[] = {
#embed "../WebAPI/DOM/js/abort.js"
};
static const char html_report[] = {
#embed "../WebAPI/HTML/js/report.js"
};
static const char html_serializable[] = {
#embed "../WebAPI/HTML/js/serializable.js"
};
static const char fileapi_blob[] = {
#embed "../WebAPI/FileAPI/js/blob.js"
};
static const char xhr_formdata[] = {
#embed "../WebAPI/XHR/js/formdata.js"
};
static const char fetch_headers[] = {
#embed "../WebAPI/Fetch/js/headers.js"
};
static const char html_timers[] = {
#embed "../WebAPI/HTML/js/timers.js"
};
static const char html_global[] = {
#embed "../WebAPI/HTML/js/global.js"
};
static const char hrtime_performance[] = {
#embed "../WebAPI/HRTime/js/performance.js"
};
static const char hrtime_timeline[] = {
#embed "../WebAPI/HRTime/js/timeline.js"
};
static const char html_events[] = {
#embed "../WebAPI/HTML/js/events.js"
};
static const char html_structuredClone[] = {
#embed "../WebAPI/HTML/js/structuredClone.js"
};
static const char html_messaging[] = {
#embed "../WebAPI/HTML/js/messaging.js"
};
static const char html_eventSource[] = {
#embed "../WebAPI/HTML/js/eventSource.js"
};
static const char websockets_webSocket[] = {
#embed "../WebAPI/WebSockets/js/webSocket.js"
};
static const char websockets_connection[] = {
#embed "../WebAPI/WebSockets/js/connection.js"
};
static const char html_navigator[] = {
#embed "../WebAPI/HTML/js/navigator.js"
};
static const char html_base64[] = {
#embed "../WebAPI/HTML/js/base64.js"
};
static const char crypto_crypto[] = {
#embed "../WebAPI/Crypto/js/crypto.js"
};
static const char streams_promises[] = {
#embed "../WebAPI/Streams/js/promises.js"
};
static const char streams_queue[] = {
#embed "../WebAPI/Streams/js/queue.js"
};
static const char streams_strategies[] = {
#embed "../WebAPI/Streams/js/strategies.js"
};
static const char streams_readable[] = {
#embed "../WebAPI/Streams/js/readable.js"
};
static const char streams_readers[] = {
#embed "../WebAPI/Streams/js/readers.js"
};
static const char streams_readableObjects[] = {
#embed "../WebAPI/Streams/js/readableObjects.js"
};
static const char streams_writable[] = {
#embed "../WebAPI/Streams/js/writable.js"
};
static const char streams_writableObjects[] = {
#embed "../WebAPI/Streams/js/writableObjects.js"
};
static const char streams_transform[] = {
#embed "../WebAPI/Streams/js/transform.js"
};
static const char streams_transformObjects[] = {
#embed "../WebAPI/Streams/js/transformObjects.js"
};
static const char fetch_settings[] = {
#embed "../WebAPI/Fetch/js/settings.js"
};
static const char fileapi_blobURL[] = {
#embed "../WebAPI/FileAPI/js/blobURL.js"
};
static const char fetch_requestInit[] = {
#embed "../WebAPI/Fetch/js/requestInit.js"
};
static const char fetch_body[] = {
#embed "../WebAPI/Fetch/js/body.js"
};
static const char fetch_bodyMixin[] = {
#embed "../WebAPI/Fetch/js/bodyMixin.js"
};
static const char fetch_response[] = {
#embed "../WebAPI/Fetch/js/response.js"
};
static const char fetch_request[] = {
#embed "../WebAPI/Fetch/js/request.js"
};
static const char fetch_hostRequest[] = {
#embed "../WebAPI/Fetch/js/hostRequest.js"
};
static const char fetch_hostResponse[] = {
#embed "../WebAPI/Fetch/js/hostResponse.js"
};
static const char fetch_bodyReader[] = {
#embed "../WebAPI/Fetch/js/bodyReader.js"
};
static const char fetch_mime[] = {
#embed "../WebAPI/Fetch/js/mime.js"
};
static const char fetch_multipart[] = {
#embed "../WebAPI/Fetch/js/multipart.js"
};
static const char fetch_fetch[] = {
#embed "../WebAPI/Fetch/js/fetch.js"
};
static const char fetch_redirect[] = {
#embed "../WebAPI/Fetch/js/redirect.js"
};
static const char fetch_contentEncoding[] = {
#embed "../WebAPI/Fetch/js/contentEncoding.js"
};
static const char fetch_schemeFetch[] = {
#embed "../WebAPI/Fetch/js/schemeFetch.js"
};
static const char fileapi_blobStream[] = {
#embed "../WebAPI/FileAPI/js/blobStream.js"
};
static const char xhr_progressEvent[] = {
#embed "../WebAPI/XHR/js/progressEvent.js"
};
static const char fileapi_fileReader[] = {
#embed "../WebAPI/FileAPI/js/fileReader.js"
};
static const char streams_pipe[] = {
#embed "../WebAPI/Streams/js/pipe.js"
};
static const char streams_iterator[] = {
#embed "../WebAPI/Streams/js/iterator.js"
};
static const char streams_from[] = {
#embed "../WebAPI/Streams/js/from.js"
};
static const char streams_tee[] = {
#embed "../WebAPI/Streams/js/tee.js"
};
static const char streams_byteController[] = {
#embed "../WebAPI/Streams/js/byteController.js"
};
static const char streams_byobReader[] = {
#embed "../WebAPI/Streams/js/byobReader.js"
};
static const char streams_byteObjects[] = {
#embed "../WebAPI/Streams/js/byteObjects.js"
};
static const char streams_hostBody[] = {
#embed "../WebAPI/Streams/js/hostBody.js"
};
static const char streams_transfer[] = {
#embed "../WebAPI/Streams/js/transfer.js"
};
static const char streams_identity[] = {
#embed "../WebAPI/Streams/js/identity.js"
};
static const char encoding_textStreams[] = {
#embed "../WebAPI/Encoding/js/textStreams.js"
};
static const char compression_compression[] = {
#embed "../WebAPI/Compression/js/compression.js"
};
static const char streams_byteTee[] = {
#embed "../WebAPI/Streams/js/byteTee.js"
};
static const char crypto_algorithms[] = {
#embed "../WebAPI/Crypto/js/algorithms.js"
};
static const char crypto_keys[] = {
#embed "../WebAPI/Crypto/js/keys.js"
};
static const char crypto_jwk[] = {
#embed "../WebAPI/Crypto/js/jwk.js"
};
static const char crypto_secret[] = {
#embed "../WebAPI/Crypto/js/secret.js"
};
static const char crypto_der[] = {
#embed "../WebAPI/Crypto/js/der.js"
};
static const char crypto_agreement[] = {
#embed "../WebAPI/Crypto/js/agreement.js"
};
static const char crypto_digest[] = {
#embed "../WebAPI/Crypto/js/digest.js"
};
static const char crypto_digestStream[] = {
#embed "../WebAPI/Crypto/js/digestStream.js"
};
static const char crypto_hmac[] = {
#embed "../WebAPI/Crypto/js/hmac.js"
};
static const char crypto_aes[] = {
#embed "../WebAPI/Crypto/js/aes.js"
};
static const char crypto_derivation[] = {
#embed "../WebAPI/Crypto/js/derivation.js"
};
static const char crypto_rsa[] = {
#embed "../WebAPI/Crypto/js/rsa.js"
};
static const char crypto_ec[] = {
#embed "../WebAPI/Crypto/js/ec.js"
};
static const char crypto_okp[] = {
#embed "../WebAPI/Crypto/js/okp.js"
};
static const char crypto_subtle[] = {
#embed "../WebAPI/Crypto/js/subtle.js"
};

#include "workers.h"

#define eager false
#define lazy true
#define MODULE(name, when, bytes) {name, bytes, sizeof bytes, when}
#define MODULE_FILE(name, bytes) {name, bytes, sizeof bytes, false}

const cbundle_module cbundle_loader = MODULE_FILE("Core/loader", core_loader);
const cbundle_module cbundle_primordials = MODULE_FILE("Core/primordials", core_primordials);

static const cbundle_module modules[] = {
    MODULE("Core/records", eager, core_records),
    MODULE("Core/tickets", eager, core_tickets),
    MODULE("ECMAScript/abstract", eager, ecmascript_abstract),
    MODULE("ECMAScript/arrays", eager, ecmascript_arrays),
    MODULE("ECMAScript/asyncArrays", eager, ecmascript_asyncArrays),
    MODULE("ECMAScript/base64", eager, ecmascript_base64),
    MODULE("ECMAScript/buffers", eager, ecmascript_buffers),
    MODULE("ECMAScript/grouping", eager, ecmascript_grouping),
    MODULE("ECMAScript/iterators", eager, ecmascript_iterators),
    MODULE("ECMAScript/promises", eager, ecmascript_promises),
    MODULE("ECMAScript/sets", eager, ecmascript_sets),
    MODULE("ECMAScript/strings", eager, ecmascript_strings),
    MODULE("ECMAScript/symbols", eager, ecmascript_symbols),
    MODULE("Core/scope", eager, core_scope),
    MODULE("Core/asyncContext", eager, core_asyncContext),
    MODULE("Core/regexp", lazy, core_regexp),
    MODULE("WebIDL/webidl", eager, webidl_webidl),
    MODULE("WebIDL/bufferSource", eager, webidl_bufferSource),
    MODULE("Console/console", eager, console_console),
    MODULE("Console/layout", lazy, console_layout),
    MODULE("Console/inspect", lazy, console_inspect),
    MODULE("Console/format", lazy, console_format),
    MODULE("Console/table", lazy, console_table),
    MODULE("URL/percentEncoding", eager, url_percentEncoding),
    MODULE("URL/host", eager, url_host),
    MODULE("URL/record", eager, url_record),
    MODULE("URL/parser", eager, url_parser),
    MODULE("URL/formURLEncoded", eager, url_formURLEncoded),
    MODULE("URL/urlSearchParams", eager, url_urlSearchParams),
    MODULE("URL/url", eager, url_url),
    MODULE("URLPattern/tokenizer", lazy, urlpattern_tokenizer),
    MODULE("URLPattern/unicodeSets", lazy, urlpattern_unicodeSets),
    MODULE("URLPattern/parts", lazy, urlpattern_parts),
    MODULE("URLPattern/constructorString", lazy, urlpattern_constructorString),
    MODULE("URLPattern/canonicalize", lazy, urlpattern_canonicalize),
    MODULE("URLPattern/urlPattern", lazy, urlpattern_urlPattern),
    MODULE("Encoding/labels", lazy, encoding_labels),
    MODULE("Encoding/legacy", lazy, encoding_legacy),
    MODULE("Encoding/encoding", eager, encoding_encoding),
    MODULE("DOM/exception", eager, dom_exception),
    MODULE("DOM/event", eager, dom_event),
    MODULE("DOM/target", eager, dom_target),
    MODULE("DOM/abort", eager, dom_abort),
    MODULE("HTML/report", eager, html_report),
    MODULE("HTML/serializable", eager, html_serializable),
    MODULE("Streams/promises", eager, streams_promises),
    MODULE("Streams/queue", eager, streams_queue),
    MODULE("Streams/strategies", eager, streams_strategies),
    MODULE("Streams/readable", eager, streams_readable),
    MODULE("Streams/readers", eager, streams_readers),
    MODULE("Streams/readableObjects", eager, streams_readableObjects),
    MODULE("Streams/writable", eager, streams_writable),
    MODULE("Streams/writableObjects", eager, streams_writableObjects),
    MODULE("Streams/transform", eager, streams_transform),
    MODULE("Streams/transformObjects", eager, streams_transformObjects),
    MODULE("Streams/pipe", lazy, streams_pipe),
    MODULE("Streams/iterator", lazy, streams_iterator),
    MODULE("Streams/from", lazy, streams_from),
    MODULE("Streams/tee", lazy, streams_tee),
    MODULE("Streams/byteController", lazy, streams_byteController),
    MODULE("Streams/byobReader", lazy, streams_byobReader),
    MODULE("Streams/byteObjects", lazy, streams_byteObjects),
    MODULE("Streams/byteTee", lazy, streams_byteTee),
    MODULE("Compression/compression", lazy, compression_compression),
    MODULE("Encoding/textStreams", lazy, encoding_textStreams),
    MODULE("Streams/identity", lazy, streams_identity),
    MODULE("Streams/transfer", lazy, streams_transfer),
    MODULE("Streams/hostBody", lazy, streams_hostBody),
    MODULE("FileAPI/blob", eager, fileapi_blob),
    MODULE("XHR/formdata", eager, xhr_formdata),
    MODULE("Fetch/headers", eager, fetch_headers),
    MODULE("Fetch/settings", eager, fetch_settings),
    MODULE("Workers/compatibility", eager, workers_compatibility),
    MODULE("FileAPI/blobURL", eager, fileapi_blobURL),
    MODULE("Fetch/requestInit", eager, fetch_requestInit),
    MODULE("Fetch/body", eager, fetch_body),
    MODULE("Fetch/bodyMixin", eager, fetch_bodyMixin),
    MODULE("Fetch/response", eager, fetch_response),
    MODULE("Fetch/request", eager, fetch_request),
    MODULE("Fetch/hostRequest", eager, fetch_hostRequest),
    MODULE("Fetch/hostResponse", eager, fetch_hostResponse),
    MODULE("Fetch/fetch", eager, fetch_fetch),
    MODULE("Fetch/redirect", lazy, fetch_redirect),
    MODULE("Fetch/bodyReader", lazy, fetch_bodyReader),
    MODULE("Fetch/mime", lazy, fetch_mime),
    MODULE("Fetch/multipart", lazy, fetch_multipart),
    MODULE("Fetch/contentEncoding", lazy, fetch_contentEncoding),
    MODULE("Fetch/schemeFetch", lazy, fetch_schemeFetch),
    MODULE("FileAPI/blobStream", lazy, fileapi_blobStream),
    MODULE("XHR/progressEvent", lazy, xhr_progressEvent),
    MODULE("FileAPI/fileReader", lazy, fileapi_fileReader),
    MODULE("HTML/timers", eager, html_timers),
    MODULE("HTML/global", eager, html_global),
    MODULE("HRTime/performance", eager, hrtime_performance),
    MODULE("HRTime/timeline", lazy, hrtime_timeline),
    MODULE("HTML/events", lazy, html_events),
    MODULE("HTML/structuredClone", lazy, html_structuredClone),
    MODULE("HTML/messaging", lazy, html_messaging),
    MODULE("HTML/eventSource", lazy, html_eventSource),
    MODULE("WebSockets/webSocket", lazy, websockets_webSocket),
    MODULE("WebSockets/connection", lazy, websockets_connection),
    MODULE("HTML/navigator", lazy, html_navigator),
    MODULE("HTML/base64", lazy, html_base64),
    MODULE("Crypto/crypto", eager, crypto_crypto),
    MODULE("Crypto/algorithms", lazy, crypto_algorithms),
    MODULE("Crypto/keys", lazy, crypto_keys),
    MODULE("Crypto/jwk", lazy, crypto_jwk),
    MODULE("Crypto/secret", lazy, crypto_secret),
    MODULE("Crypto/der", lazy, crypto_der),
    MODULE("Crypto/agreement", lazy, crypto_agreement),
    MODULE("Crypto/digest", lazy, crypto_digest),
    MODULE("Crypto/digestStream", lazy, crypto_digestStream),
    MODULE("Crypto/hmac", lazy, crypto_hmac),
    MODULE("Crypto/aes", lazy, crypto_aes),
    MODULE("Crypto/derivation", lazy, crypto_derivation),
    MODULE("Crypto/rsa", lazy, crypto_rsa),
    MODULE("Crypto/ec", lazy, crypto_ec),
    MODULE("Crypto/okp", lazy, crypto_okp),
    MODULE("Crypto/subtle", lazy, crypto_subtle),
    WORKERS_MODULES,
};

const cbundle_module *const cbundle_modules = modules;
const size_t cbundle_module_count = sizeof modules / sizeof modules[0];
