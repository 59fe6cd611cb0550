import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { XiError } from '../core/errors.ts';
import type { Form } from '../core/form.ts';
import { SETTINGS } from '../experiments/result_forms.ts';
import type { ResultSettings } from '../experiments/results.ts';
import { fileError, readFileChecked, writeFileAtomic } from '../io/atomic.ts';
import { lock, type Release } from '../io/lock.ts';
import { isTemporary } from '../io/temporary.ts';

const HEAD = 'xitensor-results.json';
const LOCK = `${HEAD}.lock`;
/** The files of ours, by folder; the head is the last, so that what a stop leaves of a clearing is known as ours still. */
const OWN: readonly (readonly [folder: string, file: RegExp])[] = [
  [
    'performance',
    /^(records\.(json|csv)|showcase\.(json|safetensors)|.+-seed\d+\.(json|checkpoint\.safetensors))$/,
  ],
  [
    'expressivity',
    /^(figure\d\.(json|jsonl|jsonl\.lock|csv)|(verify|backends|certificate(\.proof)?)\.json)$/,
  ],
  ['.', /^report\.html$/],
  ['.', new RegExp(`^${HEAD.replace('.', '\\.')}$`)],
];

/** A folder of results: a head with the settings, and records as JSON files that are there whole or not at all. */
export class ResultsFolder {
  readonly path: string;
  readonly settings: ResultSettings;

  private constructor(path: string, settings: ResultSettings) {
    this.path = path;
    this.settings = settings;
  }

  /**
   * The settings of the results in a folder; undefined where there is no folder, or an empty one.
   *
   * @throws XiError E_FILE for a folder with something else in it.
   */
  static async settingsIn(path: string): Promise<ResultSettings | undefined> {
    const head = join(path, HEAD);
    if (existsSync(head)) {
      const settings = await readJson(head);
      SETTINGS(head, settings);
      return settings as ResultSettings;
    }
    if (!existsSync(path)) return undefined;
    let names: string[];
    try {
      names = readdirSync(path);
    } catch (cause) {
      throw fileError('read', path, cause);
    }
    // A run that was killed at its first file leaves that behind.
    names = names.filter((name) => !isTemporary(name) && name !== LOCK);
    if (names.length === 0) return undefined;
    const message = `${path}: expected a new or empty folder, or one with results, found ${names.slice(0, 3).join(', ')}; --force writes there all the same`;
    throw new XiError('E_FILE', message);
  }

  /**
   * Keeps other processes out of a folder, which is made where there is none.
   *
   * @throws XiError E_FILE that names the process which writes there already.
   */
  static async lock(path: string): Promise<Release> {
    try {
      await mkdir(path, { recursive: true });
    } catch (cause) {
      throw fileError('write', path, cause);
    }
    return lock(join(path, HEAD));
  }

  /** Goes on with the results in a folder, or begins there. */
  static async open(path: string, settings: ResultSettings): Promise<ResultsFolder> {
    const folder = new ResultsFolder(path, settings);
    await folder.put(HEAD, settings);
    return folder;
  }

  /** Removes our files in a folder of results, and folders that are empty then; where there are no results, nothing. */
  static async clear(path: string): Promise<void> {
    const ours = await ResultsFolder.settingsIn(path).catch(() => undefined);
    if (!ours) return;
    for (const [name, own] of OWN) {
      const folder = join(path, name);
      try {
        const files = await readdir(folder).catch(() => []);
        for (const file of files.filter((file) => own.test(file) || isTemporary(file)))
          await rm(join(folder, file), { force: true });
      } catch (cause) {
        throw fileError('write', folder, cause);
      }
      // What is left in it is not ours.
      if (name !== '.') await rmdir(folder).catch(() => {});
    }
  }

  file(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  /**
   * The record in a file if its parts with these names are as expected; else undefined: it must be computed.
   *
   * @throws XiError E_FILE for what is no JSON, or is not of this form although those parts are as expected.
   */
  async get<T extends object>(name: string, form: Form, expected: object): Promise<T | undefined> {
    const path = this.file(name);
    if (!existsSync(path)) return undefined;
    const record = await readJson(path);
    const same = Object.entries(plain(expected)).every(([key, value]) =>
      isDeepStrictEqual((record as Record<string, unknown> | null)?.[key], value),
    );
    if (!same) return undefined;
    form(path, record);
    return record as T;
  }

  /** Writes a record. */
  put(name: string, record: unknown): Promise<void> {
    return this.write(name, `${JSON.stringify(record, null, 1)}\n`);
  }

  /** Writes a text. */
  async write(name: string, text: string): Promise<void> {
    await writeFileAtomic(await this.place(name), new TextEncoder().encode(text));
  }

  /** Where a file goes, in a folder that is there. */
  async place(name: string): Promise<string> {
    const path = this.file(name);
    try {
      await mkdir(dirname(path), { recursive: true });
    } catch (cause) {
      throw fileError('write', dirname(path), cause);
    }
    return path;
  }
}

/** As it is after a way through JSON. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

async function readJson(path: string): Promise<unknown> {
  const text = new TextDecoder().decode(await readFileChecked(path));
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new XiError('E_FILE', `${path}: expected JSON, which it is not`, { cause });
  }
}
