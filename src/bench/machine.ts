import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import type { Machine } from './records.ts';

/** Sizes of the caches of the first core, `L1d 48K`, where the kernel tells them. */
function caches(): string[] {
  const folder = '/sys/devices/system/cpu/cpu0/cache';
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith('index'))
      .map((name) => {
        const read = (file: string) => readFileSync(`${folder}/${name}/${file}`, 'utf8').trim();
        const kind = { Data: 'd', Instruction: 'i' }[read('type')] ?? '';
        return `L${read('level')}${kind} ${read('size')}`;
      });
  } catch {
    return [];
  }
}

function firstLine(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split(
      '\n',
    )[0];
  } catch {
    return 'none';
  }
}

/** What the figures depend on, as far as it can be found out; family and model tell processors of one name apart. */
export function machineOf(peers: Readonly<Record<string, string>>): Machine {
  let about = '';
  try {
    const text = readFileSync('/proc/cpuinfo', 'utf8');
    const field = (name: string) => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(text)?.[1];
    if (field('cpu family')) about = ` (family ${field('cpu family')}, model ${field('model')})`;
  } catch {
    // Not Linux.
  }
  return {
    processor: `${cpus()[0]?.model.trim() || process.arch}${about}`,
    cores: availableParallelism(),
    caches: caches(),
    platform: `${process.platform}-${process.arch}`,
    // Its version: what a distribution or a host appends says nothing of the speed.
    kernel: release().split('-')[0],
    node: process.version,
    compiler: firstLine(process.env.CC || 'cc', ['--version']),
    date: new Date().toISOString().slice(0, 10),
    peers,
  };
}
