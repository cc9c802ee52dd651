// jsdiff: differences of texts, and patches.
import { applyPatch, createTwoFilesPatch, diffArrays, diffChars, diffJson, diffWords, parsePatch } from "diff";

const before = Array.from({ length: 40 }, (_, i) => `line ${i}`).join("\n");
const after = before.replace("line 3\n", "").replace("line 20", "line twenty\nand more").replace("line 39", "end");

export default {
    fetch() {
        const patch = createTwoFilesPatch("a.txt", "b.txt", before, after, "", "", { context: 2 });
        return Response.json({
            patch, isApplied: applyPatch(before, patch) === after, refused: applyPatch("other text", patch),
            hunks: parsePatch(patch)[0].hunks.map(({ oldStart, newLines }) => [oldStart, newLines]),
            chars: diffChars("kitten", "sitting"), words: diffWords("the quick brown fox", "the slow brown dog"),
            json: diffJson({ b: 1, a: [1, 2] }, { a: [1, 3], b: 1 }), arrays: diffArrays([1, 2, 3], [2, 3, 4]),
        });
    },
};
