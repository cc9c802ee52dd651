// Lunr: full-text search.
import lunr from "lunr";

const documents = [
    { id: "1", title: "Swifts and martlets", body: "A martlet never lands; it is a bird without feet." },
    { id: "2", title: "Containers", body: "Boxes are stacked and carried. Nothing runs in them without landing." },
    { id: "3", title: "Isolates", body: "Many isolates run in one process, as birds fly in one flock." },
];

export default {
    fetch() {
        const index = lunr(function () {
            this.ref("id");
            this.field("title", { boost: 5 });
            this.field("body");
            this.metadataWhitelist = ["position"];
            for (const document of documents) this.add(document);
        });
        const restored = lunr.Index.load(JSON.parse(JSON.stringify(index)));
        const queries = ["bird", "land*", "+bird -martlet", "title:isolates", "martlet~1", "process^10 feet", "none"];
        let error;
        try {
            index.search("nofield:x");
        } catch ({ name, message }) {
            error = [name, message];
        }
        return Response.json({
            results: queries.map((query) => restored.search(query)), error,
            same: JSON.stringify(index.search("bird")) === JSON.stringify(restored.search("bird")),
            stems: ["running", "landed", "isolation"].map((word) => lunr.stemmer(new lunr.Token(word)).toString()),
        });
    },
};
