import { availableParallelism, cpus } from 'node:os';
import { Command } from 'commander';
import { BACKEND_NAMES, type BackendName } from '../backend/interface.ts';
import type { IsaReport } from '../backend/probes.ts';
import { probeBackend, selectBackend } from '../backend/select.ts';
import { XiError } from '../core/errors.ts';
import { printJson } from './options.ts';

interface Info {
  readonly machine: { readonly processor: string; readonly cores: number; readonly node: string };
  readonly used: { readonly name: BackendName; readonly isa: string; readonly threads: number } | null;
  /** Why nothing can be used, or why what comes first is not. */
  readonly because: string;
  readonly backends: readonly {
    readonly name: BackendName;
    readonly usable: boolean;
    readonly source: string;
    readonly reason?: string;
    readonly note?: string;
    readonly isas: readonly IsaReport[];
  }[];
}

const EXAMPLES = `
Examples:
  xitensor info
  XITENSOR_BACKEND=wasm xitensor info --json`;

export function infoCommand(): Command {
  return new Command('info')
    .description('the backends and instruction sets of this machine, which is used, and why others are not')
    .option('--json', 'print one record')
    .addHelpText('after', EXAMPLES)
    .action(({ json }: { json?: boolean }) => {
      const info = gather();
      if (json) printJson(info);
      else process.stdout.write(draw(info));
      if (!info.used) process.exitCode = 1;
    });
}

function gather(): Info {
  const machine = {
    processor: cpus()[0]?.model.trim() || process.arch,
    cores: availableParallelism(),
    node: process.version,
  };
  const backends = BACKEND_NAMES.map((name) => {
    const probe = probeBackend(name);
    return {
      name,
      usable: probe.usable,
      source: probe.source,
      ...(probe.usable ? probe.note && { note: probe.note } : { reason: probe.reason }),
      isas: probe.usable ? probe.isas : [],
    };
  });
  try {
    const { backend, refusals } = selectBackend();
    const forced = ['XITENSOR_BACKEND', 'XITENSOR_ISA'].filter((name) => process.env[name]);
    const because = [
      ...forced.map((name) => `${name}=${process.env[name]}`),
      ...refusals.map(({ name, reason }) => `${name} cannot be used: ${reason}`),
    ];
    const used = { name: backend.name, isa: backend.isa, threads: backend.threads };
    return { machine, used, because: because.join('; ') || 'it comes first and works', backends };
  } catch (error) {
    if (!(error instanceof XiError && error.code === 'E_BACKEND')) throw error;
    return { machine, used: null, because: error.message, backends };
  }
}

function draw({ machine, used, because, backends }: Info): string {
  const lines = [`${machine.processor}, ${machine.cores} cores, Node ${machine.node}`, ''];
  for (const { name, usable, source, reason, note, isas } of backends) {
    lines.push(
      `${used?.name === name ? '→' : ' '} ${name.padEnd(10)}${usable ? source : `not usable: ${reason}`}`,
    );
    if (note) lines.push(`      ${note}`);
    for (const isa of isas) {
      const mark = used?.name === name && used.isa === isa.name ? '→' : ' ';
      lines.push(`    ${mark} ${isa.name.padEnd(11)}${isa.usable ? '' : 'not usable: '}${isa.reason}`);
    }
  }
  const verdict = used
    ? `used: ${used.name} ${used.isa}, ${used.threads} ${used.threads === 1 ? 'thread' : 'threads'} (${because})`
    : because;
  return [...lines, '', verdict, ''].join('\n');
}
