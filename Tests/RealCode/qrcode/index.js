// qrcode-generator: QR codes as SVG and as tables of bits.
import qrcode from "qrcode-generator";

function code(text, version, level, mode) {
    const qr = qrcode(version, level);
    qr.addData(text, mode);
    qr.make();
    const count = qr.getModuleCount();
    const rows = Array.from({ length: count }, (_, row) => (
        Array.from({ length: count }, (_, column) => (qr.isDark(row, column) ? "#" : ".")).join("")));
    return { rows, svg: qr.createSvgTag(2, 4).length, image: qr.createDataURL(2).slice(0, 60) };
}

export default {
    fetch: () => Response.json([
        code("https://martlet.example/?a=1", 0, "M"), code("0123456789", 1, "H", "Numeric"), code("A-Z 09", 2, "L"),
    ]),
};
