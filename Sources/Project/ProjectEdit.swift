internal import Foundation
internal import Model

/// Changes of a project file that leave the rest as its author wrote it, comments too.
package enum ProjectEdit {
    /// Binds a KV namespace, at the top level.
    /// - Throws: `ProjectError` if the file has such a binding, or a form that this does not know. Then it stays.
    package static func addNamespace(binding: String, id: String, to path: String) throws(ProjectError) {
        let text = String(decoding: try File.read(path, limit: 1 << 20), as: UTF8.self)
        let before = try ProjectFile(path)
        guard !before.bindings.contains(where: { $0["name"]?.string == binding }) else {
            throw ProjectError("\(path): there is a binding '\(binding)' already")
        }
        let changed = path.hasSuffix(".toml") ? toml(text, binding, id) : json(text, binding, id)
        let draft = "\(path).new\(path.hasSuffix(".toml") ? ".toml" : ".jsonc")"
        defer { try? FileManager.default.removeItem(atPath: draft) }
        do {
            try Data(changed.utf8).write(to: URL(filePath: draft))
        } catch {
            throw ProjectError("\(draft) cannot be written: \(error.localizedDescription)")
        }
        // What was written must say what was meant, and nothing else.
        let added: JSONValue = ["type": "kv_namespace", "name": .string(binding), "namespace_id": .string(id)]
        guard let after = try? ProjectFile(draft), after.bindings.count == before.bindings.count + 1,
            after.bindings.contains(added), rename(draft, path) == 0
        else {
            throw ProjectError(
                "\(path) cannot be changed: add to 'kv_namespaces' the binding '\(binding)' with the id '\(id)'")
        }
    }

    private static func toml(_ text: String, _ binding: String, _ id: String) -> String {
        let end = text.isEmpty || text.hasSuffix("\n") ? "" : "\n"
        return text
            + "\(end)\n[[kv_namespaces]]\nbinding = \(JSONValue.quoted(binding))\nid = \(JSONValue.quoted(id))\n"
    }

    /// At the beginning of the object, or of the list that is there.
    private static func json(_ text: String, _ binding: String, _ id: String) -> String {
        let entry = "{ \"binding\": \(JSONValue.quoted(binding)), \"id\": \(JSONValue.quoted(id)) }"
        let plain = TolerantJSON.plain(Array(text.utf8))
        var bytes = Array(text.utf8)
        if let place = list("kv_namespaces", in: plain) {
            let isEmpty = plain[place...].first { ![9, 10, 13, 32].contains($0) } == UInt8(ascii: "]")
            bytes.insert(contentsOf: Array((isEmpty ? entry : entry + ", ").utf8), at: place)
        } else if let place = plain.firstIndex(of: UInt8(ascii: "{")) {
            bytes.insert(contentsOf: Array("\n  \"kv_namespaces\": [\(entry)],".utf8), at: place + 1)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Behind the bracket of a list that is a member of the outermost object.
    private static func list(_ key: String, in json: [UInt8]) -> Int? {
        var depth = 0
        var index = 0
        while index < json.count {
            switch json[index] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""):
                let start = index + 1
                index = start
                while index < json.count, json[index] != UInt8(ascii: "\"") { index += json[index] == 0x5c ? 2 : 1 }
                guard depth == 1, index < json.count, json[start..<index].elementsEqual(key.utf8) else { break }
                let rest = json[(index + 1)...].drop { [9, 10, 13, 32, UInt8(ascii: ":")].contains($0) }
                if rest.first == UInt8(ascii: "[") { return rest.startIndex + 1 }
            default: break
            }
            index += 1
        }
        return nil
    }
}
