import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCsv } from '../../src/io/csv.ts';
import { refusal } from '../support/models.ts';

describe('parseCsv', () => {
  test('quotes, line ends and the numbers of lines', () => {
    const text = 'a,b\r\n"x, ""y""\nz",2\n\n,\n"",\nlast,1';
    expect(parseCsv(text, 't')).toEqual([
      { line: 1, fields: ['a', 'b'] },
      { line: 2, fields: ['x, "y"\nz', '2'] },
      { line: 5, fields: ['', ''] },
      { line: 6, fields: ['', ''] },
      { line: 7, fields: ['last', '1'] },
    ]);
    expect(parseCsv('', 't')).toEqual([]);
    expect(parseCsv('a,', 't')).toEqual([{ line: 1, fields: ['a', ''] }]);
  });

  test('gives back what was written', () => {
    const quote = (field: string) =>
      /[",\r\n]|^ | $/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
    const field = fc.string({ unit: fc.constantFrom('a', '1', ' ', ',', '"', '\n', '\r\n', 'é') });
    // A row of one empty field is an empty line.
    const row = fc
      .array(field, { minLength: 1, maxLength: 4 })
      .filter(([first, ...rest]) => first !== '' || rest.length > 0);
    fc.assert(
      fc.property(fc.array(row), fc.constantFrom('\n', '\r\n'), fc.boolean(), (rows, end, ended) => {
        const text = rows.map((fields) => fields.map(quote).join(',')).join(end) + (ended ? end : '');
        expect(parseCsv(text, 't').map(({ fields }) => fields)).toEqual(rows);
      }),
    );
  });

  test('spaces belong to a field in quotes alone', () => {
    const rows = parseCsv(' a\t, b c ," d "\n', 't');
    expect(rows).toEqual([{ line: 1, fields: ['a', 'b c', ' d '] }]);
  });

  test('fields of any length', () => {
    const [long, quotes] = ['x'.repeat(12_000_000), '"'.repeat(4_000_000)];
    const [{ fields }] = parseCsv(`"${long}","${quotes}${quotes}",b\n`, 't');
    expect(fields.map(({ length }) => length)).toEqual([long.length, quotes.length, 1]);
  });

  test.each([
    ['a,b\n1,"2\n3,4', /t, line 2: expected a field, in quotes as a whole or without any, received '"2'/],
    ['a,b\n1,x"y"\n', /t, line 2: .*received 'x"y"'/],
    ['"a"b,c\n', /t, line 1: .*received '"a"b,c'/],
    ['a,b\r1,2\r', /t, line 1: expected lines that end in LF or CRLF, not in CR alone, received 'b\r1,2\r'/],
    ['a\n"b"\r1\r', /t, line 2: expected lines that end in LF or CRLF/],
    ['a\rb"', /t, line 1: expected lines that end in LF or CRLF/],
    ['"a\rb', /t, line 1: expected a field, in quotes/],
  ])('refuses %j', (text, message) => expect(() => parseCsv(text, 't')).toThrow(refusal('E_FILE', message)));
});
