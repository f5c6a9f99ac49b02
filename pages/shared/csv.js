// Tables as files for spreadsheets.

// Of the whole, and of each piece where a spreadsheet that splits otherwise would begin a cell.
const formula = /(?:^|[;,\t\r\n])[\s"]*[=+\-@＝＋－＠]|^\s*[\t\r]/;

/** Text that a spreadsheet would run as a formula is marked as text; numbers stay numbers. */
function field(value) {
  if (value == null) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = formula.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows are arrays; the first one has the titles. */
export function toCsv(rows) {
  return rows.map((row) => row.map(field).join(',') + '\r\n').join('');
}

/** Hands a text, or pieces of one, to the browser as a file. The mark in front tells spreadsheets that it is UTF-8. */
export function download(name, text, type = 'text/csv;charset=utf-8') {
  const url = URL.createObjectURL(new Blob(['\ufeff', ...[text].flat()], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads it after this turn; a minute is ample.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
