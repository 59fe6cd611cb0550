import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BACKEND_NAMES, type BackendName } from '../../src/backend/interface.ts';
import { openBackend, probeBackend, selectBackend } from '../../src/backend/select.ts';
import { type BackendOptions, ISA_NAMES } from '../../src/backend/selection.ts';
import { ABI_VERSION, TABLE_HASH } from '../../src/core/abi.gen.ts';
import { NATIVE_FILE, packageFolder, RELAXED_FILE, run, WASM_FILE } from '../support/processes.ts';

interface Info {
  readonly used: { readonly name: BackendName; readonly isa: string; readonly threads: number } | null;
  readonly because: string;
  readonly backends: readonly { name: BackendName; usable: boolean; reason?: string }[];
}

let folder: string;
beforeEach(() => {
  folder = packageFolder();
});
afterEach(() => rmSync(folder, { recursive: true }));

const inFolder = (...parts: string[]) => join(folder, ...parts);

async function info(env: Record<string, string> = {}) {
  const outcome = await run([inFolder('dist/cli/main.js'), 'info', '--json'], { cwd: folder, env });
  const record = (
    outcome.stdout ? JSON.parse(outcome.stdout) : { used: null, because: '', backends: [] }
  ) as Info;
  const reason = (name: BackendName) =>
    record.backends.find((backend) => backend.name === name)?.reason ?? '';
  return { ...outcome, ...record, reason };
}

const OTHER_HASH = '0123456789abcdef';

/** Makes a binary say that it was built from another table, or something that nobody can read. */
function makeStale(file: string, hash = OTHER_HASH): void {
  const bytes = readFileSync(inFolder(file), 'latin1');
  expect(bytes.split(TABLE_HASH).length, 'the hash lies in the data section').toBeGreaterThan(1);
  writeFileSync(inFolder(file), bytes.replaceAll(TABLE_HASH, hash), 'latin1');
}

const remove = (file: string) => rmSync(inFolder(file));
const overwrite = (file: string) => writeFileSync(inFolder(file), 'this is no binary at all');
const cutTo = (file: string, share: number) =>
  truncateSync(inFolder(file), Math.floor(readFileSync(inFolder(file)).length * share));
const flipByte = (file: string, at: number) => {
  const bytes = readFileSync(inFolder(file));
  bytes[at] ^= 0xff;
  writeFileSync(inFolder(file), bytes);
};

/** Every module: an engine with relaxed SIMD has two to choose from. */
const toModules = (damage: (file: string) => void) => {
  for (const file of [WASM_FILE, RELAXED_FILE]) damage(file);
};

