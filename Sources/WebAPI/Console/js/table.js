// Console Standard, section 1.1.8: table().
const {
  ArrayPrototypePush, ReflectOwnKeys, SafeMap, StringPrototypePadEnd, StringPrototypeRepeat, StringPrototypeSlice,
} = primordials;
const { converters, sequence } = use("WebIDL/webidl");
const { inspectShallow } = use("Console/inspect");
const { descriptorOf } = use("Console/layout");

const ROW_LIMIT = 1000, COLUMN_LIMIT = 50, CELL_LIMIT = 100;
const INDEX = "(index)", VALUES = "Values";

// Arrays and objects have cells; a proxy has none, because asking it runs its traps.
function isTabular(value) {
  return typeof value === "object" && value !== null && engine.typeOf(value) !== "Proxy";
}

// The enumerable properties as a flat array [key, text or object ...], without calling a getter.
function propertiesOf(object, limit) {
  const result = [];
  const keys = ReflectOwnKeys(object);
  for (let i = 0; i < keys.length && result.length < 2 * limit; i++) {
    if (typeof keys[i] === "symbol") continue;
    const { enumerable, get, set, value } = descriptorOf(object, keys[i]);
    if (!enumerable) continue;
    ArrayPrototypePush(result, keys[i]);
    ArrayPrototypePush(result, get === undefined && set === undefined ? value : "[Getter]");
  }
  return result;
}

const cellText = (value) => StringPrototypeSlice(inspectShallow(value), 0, CELL_LIMIT);

// The row's texts by column; `columns` gathers the names in the order in which they appear.
function makeRow(index, value, columns, isFixed) {
  const row = new SafeMap();
  row.set(INDEX, index);
  if (!isTabular(value)) {
    row.set(VALUES, cellText(value));
    return row;
  }
  const cells = propertiesOf(value, COLUMN_LIMIT);
  for (let i = 0; i < cells.length; i += 2) {
    if (!isFixed && columns.size < COLUMN_LIMIT) columns.set(cells[i], true);
    if (columns.has(cells[i])) row.set(cells[i], cellText(cells[i + 1]));
  }
  return row;
}

function draw(rows, names) {
  const widths = [];
  for (let c = 0; c < names.length; c++) {
    let width = names[c].length;
    for (let r = 0; r < rows.length; r++) {
      const text = rows[r].get(names[c]) ?? "";
      if (text.length > width) width = text.length;
    }
    ArrayPrototypePush(widths, width);
  }
  let rule = "+", head = "|", body = "";
  for (let c = 0; c < names.length; c++) {
    rule += `${StringPrototypeRepeat("-", widths[c] + 2)}+`;
    head += ` ${StringPrototypePadEnd(names[c], widths[c])} |`;
  }
  for (let r = 0; r < rows.length; r++) {
    body += "|";
    for (let c = 0; c < names.length; c++) {
      body += ` ${StringPrototypePadEnd(rows[r].get(names[c]) ?? "", widths[c])} |`;
    }
    body += "\n";
  }
  return `${rule}\n${head}\n${rule}\n${body}${rule}`;
}

/** The table's text; undefined if the data has no rows and columns. */
function table(data, properties) {
  if (!isTabular(data)) return undefined;
  const columns = new SafeMap();
  const isFixed = properties !== undefined;
  if (isFixed) {
    const names = sequence(converters.DOMString)(properties, "Failed to execute 'table' on 'console'", "parameter 2");
    for (let i = 0; i < names.length; i++) columns.set(names[i], true);
  }
  const entries = propertiesOf(data, ROW_LIMIT);
  const rows = [];
  let hasValues = false;
  for (let i = 0; i < entries.length; i += 2) {
    const row = makeRow(entries[i], entries[i + 1], columns, isFixed);
    hasValues ||= row.has(VALUES) && !columns.has(VALUES);
    ArrayPrototypePush(rows, row);
  }
  const names = [INDEX];
  columns.forEach((_, name) => ArrayPrototypePush(names, name));
  if (hasValues) ArrayPrototypePush(names, VALUES);
  return draw(rows, names);
}

provide({ table });
