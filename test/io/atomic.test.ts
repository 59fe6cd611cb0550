import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { XiErrorCode } from '../../src/core/errors.ts';
import { checkWritable, pending, readFileChecked, writeFileAtomic } from '../../src/io/atomic.ts';
import { isTemporary, temporaryName } from '../../src/io/temporary.ts';

const xi = (code: XiErrorCode, message: RegExp) =>
  expect.objectContaining({
    name: 'XiError',
    code,
    message: expect.stringMatching(message),
    cause: expect.anything(),
  });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xi-atomic-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('writeFileAtomic', () => {
  test('writes one chunk, several, none', async () => {
    const path = join(folder, 'a');
    await writeFileAtomic(path, Uint8Array.of(1, 2));
    expect([...(await readFile(path))]).toEqual([1, 2]);
    await writeFileAtomic(path, [
      Uint8Array.of(3),
      new Uint8Array(0),
      Uint8Array.of(0, 4, 5, 0).subarray(1, 3),
    ]);
    expect([...(await readFile(path))]).toEqual([3, 4, 5]);
    await writeFileAtomic(path, []);
    expect((await readFile(path)).length).toBe(0);
    expect(await readdir(folder)).toEqual(['a']);
  });

  test('a failure between chunks leaves the old file and nothing else', async () => {
    const path = join(folder, 'a');
    await writeFile(path, 'old');
    const broken = [new Uint8Array(100_000), 42 as never];
    await expect(writeFileAtomic(path, broken)).rejects.toThrow(xi('E_FILE', /cannot write .*a: /));
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['a']);
    await expect(writeFileAtomic(join(folder, 'b'), broken)).rejects.toThrow(
      xi('E_FILE', /cannot write .*b: /),
    );
    expect(await readdir(folder)).toEqual(['a']);
  });

  test('knows of its temporary file in every turn in which it is there', async () => {
    let seen = 0;
    for (let n = 0; n < 200; n++) {
      let isDone = false;
      const writing = writeFileAtomic(join(folder, 'a'), new Uint8Array(10)).finally(() => {
        isDone = true;
      });
      while (!isDone) {
        const there = readdirSync(folder).filter(isTemporary);
        seen += there.length;
        for (const name of there) expect([...pending]).toContain(join(folder, name));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await writing;
    }
    expect(seen).toBeGreaterThan(0);
    expect([...pending]).toEqual([]);
  });

  test('refuses folders, devices and paths through files', async () => {
    await mkdir(join(folder, 'sub'));
    await writeFile(join(folder, 'file'), '');
    const code = 'E_FILE';
    await expect(writeFileAtomic(join(folder, 'sub'), [])).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/a directory/),
    });
    await expect(writeFileAtomic(join(folder, 'no', 'a'), [])).rejects.toThrow(
      xi(code, /no such file or folder/),
    );
    await expect(writeFileAtomic(join(folder, 'file', 'a'), [])).rejects.toThrow(xi(code, /not a folder/));
    expect((await readdir(folder)).sort()).toEqual(['file', 'sub']);
  });

  test('does not replace a device', async () => {
    await symlink('/dev/null', join(folder, 'null'));
    await expect(writeFileAtomic(join(folder, 'null'), [])).rejects.toMatchObject({
      code: 'E_FILE',
      message: expect.stringMatching(/device/),
    });
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  });

  test('follows a link and keeps permissions', async () => {
    const path = join(folder, 'a');
    await writeFile(path, 'old');
    await chmod(path, 0o600);
    await symlink('a', join(folder, 'link'));
    await writeFileAtomic(join(folder, 'link'), Buffer.from('new'));
    expect(await readFile(path, 'utf8')).toBe('new');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await lstat(join(folder, 'link'))).isSymbolicLink()).toBe(true);
  });

  test('keeps permissions that a umask would take away', async () => {
    const path = join(folder, 'a');
    await writeFile(path, 'old');
    await chmod(path, 0o666);
    await writeFileAtomic(path, Buffer.from('new'));
    expect((await stat(path)).mode & 0o777).toBe(0o666);
  });

  test('follows links to a file that is not there yet', async () => {
    await mkdir(join(folder, 'far'));
    await mkdir(join(folder, 'far', 'deep'));
    await symlink('far/deep', join(folder, 'near'));
    await symlink('near/../second', join(folder, 'first'));
    await symlink(join(folder, 'far', 'deep', 'file'), join(folder, 'far', 'second'));
    await checkWritable(join(folder, 'first'));
    await expect(checkWritable(join(folder, 'n'.repeat(300)))).rejects.toThrow(
      xi('E_FILE', /^cannot write .*n: the name is too long \(ENAMETOOLONG\)$/),
    );
    await writeFileAtomic(join(folder, 'first'), Buffer.from('new'));
    expect(await readFile(join(folder, 'far', 'deep', 'file'), 'utf8')).toBe('new');
    for (const link of ['first', 'far/second'])
      expect((await lstat(join(folder, link))).isSymbolicLink()).toBe(true);
  });

  test('refuses links to where no file can be', async () => {
    await symlink('none/file', join(folder, 'link'));
    await symlink('circle', join(folder, 'circle'));
    const code = 'E_FILE';
    const cases = {
      link: /link: expected a link into a folder, found one to .*none\/file/,
      circle: /lead in a circle \(ELOOP\)/,
    };
    for (const [name, message] of Object.entries(cases)) {
      const refused = { code, message: expect.stringMatching(message) };
      await expect(checkWritable(join(folder, name))).rejects.toMatchObject(refused);
      await expect(writeFileAtomic(join(folder, name), [])).rejects.toMatchObject(refused);
    }
    expect((await readdir(folder)).sort()).toEqual(['circle', 'link']);
  });
});