describe('selection by probing', () => {
  it('uses the native backend, for no reason but that it comes first', async () => {
    const { code, used, because } = await info();
    expect({ code, name: used?.name, because }).toEqual({
      code: 0,
      name: 'native',
      because: 'it comes first and works',
    });
  });

  it.each<[string, () => void, RegExp]>([
    ['removed', () => remove(NATIVE_FILE), /no binary for .*xitensor\.node is missing/],
    ['built from another table', () => makeStale(NATIVE_FILE), /stale/],
    ['not a binary', () => overwrite(NATIVE_FILE), /cannot be loaded/],
    ['empty', () => cutTo(NATIVE_FILE, 0), /cannot be loaded/],
    // The dynamic loader maps what is not there and dies of SIGBUS.
    ['cut in the middle', () => cutTo(NATIVE_FILE, 0.3), /truncated: \d+ bytes are missing/],
    ['cut at its end', () => cutTo(NATIVE_FILE, 0.999), /truncated: \d+ bytes are missing/],
    [
      'cut in the middle, and says nothing of its sections',
      () => {
        cutTo(NATIVE_FILE, 0.3);
        const bytes = readFileSync(inFolder(NATIVE_FILE));
        bytes.fill(0, 40, 48);
        writeFileSync(inFolder(NATIVE_FILE), bytes);
      },
      /truncated: \d+ bytes are missing/,
    ],
    ['for another processor', () => flipByte(NATIVE_FILE, 18), /cannot be loaded/],
  ])('falls back to wasm when the addon is %s', async (_, damage, expected) => {
    damage();
    const { code, signal, used, because, reason, stderr } = await info();
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(used?.name).toBe('wasm');
    expect(reason('native')).toMatch(expected);
    expect(because).toContain(`native cannot be used: ${reason('native')}`);
  });

  it.each<[string, () => void, RegExp]>([
    ['removed', () => toModules(remove), /xitensor\.wasm is missing/],
    ['built from another table', () => toModules(makeStale), /stale/],
    ['not a module', () => toModules(overwrite), /cannot be instantiated/],
    ['empty', () => toModules((file) => cutTo(file, 0)), /cannot be instantiated/],
    ['cut in the middle', () => toModules((file) => cutTo(file, 0.5)), /cannot be instantiated/],
    ['of another version', () => toModules((file) => flipByte(file, 4)), /cannot be instantiated/],
  ])('falls back to the reference when also the module is %s', async (_, damage, expected) => {
    remove(NATIVE_FILE);
    damage();
    const { code, used, because, reason, stderr } = await info();
    expect(code).toBe(0);
    expect(stderr).toBe(
      `xitensor: the reference backend computes, tens of times slower than the others:\n  native: ${reason('native')}\n  wasm: ${reason('wasm')}\n`,
    );
    expect(used).toEqual({ name: 'reference', isa: 'float64', threads: 1 });
    expect(reason('wasm')).toMatch(expected);
    expect(because).toContain('native cannot be used');
    expect(because).toContain(`wasm cannot be used: ${reason('wasm')}`);
  });

  it('a stale binary is refused with both hashes and the ABI', async () => {
    makeStale(NATIVE_FILE);
    toModules(makeStale);
    const { reason } = await info();
    for (const name of ['native', 'wasm'] as const) {
      expect(reason(name)).toContain(`built for ABI ${ABI_VERSION}, table ${OTHER_HASH}`);
      expect(reason(name)).toContain(`needs ABI ${ABI_VERSION}, table ${TABLE_HASH}`);
    }
  });

  it('a binary whose description cannot be read is refused, and the next one tried', async () => {
    makeStale(NATIVE_FILE, '"'.repeat(TABLE_HASH.length));
    const { code, used, reason } = await info();
    expect({ code, name: used?.name }).toEqual({ code: 0, name: 'wasm' });
    expect(reason('native')).toContain('the binary is unreadable');
  });

  it('the text for people says the same', async () => {
    remove(NATIVE_FILE);
    const { stdout } = await run([inFolder('dist/cli/main.js'), 'info'], { cwd: folder });
    expect(stdout).toMatch(/native +not usable: there is no binary/);
    expect(stdout).toMatch(/used: wasm (relaxed|wasm)128, \d+ threads? \(native cannot be used: /);
  });
});

it('names no build where the engine has no WebAssembly', async () => {
  const env = { XITENSOR_BACKEND: 'wasm' };
  const { code, stderr } = await run(['--jitless', inFolder('dist/cli/main.js'), 'train'], { env });
  expect({ code, stderr }).toEqual({
    code: 1,
    // Node itself warns of its flag.
    stderr: expect.stringMatching(
      /no backend can be used:\n {2}wasm: this engine has no WebAssembly \(E_BACKEND\)\n$/,
    ),
  });
});

it("has one thread of WebAssembly where Node's permission model allows no workers", async () => {
  const script = `
    const { openBackend, probeBackend } = await import(process.argv[1]);
    const { threads } = await openBackend({ prefer: ['wasm'] });
    const { code } = await openBackend({ prefer: ['wasm'], threads: 2 }).catch((error) => error);
    console.log(threads, code, probeBackend('wasm').note);`;
  const flag = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission';
  const flags = [flag, '--allow-fs-read=*', '--no-warnings', '--input-type=module', '-e', script];
  const { code, stdout } = await run([...flags, inFolder('dist/index.js')]);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: "1 E_BACKEND one thread: Node's permission model allows no workers without --allow-worker\n",
  });
});

