import { mismatch } from './errors.ts';

/** What a value of a file must be. @throws XiError E_FILE that names the place, what was expected there and what was found. */
export type Form = (where: string, value: unknown) => void;

const form =
  (expected: string, holds: (value: unknown) => boolean): Form =>
  (where, value) => {
    if (!holds(value)) throw mismatch('E_FILE', where, expected, value);
  };

export const text = form('a text', (value) => typeof value === 'string');
export const flag = form('true or false', (value) => typeof value === 'boolean');
export const finite = form('a number', Number.isFinite);
/** NaN and infinities are null in JSON. */
export const figure = form('a number or null', (value) => value === null || Number.isFinite(value));

export const scalar = form('a text, a number, true or false', (value) =>
  ['string', 'number', 'boolean'].includes(typeof value),
);

export const whole = (low: number, high: number): Form =>
  form(
    `an integer from ${low} to ${high}`,
    (value) => Number.isInteger(value) && (value as number) >= low && (value as number) <= high,
  );
export const count = whole(0, Number.MAX_SAFE_INTEGER);

export const among = (choices: readonly unknown[]): Form =>
  form(`one of ${choices.join(', ')}`, (value) => choices.includes(value));

export const orNull =
  (inner: Form): Form =>
  (where, value) => {
    if (value !== null) inner(where, value);
  };

/** That of a part which may be missing. */
export const perhaps =
  (inner: Form): Form =>
  (where, value) => {
    if (value !== undefined) inner(where, value);
  };

export function listOf(inner: Form, least = 0): Form {
  const list = form(
    least > 0 ? `a list of at least ${least}` : 'a list',
    (value) => Array.isArray(value) && value.length >= least,
  );
  return (where, value) => {
    list(where, value);
    for (const [n, item] of (value as unknown[]).entries()) inner(`${where}[${n}]`, item);
  };
}

/** A list of so many parts, each of its own form. */
export function tuple(...inner: readonly Form[]): Form {
  const list = form(
    `a list of ${inner.length}`,
    (value) => Array.isArray(value) && value.length === inner.length,
  );
  return (where, value) => {
    list(where, value);
    for (const [n, item] of inner.entries()) item(`${where}[${n}]`, (value as unknown[])[n]);
  };
}

/** An object of parts of one form, whatever their names. */
export const recordOf =
  (inner: Form): Form =>
  (where, value) => {
    parts({})(where, value);
    for (const [name, item] of Object.entries(value as object)) inner(`${where} ${name}`, item);
  };

/** An object with these parts; what else is in it is not read. */
export function parts(inner: Readonly<Record<string, Form>>): Form {
  const names = Object.keys(inner);
  const object = form(
    names.length > 0 ? `an object of ${names.join(', ')}` : 'an object',
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  );
  return (where, value) => {
    object(where, value);
    for (const name of names) {
      const own = Object.hasOwn(value as object, name) ? (value as Record<string, unknown>)[name] : undefined;
      inner[name](`${where} ${name}`, own);
    }
  };
}
