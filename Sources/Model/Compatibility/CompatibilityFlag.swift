/// A change of Workers' behaviour, as Cloudflare documents it.
struct CompatibilityFlag: Sendable {
    /// Switches it on.
    let name: String
    /// Switches it off, where it has come with a date.
    let opposite: String?
    /// The day from which it is on by itself.
    let date: String?
    /// Whether the runtime knows both behaviours. Else it always has the newer one.
    let isObserved: Bool

    private init(_ name: String, not opposite: String? = nil, from date: String? = nil, isObserved: Bool = false) {
        self.name = name
        self.opposite = opposite
        self.date = date
        self.isObserved = isObserved
    }

    /// The newest date that the table knows.
    static let newestDate = "2026-08-29"

    func isEnabled(on day: String, given flags: Set<String>) -> Bool {
        if flags.contains(name) { return true }
        if let opposite, flags.contains(opposite) { return false }
        return date.map { day >= $0 } ?? false
    }

    static let all: [CompatibilityFlag] = observed + settled

    /// What WebAPI asks for: see `Workers/compatibility`.
    private static let observed = [
        CompatibilityFlag("nodejs_compat", not: "no_nodejs_compat", from: "2026-08-04", isObserved: true),
        CompatibilityFlag("nodejs_compat_v2", not: "no_nodejs_compat_v2", from: "2024-09-23", isObserved: true),
        CompatibilityFlag("nodejs_als", not: "no_nodejs_als", isObserved: true),
        CompatibilityFlag("global_navigator", not: "no_global_navigator", from: "2022-03-21", isObserved: true),
        CompatibilityFlag(
            "http_headers_getsetcookie", not: "no_http_headers_getsetcookie", from: "2023-03-01", isObserved: true),
        CompatibilityFlag(
            "upper_case_all_http_methods", not: "no_upper_case_all_http_methods", from: "2024-10-14", isObserved: true),
        CompatibilityFlag("cache_option_enabled", not: "cache_option_disabled", from: "2024-11-11", isObserved: true),
        CompatibilityFlag("allow_importable_env", not: "disallow_importable_env", from: "2025-04-01", isObserved: true),
        CompatibilityFlag(
            "expose_global_message_channel", not: "no_expose_global_message_channel", from: "2025-08-15",
            isObserved: true),
        CompatibilityFlag(
            "strip_authorization_on_cross_origin_redirect", not: "retain_authorization_on_cross_origin_redirect",
            from: "2025-09-01", isObserved: true),
        // Without it a fetch within a zone goes to what stands behind the zone.
        CompatibilityFlag("global_fetch_strictly_public", not: "global_fetch_private_origin", isObserved: true),
        // What a site of assets asks for.
        CompatibilityFlag(
            navigationPrefersAssets, not: "assets_navigation_has_no_effect", from: "2025-04-01", isObserved: true),
    ]

    /// Browsers that navigate are answered with assets where there is no asset of that path.
    static let navigationPrefersAssets = "assets_navigation_prefers_asset_serving"

    /// Standard behaviour that came with a date, and which Martlet has always had.
    private static let settled = [
        CompatibilityFlag("url_standard", not: "url_original", from: "2022-10-31"),
        CompatibilityFlag("fetch_standard_url", not: "fetch_legacy_url", from: "2024-06-03"),
        CompatibilityFlag("urlpattern_standard", not: "urlpattern_original", from: "2025-05-01"),
        CompatibilityFlag("streams_enable_constructors", not: "streams_disable_constructors", from: "2022-11-30"),
        CompatibilityFlag(
            "transformstream_enable_standard_constructor", not: "transformstream_disable_standard_constructor",
            from: "2022-11-30"),
        CompatibilityFlag("capture_async_api_throws", not: "do_not_capture_async_api_throws", from: "2022-10-31"),
        CompatibilityFlag(
            "formdata_parser_supports_files", not: "formdata_parser_converts_files_to_strings", from: "2021-11-03"),
        CompatibilityFlag(
            "fetch_refuses_unknown_protocols", not: "fetch_treats_unknown_protocols_as_http", from: "2021-11-10"),
        CompatibilityFlag("minimal_subrequests", not: "no_minimal_subrequests", from: "2022-04-05"),
        CompatibilityFlag("strict_compression_checks", not: "no_strict_compression_checks", from: "2023-08-01"),
        CompatibilityFlag("strict_crypto_checks", not: "no_strict_crypto_checks", from: "2023-08-01"),
        CompatibilityFlag("no_cf_botmanagement_default", not: "cf_botmanagement_default", from: "2023-08-01"),
        CompatibilityFlag("crypto_preserve_public_exponent", not: "no_crypto_preserve_public_exponent"),
        CompatibilityFlag(
            "unhandled_rejection_after_microtask_checkpoint", not: "no_unhandled_rejection_after_microtask_checkpoint"),
        CompatibilityFlag("brotli_content_encoding", not: "no_brotli_content_encoding", from: "2024-04-29"),
        CompatibilityFlag(
            "handle_cross_request_promise_resolution", not: "no_handle_cross_request_promise_resolution",
            from: "2024-10-14"),
        CompatibilityFlag("enable_request_signal", not: "disable_request_signal"),
    ]
}
