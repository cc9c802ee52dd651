// The TypeScript compiler: eight megabytes of script.
import ts from "typescript";

const source = `
enum Color { Red, Green = "g" }
interface Shape<T extends number = number> { readonly area: T; name?: string }
abstract class Base { constructor(protected readonly id: string, public n = 1) {} abstract run(): Promise<void>; }
export class Square extends Base implements Shape { area!: number;
    async run() { for await (const x of f(this)) x?.y; } }
async function* f(s: Square): AsyncGenerator<{ y: number }> { yield { y: s.area ** 2 } as const; }
let tuple: [a: string, b?: number] = ["x"], wrong: number = "text";
export const check = <T,>(x: T): x is T & string => typeof x === "string";`;

function problems() {
    const file = ts.createSourceFile("a.ts", source, ts.ScriptTarget.ES2022, true);
    const host = {
        getSourceFile: (name) => (name === "a.ts" ? file : undefined), getDefaultLibFileName: () => "lib.d.ts",
        writeFile() {}, getCurrentDirectory: () => "", getCanonicalFileName: (name) => name, getNewLine: () => "\n",
        useCaseSensitiveFileNames: () => true, fileExists: (name) => name === "a.ts", readFile: () => undefined,
    };
    const program = ts.createProgram(["a.ts"], { noLib: true, strict: true, target: ts.ScriptTarget.ES2022 }, host);
    return program.getSemanticDiagnostics(file).map(({ code, messageText }) => [code, messageText]);
}

export default {
    fetch() {
        const targets = ["ES5", "ES2017", "ES2022"].map((target) => ts.transpileModule(source, {
            compilerOptions: { target: ts.ScriptTarget[target], module: ts.ModuleKind.ES2015, sourceMap: true },
        }));
        return Response.json({
            outputs: targets.map(({ outputText }) => outputText), map: JSON.parse(targets[2].sourceMapText).mappings,
            problems: problems(), version: ts.version,
        });
    },
};