/** The module under test in a process of its own, where the system itself interrupts it. */
describe('writeFileAtomic in another process', () => {
  let home: string;
  let script: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'xi-atomic-script-'));
    script = join(home, 'write.mjs');
    await build({
      stdin: {
        contents: `
          import { writeFileAtomic } from './src/io/atomic.ts';
          const [path, repeat] = process.argv.slice(2);
          do {
            for (const byte of [1, 2]) {
              await writeFileAtomic(path, Array(16).fill(new Uint8Array(65536).fill(byte))).catch((error) => {
                console.log(error.code, error.message);
                process.exit(1);
              });
              console.log('written');
            }
          } while (repeat);`,
        resolveDir: process.cwd(),
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: script,
    });
  });
  afterAll(() => rm(home, { recursive: true }));

  test('a full device leaves the old file and nothing else', async () => {
    const path = join(folder, 'a');
    await writeFile(path, 'old');
    // 512 blocks of 512 or 1024 bytes: the limit strikes in the middle of the million bytes.
    const child = spawn('sh', ['-c', 'ulimit -f 512; exec "$0" "$@"', process.execPath, script, path]);
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    await once(child, 'close');
    expect(output).toMatch(/^E_FILE cannot write .*a: the file would be too large \(EFBIG\)/);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['a']);
  });

  test('SIGKILL at any moment leaves whole files', async () => {
    const path = join(folder, 'a');
    for (const delay of [0, 3, 7, 13]) {
      const child = spawn(process.execPath, [script, path, 'repeat']);
      await once(child.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, delay));
      child.kill('SIGKILL');
      await once(child, 'close');
      const bytes = await readFile(path);
      expect(bytes.length).toBe(2 ** 20);
      expect(bytes.every((byte) => byte === bytes[0])).toBe(true);
    }
    // Whoever writes there next clears away what the last one left.
    await writeFileAtomic(path, Buffer.from('new'));
    expect(await readdir(folder)).toEqual(['a']);
  });

  test('what dead processes left is cleared away, what living ones write is not', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'close');
    const mine = temporaryName();
    const of = (pid: number | undefined) => mine.replace(`-${process.pid}-`, `-${pid}-`);
    const elsewhere = mine.replace(/^\.xitensor-.{8}/, '.xitensor-00000000');
    const old = new Date(Date.now() - 25 * 60 * 60 * 1000);
    const names = { dead: of(child.pid), parent: of(process.ppid), mine, elsewhere };
    const before = { silent: elsewhere.replace('.tmp', 'a.tmp'), mine: mine.replace('.tmp', 'a.tmp') };
    const other = '.xitensor-notes.tmp';
    for (const name of [...Object.values(names), ...Object.values(before), other])
      await writeFile(join(folder, name), 'half');
    for (const name of [...Object.values(before), other]) await utimes(join(folder, name), old, old);
    await writeFileAtomic(join(folder, 'a'), Buffer.from('new'));
    const { parent } = names;
    expect((await readdir(folder)).sort()).toEqual(['a', parent, mine, elsewhere, other].sort());
  });
});

describe('readFileChecked', () => {
  test('reads, and says why it cannot', async () => {
    await writeFile(join(folder, 'a'), 'abc');
    expect(Buffer.from(await readFileChecked(join(folder, 'a'))).toString()).toBe('abc');
    await expect(readFileChecked(join(folder, 'none'))).rejects.toThrow(
      xi('E_FILE', /cannot read .*none: no such file/),
    );
    await expect(readFileChecked(folder)).rejects.toThrow(xi('E_FILE', /it is a directory \(EISDIR\)/));
    await expect(readFileChecked(join(folder, 'a', 'b'))).rejects.toThrow(xi('E_FILE', /not a folder/));
    await expect(readFileChecked('a\0b')).rejects.toThrow(xi('E_FILE', /null bytes/));
  });

  test('permission denied', async () => {
    await writeFile(join(folder, 'a'), 'abc', { mode: 0 });
    // Root may read everything, so it becomes nobody for the while.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65534);
    try {
      await expect(readFileChecked(join(folder, 'a'))).rejects.toThrow(xi('E_FILE', /permission denied/));
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });
});
