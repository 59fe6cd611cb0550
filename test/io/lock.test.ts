import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lock } from '../../src/io/lock.ts';
import { ownerOf } from '../../src/io/temporary.ts';
import { refusal } from '../support/models.ts';
import { temporaryFolder } from '../support/processes.ts';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => rmSync(folder, { recursive: true }));
const path = () => join(folder, 'm.safetensors');
const file = () => `${path()}.lock`;

/** A lock that a process left there so long ago. */
function left(text: string, seconds: number) {
  writeFileSync(file(), text);
  const then = Date.now() / 1000 - seconds;
  utimesSync(file(), then, then);
}

describe('lock', () => {
  it('names this process, alone in its folder, and is gone when it is released', async () => {
    const release = await lock(path());
    expect(readdirSync(folder)).toEqual(['m.safetensors.lock']);
    expect(ownerOf(readFileSync(file(), 'utf8'))).toBe(String(process.pid));
    await expect(lock(path())).rejects.toThrow(
      refusal(
        'E_FILE',
        new RegExp(`found process ${process.pid} \\(by ${file()}, which may be removed if there is none\\)$`),
      ),
    );
    await release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each(['', 'garbage', '\0\0\0'])('takes the place of one that names no process: %j', async (text) => {
    left(text, 10);
    const release = await lock(path());
    expect(ownerOf(readFileSync(file(), 'utf8'))).toBe(String(process.pid));
    await release();
    expect(existsSync(file())).toBe(false);
  });

  it('leaves one that may be being written', async () => {
    left('', 0);
    await expect(lock(path())).rejects.toThrow(
      refusal('E_FILE', /found one that does not say which \(by .*\.lock, which may be removed/),
    );
    expect(readFileSync(file(), 'utf8')).toBe('');
    rmSync(file());
  });

  it('of many at once one has it', async () => {
    left('', 10);
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lock(path())));
    const held = tries.filter(({ status }) => status === 'fulfilled');
    expect(held).toHaveLength(1);
    for (const one of tries) if (one.status === 'fulfilled') await one.value();
    expect(readdirSync(folder)).toEqual([]);
  });
});
