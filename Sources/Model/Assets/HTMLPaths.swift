extension AssetSet {
    /// Which asset a path means, or under which other path it is served.
    enum Meaning: Equatable {
        case file(AssetFile)
        /// An asset for what is not there.
        case notFound(AssetFile)
        case redirect(String)
        case nothing
    }

    /// A way in which a path can mean an asset.
    private enum Reading {
        case serve(String)
        /// The file is served under another path, if that path means this very file.
        case redirect(file: String, to: String)
    }

    /// - Parameter path: decoded.
    func meaning(of path: String, notFound: AssetConfiguration.NotFoundHandling) -> Meaning {
        find(path, followsRedirects: true) ?? missing(path, notFound)
    }

    private func find(_ path: String, followsRedirects: Bool) -> Meaning? {
        for reading in readings(of: path) {
            switch reading {
            case .serve(let name): if let file = files[name] { return .file(file) }
            case .redirect(let name, let target):
                guard followsRedirects, let file = files[name], files[target] == nil,
                    case .file(let other)? = find(target, followsRedirects: false), other.hash == file.hash
                else { continue }
                return .redirect(target)
            }
        }
        return nil
    }

    private func missing(_ path: String, _ handling: AssetConfiguration.NotFoundHandling) -> Meaning {
        switch handling {
        case .none: return .nothing
        case .singlePageApplication: return files["/index.html"].map { .file($0) } ?? .nothing
        case .page:
            var folder = path[...]
            while let slash = folder.lastIndex(of: "/") {
                folder = folder[..<slash]
                if let page = files[folder + "/404.html"] { return .notFound(page) }
            }
            return .nothing
        }
    }

    /// In the order in which they are tried.
    private func readings(of path: String) -> [Reading] {
        switch configuration.htmlHandling {
        case .none: [.serve(path)]
        case .autoTrailingSlash: readingsAuto(path)
        case .forceTrailingSlash: readingsForce(path)
        case .dropTrailingSlash: readingsDrop(path)
        }
    }

    /// A page `a.html` is `/a`, a page `a/index.html` is `/a/`.
    private func readingsAuto(_ path: String) -> [Reading] {
        let common: [Reading] = [
            .serve(path), .serve(path + ".html"), .redirect(file: path + "/index.html", to: path + "/"),
        ]
        if let base = path.without("/index") {
            return [
                .serve(path), .redirect(file: path + ".html", to: base + "/"),
                .redirect(file: base + ".html", to: base),
            ] + common
        }
        if let base = path.without("/index.html") {
            return [.redirect(file: path, to: base + "/"), .redirect(file: base + ".html", to: base)] + common
        }
        if let base = path.without("/") {
            return [.serve(path + "index.html"), .redirect(file: base + ".html", to: base)] + common
        }
        if let base = path.without(".html") {
            return [.redirect(file: path, to: base), .redirect(file: base + "/index.html", to: base + "/")] + common
        }
        return common
    }

    /// Both are `/a/`.
    private func readingsForce(_ path: String) -> [Reading] {
        let common: [Reading] = [
            .serve(path), .redirect(file: path + ".html", to: path + "/"),
            .redirect(file: path + "/index.html", to: path + "/"),
        ]
        if let base = path.without("/index") {
            return [
                .serve(path), .redirect(file: path + ".html", to: base + "/"),
                .redirect(file: base + ".html", to: base + "/"),
            ] + common
        }
        if let base = path.without("/index.html") {
            return [.redirect(file: path, to: base + "/"), .redirect(file: base + ".html", to: base + "/")] + common
        }
        if let base = path.without("/") {
            return [.serve(path + "index.html"), .serve(base + ".html")] + common
        }
        if let base = path.without(".html") {
            return [
                .redirect(file: path, to: base + "/"), .serve(path),
                .redirect(file: base + "/index.html", to: base + "/"),
            ] + common
        }
        return common
    }

    /// Both are `/a`.
    private func readingsDrop(_ path: String) -> [Reading] {
        let common: [Reading] = [.serve(path), .serve(path + ".html"), .serve(path + "/index.html")]
        // The root keeps its slash.
        switch path {
        case "/": return [.serve("/index.html")] + common
        case "/index": return [.serve(path), .redirect(file: "/index.html", to: "/")] + common
        case "/index.html": return [.redirect(file: path, to: "/")] + common
        default: break
        }
        if let base = path.without("/index") {
            return [
                .serve(path), .redirect(file: base + ".html", to: base), .redirect(file: path + ".html", to: base),
            ] + common
        }
        if let base = path.without("/index.html") {
            return [.redirect(file: path, to: base), .serve(path), .redirect(file: base + ".html", to: base)] + common
        }
        if let base = path.without("/") ?? path.without(".html") {
            let isPage = path.hasSuffix(".html")
            return [
                .redirect(file: isPage ? path : base + ".html", to: base),
                .redirect(file: base + "/index.html", to: base),
            ] + common
        }
        return common
    }
}

extension String {
    /// What stands before a suffix; nil if it does not end so.
    fileprivate func without(_ suffix: String) -> String? {
        utf8.count >= suffix.utf8.count && hasSuffix(suffix) ? String(dropLast(suffix.count)) : nil
    }
}
