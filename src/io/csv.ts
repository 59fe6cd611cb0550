import { XiError } from '../core/errors.ts';

/** A line of a table: its fields and the number of the line that it begins on, from 1. */
export interface CsvRow {
  readonly line: number;
  readonly fields: readonly string[];
}

/**
 * The rows of a text in CSV (RFC 4180): fields between commas, quoted where they contain commas, quotes (doubled) or line
 * ends. Lines end in LF or CRLF; empty lines are skipped.
 *
 * @param where names the text in messages, usually the path.
 * @throws XiError E_FILE with the line of a quote that is not closed or stands inside a plain field.
 */
export function parseCsv(text: string, where: string): CsvRow[] {
  const rows: CsvRow[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  let [line, begun] = [1, 1];
  let fields: string[] = [];
  while (field.lastIndex < text.length || fields.length > 0) {
    const at = field.lastIndex;
    const [whole, quoted, plain, end] = field.exec(text) ?? [];
    if (whole === undefined) {
      const received = text.slice(at, at + 20).split('\n', 1)[0];
      const expected = 'a field, in quotes as a whole or without any';
      throw new XiError('E_FILE', `${where}, line ${line}: expected ${expected}, received '${received}'`);
    }
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += whole.split('\n').length - 1;
    if (end === ',') continue;
    if (fields.length > 1 || fields[0] !== '' || quoted !== undefined) rows.push({ line: begun, fields });
    [fields, begun] = [[], line];
  }
  return rows;
}
