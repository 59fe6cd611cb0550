import { XiError } from '../core/errors.ts';

/** A line of a table: its fields and the number of the line that it begins on, from 1. */
export interface CsvRow {
  readonly line: number;
  readonly fields: readonly string[];
}

/**
 * The rows of a text in CSV (RFC 4180): fields between commas, or another delimiter, quoted where they contain it, quotes
 * (doubled) or line ends. Spaces around a field belong to it in quotes alone. Lines end in LF or CRLF; empty lines are skipped.
 *
 * @param where names the text in messages, usually the path.
 * @throws XiError E_FILE with the line of a quote that is not closed or stands inside a plain field.
 */
export function parseCsv(text: string, where: string, delimiter = ','): CsvRow[] {
  const rows: CsvRow[] = [];
  const divides = `\\u{${delimiter.codePointAt(0)!.toString(16)}}`;
  const plainField = new RegExp(`([^"${divides}\\r\\n]*)(${divides}|\\r?\\n|$)`, 'uy');
  const endsInCr = new RegExp(`[^"${divides}\\r\\n]*\\r(?!\\n)`, 'uy');
  let [line, begun, next] = [1, 1, 0];
  let fields: string[] = [];
  while (next < text.length || fields.length > 0) {
    const at = next;
    // By hand, because a regular expression overflows its stack on a field of some million characters.
    const close = text[at] === '"' ? closingQuote(text, at) : undefined;
    const begin = close === undefined ? at : close + 1;
    plainField.lastIndex = begin;
    const [, plain, end] = (close !== -1 && plainField.exec(text)) || [];
    const quoted = close === undefined ? undefined : text.slice(at + 1, close);
    if (plain === undefined || (quoted !== undefined && plain !== '')) {
      const received = text.slice(at, at + 20).split('\n', 1)[0];
      // A CR alone, where a field that begins here, or goes on here behind its quotes, ends.
      endsInCr.lastIndex = begin;
      const expected = endsInCr.test(text)
        ? 'lines that end in LF or CRLF, not in CR alone'
        : 'a field, in quotes as a whole or without any';
      throw new XiError('E_FILE', `${where}, line ${line}: expected ${expected}, received '${received}'`);
    }
    next = plainField.lastIndex;
    fields.push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'));
    line += text.slice(at, next).split('\n').length - 1;
    if (end === delimiter) continue;
    if (fields.length > 1 || fields[0] !== '' || quoted !== undefined) rows.push({ line: begun, fields });
    [fields, begun] = [[], line];
  }
  return rows;
}

/** Where the quotes that begin at a place end, past those that are doubled; −1 if they do not. */
function closingQuote(text: string, begin: number): number {
  let at = text.indexOf('"', begin + 1);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
}