it('passes WebAssembly over where the address space has no room for one more memory', async () => {
  const script = `
    const { openBackend } = await import(process.argv[1]);
    const kept = [];
    for (let n = 0; n < 9; n++) kept.push(await openBackend({ prefer: ['wasm', 'reference'], threads: 1 }));
    const wasm = openBackend({ prefer: ['wasm'] });
    const { code, message } = await wasm.catch((error) => error);
    console.log([kept[0], kept[8]].map(({ name }) => name).join(), code, message);`;
  const shell = `ulimit -v 40000000 && exec "$0" --input-type=module -e "$1" "$2"`;
  const args = ['-c', shell, process.execPath, script, inFolder('dist/index.js')];
  const { code, stdout } = await run(args, { program: 'bash' });
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(
      /^wasm,reference E_BACKEND no backend can be used:\n {2}wasm: WebAssembly memory: expected address space/,
    ),
  });
});

describe('forcing by the environment', () => {
  it.each(BACKEND_NAMES)('XITENSOR_BACKEND=%s', async (name) => {
    const { code, used, because } = await info({ XITENSOR_BACKEND: name });
    expect({ code, name: used?.name, because }).toEqual({
      code: 0,
      name,
      because: `XITENSOR_BACKEND=${name}`,
    });
  });

  it('XITENSOR_ISA chooses any that the processor runs, on whatever backend has it', async () => {
    for (const name of BACKEND_NAMES) {
      const probe = probeBackend(name);
      for (const isa of probe.usable ? probe.isas.filter(({ usable }) => usable) : []) {
        const threads = name === 'reference' ? 1 : 3;
        const { used } = await info({ XITENSOR_ISA: isa.name, XITENSOR_THREADS: `${threads}` });
        expect(used).toEqual({ name, isa: isa.name, threads });
      }
    }
  });

  it('knows the instruction sets of every backend by name', () => {
    for (const probe of BACKEND_NAMES.map(probeBackend))
      for (const { name } of probe.usable ? probe.isas : []) expect(ISA_NAMES).toContain(name);
  });

  it('fails with every reason where the choice cannot be had', async () => {
    const both = await info({ XITENSOR_BACKEND: 'native', XITENSOR_ISA: 'wasm128' });
    expect(both).toMatchObject({ code: 1, used: null, stderr: '' });
    // Nothing is broken, and a build would not help.
    expect(both.because).toMatch(/native: it has no instruction set 'wasm128', only .*$/);
    remove(NATIVE_FILE);
    const one = await info({ XITENSOR_BACKEND: 'native' });
    expect(one).toMatchObject({ code: 1, used: null });
    expect(one.because).toMatch(/no backend can be used:\n {2}native: there is no binary.*\nnpm run build/);
    const score = await run([inFolder('dist/cli/main.js'), 'train', '--limit', '10'], {
      cwd: folder,
      env: { XITENSOR_BACKEND: 'native' },
    });
    expect(score).toMatchObject({ code: 1, stdout: '' });
    expect(score.stderr).toMatch(/^xitensor: no backend can be used:[\s\S]*\(E_BACKEND\)\n$/);
  });

  it.each([
    [
      { XITENSOR_BACKEND: 'gpu' },
      "XITENSOR_BACKEND: expected one of native, wasm, reference, received 'gpu'",
    ],
    [{ XITENSOR_ISA: 'mmx' }, `XITENSOR_ISA: expected one of ${ISA_NAMES.join(', ')}, received 'mmx'`],
    [{ XITENSOR_THREADS: 'many' }, "XITENSOR_THREADS: expected an integer from 1 to 255, received 'many'"],
    [{ XITENSOR_THREADS: '0' }, "XITENSOR_THREADS: expected an integer from 1 to 255, received '0'"],
    [{ XITENSOR_THREADS: '1.5' }, "XITENSOR_THREADS: expected an integer from 1 to 255, received '1.5'"],
    [{ XITENSOR_THREADS: '256' }, "XITENSOR_THREADS: expected an integer from 1 to 255, received '256'"],
  ])('%o is a bad argument', async (env, message) => {
    const { code, stdout, stderr } = await info(env as Record<string, string>);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: `xitensor: ${message} (E_ARGUMENT)\n`,
    });
  });
});

