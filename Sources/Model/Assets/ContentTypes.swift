/// What the content of a file is, going by its name. (IANA, Media Types.)
package enum ContentTypes {
    private static let types: [String: String] = [
        "aac": "audio/aac", "apng": "image/apng", "atom": "application/atom+xml", "avif": "image/avif",
        "bin": "application/octet-stream", "bmp": "image/bmp", "bz2": "application/x-bzip2", "css": "text/css",
        "csv": "text/csv", "epub": "application/epub+zip", "flac": "audio/flac", "geojson": "application/geo+json",
        "gif": "image/gif", "gz": "application/gzip", "htm": "text/html", "html": "text/html",
        "ico": "image/vnd.microsoft.icon", "ics": "text/calendar", "jpeg": "image/jpeg", "jpg": "image/jpeg",
        "js": "text/javascript", "json": "application/json", "jsonld": "application/ld+json", "jxl": "image/jxl",
        "m4a": "audio/mp4", "m4v": "video/x-m4v", "map": "application/json", "md": "text/markdown",
        "mid": "audio/midi", "mjs": "text/javascript", "mov": "video/quicktime", "mp3": "audio/mpeg",
        "mp4": "video/mp4", "mpeg": "video/mpeg", "oga": "audio/ogg", "ogg": "audio/ogg", "ogv": "video/ogg",
        "opus": "audio/ogg", "otf": "font/otf", "pdf": "application/pdf", "png": "image/png",
        "rss": "application/rss+xml", "rtf": "application/rtf", "sql": "application/sql", "svg": "image/svg+xml",
        "tar": "application/x-tar", "tif": "image/tiff", "tiff": "image/tiff", "toml": "application/toml",
        "ts": "video/mp2t", "tsv": "text/tab-separated-values", "ttf": "font/ttf", "txt": "text/plain",
        "vtt": "text/vtt", "wasm": "application/wasm", "wav": "audio/wav", "weba": "audio/webm",
        "webm": "video/webm", "webmanifest": "application/manifest+json", "webp": "image/webp",
        "woff": "font/woff", "woff2": "font/woff2", "xhtml": "application/xhtml+xml", "xml": "text/xml",
        "yaml": "text/yaml", "yml": "text/yaml", "zip": "application/zip", "zst": "application/zstd",
    ]

    /// - Returns: nil if the name says nothing.
    package static func type(ofFile path: String) -> String? {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: ".") else { return nil }
        return types[name[name.index(after: dot)...].lowercased()].map(withCharset)
    }

    /// Texts are in UTF-8 unless they say otherwise.
    package static func withCharset(_ type: String) -> String {
        type.hasPrefix("text/") && !type.contains("charset") ? "\(type); charset=utf-8" : type
    }
}
