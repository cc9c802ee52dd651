import ArgumentParser

/// What `martlet init` begins a project with.
enum Template: String, CaseIterable, ExpressibleByArgument {
    case hello
    case typescript
    case router
    case kv
    case wasm

    /// Paths in the project, and what stands in each.
    func files(name: String, date: String) -> [(path: String, bytes: [UInt8])] {
        let main = self == .hello || self == .wasm ? "src/index.js" : "src/index.ts"
        var files = [
            ("wrangler.jsonc", Array(Self.project(name, main, date).utf8)),
            (".gitignore", Array(".martlet/\n.dev.vars*\nnode_modules/\n".utf8)),
            (main, Array(code.utf8)),
        ]
        if main.hasSuffix(".ts") { files.append(("tsconfig.json", Array(Self.tsconfig.utf8))) }
        if self == .wasm {
            files += [("src/add.wasm", Self.module), ("src/add.wat", Array(Self.moduleText.utf8))]
        }
        return files.map { (path: $0.0, bytes: $0.1) }
    }

    private static func project(_ name: String, _ main: String, _ date: String) -> String {
        """
        {
          "name": "\(name)",
          "main": "\(main)",
          "compatibility_date": "\(date)",
          "vars": { "GREETING": "Hello" }
        }

        """
    }

    private var code: String {
        switch self {
        case .hello: Self.helloCode
        case .typescript: Self.typescriptCode
        case .router: Self.routerCode
        case .kv: Self.kvCode
        case .wasm: Self.wasmCode
        }
    }

    private static let helloCode = """
        export default {
          async fetch(request, env, ctx) {
            const name = new URL(request.url).searchParams.get("name") ?? "world";
            return new Response(`${env.GREETING}, ${name}!\\n`);
          },
        };

        """

    private static let typescriptCode = """
        interface Env {
          GREETING: string;
        }

        export default {
          async fetch(request: Request, env: Env): Promise<Response> {
            const name = new URL(request.url).searchParams.get("name") ?? "world";
            return new Response(`${env.GREETING}, ${name}!\\n`);
          },
        };

        """

    private static let routerCode = #"""
        interface Env {
          GREETING: string;
        }

        interface Context {
          request: Request;
          env: Env;
          params: Record<string, string>;
        }

        type Handler = (context: Context) => Response | Promise<Response>;

        class Router {
          #routes: { method: string; pattern: RegExp; handler: Handler }[] = [];

          /** In a path, `:name` stands for one segment, which the handler gets as `params.name`. */
          on(method: string, path: string, handler: Handler): this {
            const pattern = new RegExp(`^${path.replace(/:(\w+)/g, "(?<$1>[^/]+)")}/?$`);
            this.#routes.push({ method, pattern, handler });
            return this;
          }

          async handle(request: Request, env: Env): Promise<Response> {
            const { pathname } = new URL(request.url);
            const allowed: string[] = [];
            for (const { method, pattern, handler } of this.#routes) {
              const match = pattern.exec(pathname);
              if (!match) continue;
              if (method !== request.method) {
                allowed.push(method);
                continue;
              }
              const params = Object.fromEntries(
                Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]),
              );
              return handler({ request, env, params });
            }
            if (allowed.length === 0) return new Response("Not found\n", { status: 404 });
            return new Response("Method not allowed\n", { status: 405, headers: { Allow: allowed.join(", ") } });
          }
        }

        const router = new Router()
          .on("GET", "/", () => new Response("Try /hello/you\n"))
          .on("GET", "/hello/:name", ({ env, params }) => new Response(`${env.GREETING}, ${params.name}!\n`))
          .on("POST", "/echo", async ({ request }) => new Response(await request.text()));

        export default {
          fetch: (request: Request, env: Env): Promise<Response> => router.handle(request, env),
        };

        """#

    private static let kvCode = """
        interface Namespace {
          get(key: string): Promise<string | null>;
          put(key: string, value: string): Promise<void>;
        }

        interface Env {
          GREETING: string;
          /** martlet kv namespace create visits --binding VISITS */
          VISITS?: Namespace;
        }

        export default {
          async fetch(request: Request, env: Env): Promise<Response> {
            if (!env.VISITS) return new Response("There is no KV namespace VISITS yet.\\n", { status: 503 });
            const { pathname } = new URL(request.url);
            const visits = Number((await env.VISITS.get(pathname)) ?? 0) + 1;
            await env.VISITS.put(pathname, String(visits));
            return new Response(`${env.GREETING}! Visits of ${pathname}: ${visits}\\n`);
          },
        };

        """

    private static let wasmCode = """
        import add from "./add.wasm";

        // A module is compiled when the Worker is deployed. This instance is that of all requests.
        const { exports } = new WebAssembly.Instance(add);

        export default {
          async fetch(request, env) {
            const { searchParams } = new URL(request.url);
            const [a, b] = ["a", "b"].map((name) => Number(searchParams.get(name) ?? 1));
            return new Response(`${env.GREETING}: ${a} + ${b} = ${exports.add(a, b)}\\n`);
          },
        };

        """

    private static let moduleText = """
        ;; What add.wasm was made of: wat2wasm add.wat
        (module
          (func (export "add") (param i32 i32) (result i32)
            local.get 0
            local.get 1
            i32.add))

        """

    /// `moduleText` in binary form: a type, a function of it, an export, a body.
    private static let module: [UInt8] = [
        0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
        0x01, 0x07, 0x01, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7f,
        0x03, 0x02, 0x01, 0x00,
        0x07, 0x07, 0x01, 0x03, 0x61, 0x64, 0x64, 0x00, 0x00,
        0x0a, 0x09, 0x01, 0x07, 0x00, 0x20, 0x00, 0x20, 0x01, 0x6a, 0x0b,
    ]

    private static let tsconfig = """
        {
          "compilerOptions": {
            "target": "es2022",
            "module": "esnext",
            "moduleResolution": "bundler",
            "lib": ["es2022", "webworker"],
            "strict": true,
            "noEmit": true
          },
          "include": ["src"]
        }

        """
}