describe('options', () => {
  const VARIABLES = { XITENSOR_BACKEND: 'gpu', XITENSOR_ISA: 'mmx', XITENSOR_THREADS: 'many' };
  afterEach(() => {
    for (const name of Object.keys(VARIABLES)) delete process.env[name];
  });

  it('win over the environment', async () => {
    Object.assign(process.env, VARIABLES);
    const backend = await openBackend({ prefer: ['reference'], isa: 'float64', threads: 1 });
    expect(backend).toMatchObject({ name: 'reference', isa: 'float64', threads: 1 });
  });

  it('ask for threads that must be there', async () => {
    const one = /^no backend can be used:\n {2}reference: it has one thread here, and 2 are asked for$/;
    const refusal = { name: 'XiError', code: 'E_BACKEND', message: expect.stringMatching(one) };
    await expect(openBackend({ prefer: ['reference'], threads: 2 })).rejects.toMatchObject(refusal);
    Object.assign(process.env, { XITENSOR_BACKEND: 'reference', XITENSOR_THREADS: '2' });
    await expect(openBackend()).rejects.toMatchObject(refusal);
    // Of a program that says what it prefers the variable asks for no more than that has.
    expect(await openBackend({ prefer: ['reference'] })).toMatchObject({ name: 'reference', threads: 1 });
    expect(await openBackend({ prefer: ['wasm', 'reference'] })).toMatchObject({ name: 'wasm', threads: 2 });
    delete process.env.XITENSOR_BACKEND;
    expect((await openBackend()).threads).toBe(2);
    const { backend, refusals } = selectBackend({ prefer: ['reference', 'wasm'], threads: 2 });
    expect([backend.name, refusals.map(({ name }) => name)]).toEqual(['wasm', ['reference']]);
  });

  it('keep the reasons of what was passed over', () => {
    const { backend, refusals } = selectBackend({ isa: 'float64' });
    expect(backend.name).toBe('reference');
    expect(refusals.map(({ name }) => name)).toEqual(['native', 'wasm']);
    for (const { reason } of refusals) expect(reason).not.toBe('');
  });

  it.each<[unknown, string, RegExp]>([
    [
      { prefer: [] },
      'E_ARGUMENT',
      /^openBackend prefer: expected a list of native, wasm, reference, received \[\]/,
    ],
    [{ prefer: 'native' }, 'E_ARGUMENT', /^openBackend prefer: expected a list/],
    [
      { prefer: ['reference', 'gpu'] },
      'E_ARGUMENT',
      /^openBackend prefer: expected one of .*, received 'gpu'/,
    ],
    [{ backend: 'native' }, 'E_ARGUMENT', /openBackend: expected options among prefer, isa, threads/],
    [{ threads: 0 }, 'E_ARGUMENT', /^openBackend threads: expected an integer from 1 to 255, received 0/],
    [{ threads: 1.5 }, 'E_ARGUMENT', /threads/],
    [{ threads: '2' }, 'E_ARGUMENT', /threads/],
    [{ isa: Symbol('avx2') }, 'E_ARGUMENT', /^openBackend isa: expected one of amx, /],
    [{ isa: 'mmx' }, 'E_ARGUMENT', /^openBackend isa: expected one of amx, .*, float64, received 'mmx'/],
    [
      { prefer: ['wasm', 'reference'], isa: 'neon' },
      'E_BACKEND',
      /wasm: [\s\S]*reference: it has no instruction set 'neon'/,
    ],
    [null, 'E_ARGUMENT', /openBackend: expected options \{ prefer, isa, threads \}, received null/],
  ])('%o is refused', async (options, code, message) => {
    const refusal = { name: 'XiError', code, message: expect.stringMatching(message) };
    await expect(openBackend(options as BackendOptions)).rejects.toMatchObject(refusal);
  });
});
