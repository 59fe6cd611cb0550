/** What went wrong, as a stable word that programs may branch on. */
export type XiErrorCode =
  | 'E_SHAPE'
  | 'E_DTYPE'
  | 'E_ARGUMENT'
  | 'E_BACKEND'
  | 'E_FILE'
  | 'E_MEMORY'
  | 'E_NUMERIC'
  | 'E_ABORTED';

/** An {@link XiError} in JSON. */
export interface XiErrorRecord {
  /** `XiError`. */
  readonly name: string;
  /** As the error has it. */
  readonly code: XiErrorCode;
  /** As the error has it. */
  readonly message: string;
}

/** Every error that xitensor raises on purpose: a stable `code`, and a message with the rule and the value received. */
export class XiError extends Error {
  /** What went wrong, in a word that does not change between versions. */
  readonly code: XiErrorCode;

  constructor(code: XiErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'XiError';
    this.code = code;
  }

  /** For logs of JSON, in which an error would otherwise have no message. */
  toJSON(): XiErrorRecord {
    return { name: this.name, code: this.code, message: this.message };
  }
}

/** Lists in lists that are shown; one that contains itself has no end. */
const SHOWN_DEPTH = 4;
/** Characters of a value that are shown: lists of eight in one another are thousands. */
const SHOWN_LENGTH = 120;

/** Prints a received value the way error messages show it: short, unambiguous, never throwing. */
export function show(value: unknown): string {
  let text: string;
  try {
    text = shown(value, 0);
  } catch {
    // A getter or a proxy of the caller's.
    text = 'an object that cannot be read';
  }
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH - 1)}…` : text;
}

function shown(value: unknown, depth: number): string {
  if (typeof value === 'string') return value.length > 60 ? `'${value.slice(0, 57)}…'` : `'${value}'`;
  if (Array.isArray(value)) {
    if (depth === SHOWN_DEPTH) return '[…]';
    const head = Array.from(value.slice(0, 8), (item) => shown(item, depth + 1)).join(', ');
    return `[${head}${value.length > 8 ? `, … ${value.length} items` : ''}]`;
  }
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength} bytes)`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'object' && value !== null) return shownObject(value);
  return String(value);
}

function shownObject(value: object): string {
  const { dtype, shape, data } = value as Readonly<Record<string, unknown>>;
  if (typeof dtype === 'string' && Array.isArray(shape) && data !== undefined)
    return `Tensor ${dtype} ${shown(shape, SHOWN_DEPTH - 1)}`;
  const keys = Object.keys(value);
  const fields = keysOf(keys);
  // A Map, a Date or a URL has no keys: its class says what it is.
  const name = value.constructor?.name;
  if (typeof name !== 'string' || name === '' || name === 'Object') return fields ? `{ ${fields} }` : '{}';
  return fields ? `${name} { ${fields} }` : name;
}

/** @throws XiError E_ARGUMENT for anything but an AbortSignal, unless it is left out: it would never stop anything. */
export function checkSignal(where: string, signal: unknown): void {
  if (signal === undefined || typeof (signal as AbortSignal | null)?.addEventListener === 'function') return;
  throw mismatch('E_ARGUMENT', `${where} signal`, 'an AbortSignal', signal);
}

/** @throws XiError E_ARGUMENT for anything but a function, unless it is left out. */
export function checkCallback(name: string, callback: unknown): void {
  if (callback !== undefined && typeof callback !== 'function')
    throw mismatch('E_ARGUMENT', name, 'a function', callback);
}

/** Work that `signal` stopped, whose reason is the cause. */
export const aborted = (message: string, signal: AbortSignal | undefined): XiError =>
  new XiError('E_ABORTED', message, { cause: signal?.reason });

/** The one phrasing of a refused value: `where: expected what, received value`. */
export function mismatch(code: XiErrorCode, where: string, expected: string, received: unknown): XiError {
  return new XiError(code, `${where}: expected ${expected}, received ${show(received)}`);
}

/** Runs a check that several public functions share, and prefixes its refusals with the name of the one that was called. */
export function naming<T>(where: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof XiError) || beginsWith(error.message, where)) throw error;
    throw new XiError(error.code, `${where} ${error.message}`, { cause: error.cause ?? error });
  }
}

/** As a whole word: a refusal of fitShallow does not begin with the name of fit. */
const beginsWith = (message: string, name: string) =>
  message.startsWith(name) && !/^\w/.test(message.slice(name.length));

/** Checks that `value` is an integer in [low, high] and returns it. */
export function integer(where: string, value: unknown, low: number, high: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high) return value;
  throw mismatch('E_ARGUMENT', where, `an integer from ${low} to ${high}`, value);
}

/** Checks that `value` is one of `choices` and returns it. */
export function oneOf<T extends string>(where: string, value: unknown, choices: readonly T[]): T {
  if (choices.includes(value as T)) return value as T;
  throw mismatch('E_ARGUMENT', where, `one of ${choices.join(', ')}`, value);
}

/** The first names of a record's fields. */
const keysOf = (keys: readonly string[]) => `${keys.slice(0, 6).join(', ')}${keys.length > 6 ? ', …' : ''}`;

/** Checks that `options`, or what else an object is called, has no key outside `known`; a misspelt option must not be ignored. */
export function knownKeys(
  where: string,
  options: object,
  known: readonly string[],
  called: 'options' | 'parts' = 'options',
): void {
  // A list, a Map or a Date has none of the keys, and would be taken for options that are all left out.
  if (typeof options !== 'object' || options === null || tagOf(options) !== '[object Object]')
    throw mismatch('E_ARGUMENT', where, `${called} { ${keysOf(known)} }`, options);
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw mismatch('E_ARGUMENT', where, `${called} among ${known.join(', ')}`, key);
    }
    if (!readable(options, key))
      throw mismatch('E_ARGUMENT', `${where} ${key}`, 'an option that can be read', 'a getter that throws');
  }
}

const tagOf = (value: object): string => Object.prototype.toString.call(value);

/** Whether a property can be read: a getter of the caller's may throw. */
export function readable(value: object, key: string): boolean {
  try {
    void (value as Readonly<Record<string, unknown>>)[key];
    return true;
  } catch {
    return false;
  }
}
