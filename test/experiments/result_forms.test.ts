import { describe, expect, it } from 'vitest';
import type { Form } from '../../src/core/form.ts';
import * as FORMS from '../../src/experiments/result_forms.ts';
import { refusal } from '../support/models.ts';
import { SETTINGS, someResults } from '../support/results.ts';

const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
const { performance, studies, certificate, verification, showcase, comparison } = someResults();
const RECORDS: readonly (readonly [string, Form, unknown])[] = [
  ['settings', FORMS.SETTINGS, SETTINGS],
  ['a training', FORMS.PERFORMANCE, performance[0]],
  ['a study', FORMS.STUDY, studies[0]],
  ['a certificate', FORMS.CERTIFICATE, certificate],
  ['the checks', FORMS.VERIFICATION, verification],
  ['the network', FORMS.SHOWCASE, showcase],
  ['the backends', FORMS.COMPARISON, comparison],
];
/** What of a record may be missing, and what may be anything. */
const FREE = /^(study\.|note|exact|epochs|networks)|\.(note|exact|study)\b/;

/** A value with every part replaced in turn. */
function* edits(value: unknown, path = ''): Generator<[path: string, edited: unknown]> {
  for (const other of [undefined, Symbol('x')]) yield [path, other];
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value))
    for (const [at, edited] of edits(inner, `${path}${path && '.'}${key}`)) {
      const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [...value] : { ...value };
      (copy as Record<string, unknown>)[key] = edited;
      yield [at, copy];
    }
}

describe('a record of reproduce', () => {
  it.each(RECORDS)('%s as it is, and refused with any part edited', (_, form, record) => {
    const whole = plain(record);
    form('r.json', whole);
    let count = 0;
    for (const [path, edited] of edits(whole)) {
      if (FREE.test(path)) continue;
      count++;
      expect(() => form('r.json', edited), path).toThrow(
        refusal('E_FILE', /^r\.json.*: expected .*, received/),
      );
    }
    expect(count).toBeGreaterThan(8);
  });

  it('names the place, what was expected and what was found', () => {
    const edited = plain(performance[0]);
    edited.history[1].loss = 'low';
    expect(() => FORMS.PERFORMANCE('r.json', edited)).toThrow(
      refusal('E_FILE', /^r\.json history\[1\] loss: expected a number or null, received 'low'$/),
    );
  });
});
