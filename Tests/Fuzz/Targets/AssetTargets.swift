import Model

enum AssetTargets {
    /// `_headers` and `_redirects`, and a site that has them.
    @Sendable static func rules(_ bytes: [UInt8]) {
        var input = Input(bytes)
        let target = Array(input.line())
        let text = String(decoding: input.all(), as: UTF8.self)
        var configuration = AssetConfiguration()
        configuration.headers = AssetRules.headers(text).rules
        configuration.redirects = AssetRules.redirects(text, htmlHandling: .autoTrailingSlash).rules
        let file = AssetFile(hash: "a", blob: "a", size: 1, contentType: nil)
        let site = AssetSite(
            AssetSet(files: ["/index.html": file, "/a": file], configuration: configuration), hasWorker: false)
        let request = AssetSite.Request(
            method: "GET", host: "example.com", path: AssetPath(target), ifNoneMatch: nil, isNavigation: false)
        let response = site.response(to: request)
        require((200...599).contains(response.status))
        for (name, value) in response.fields {
            require(!name.isEmpty && !value.contains("\r") && !value.contains("\n"), "a field with a line end")
        }
    }

    /// A pattern and a path in two lines: what wildcards take, put in their places, is the path again.
    @Sendable static func patterns(_ bytes: [UInt8]) {
        var input = Input(bytes)
        let text = input.text()
        let path = input.text()
        require(
            AssetPattern.glob(text[...], takes: path) == glob(Array(text.utf8)[...], Array(path.utf8)[...]),
            "\(text) takes \(path)")
        guard let pattern = try? AssetPattern(text), !text.hasPrefix("https://") else { return }
        guard let values = pattern.match(host: "", path: path) else { return }
        let parts = text.split(separator: "*", maxSplits: 1, omittingEmptySubsequences: false).map {
            AssetPattern.fill(String($0), with: values)
        }
        // A value that reads like a placeholder is not filled again; bytes that are no text are not compared.
        guard path.utf8.allSatisfy({ $0 < 0x80 && $0 != UInt8(ascii: ":") }) else { return }
        let filled = parts.joined(separator: values["splat"] ?? "")
        require(filled == path, "\(text) of \(path) is \(filled)")
    }

    /// The same by trying all, of short texts.
    private static func glob(_ pattern: ArraySlice<UInt8>, _ path: ArraySlice<UInt8>) -> Bool {
        var reached = [Bool](repeating: false, count: path.count + 1)
        reached[0] = true
        for byte in pattern {
            if byte == UInt8(ascii: "*") {
                for index in reached.indices.dropFirst() where reached[index - 1] { reached[index] = true }
            } else {
                for index in reached.indices.reversed() {
                    reached[index] = index > 0 && reached[index - 1] && path[path.startIndex + index - 1] == byte
                }
            }
        }
        return reached[path.count]
    }
}
