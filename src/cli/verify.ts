import { Command } from 'commander';
import { CHECKS, type Verification, verify } from '../experiments/verify.ts';
import { type BackendChoice, number, openChosen, printJson, withBackendOptions } from './options.ts';

interface Flags extends BackendChoice {
  readonly seed: number;
  readonly only?: readonly string[];
  readonly instances?: number;
  readonly list?: boolean;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  xitensor verify
  xitensor verify --only theorem-5.2 lemma-5.1 --seed 3 --json`;

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('every lemma, proposition and theorem, tried on random instances')
    .option('--seed <n>', 'seed of the instances', number, 0)
    .option('--only <ids...>', 'checks whose ids begin with these')
    .option('--instances <n>', 'random instances of each check (default: its own number)', number)
    .option('--list', 'print what would be checked, and check nothing');
  return withBackendOptions(command)
    .option('--json', 'print one record')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: Flags) => {
      if (flags.list) list(flags);
      else await check(flags);
    });
}

function list({ json }: Flags): void {
  if (json)
    printJson(CHECKS.map(({ id, statement, source, instances }) => ({ id, statement, source, instances })));
  else
    for (const { id, statement, source } of CHECKS) process.stdout.write(`${id}: ${statement} (${source})\n`);
}

async function check(flags: Flags): Promise<void> {
  const backend = openChosen(flags);
  const started = performance.now();
  const checks: Verification[] = [];
  const { seed, only, instances } = flags;
  for await (const result of verify({ seed, only, backend, ...(instances !== undefined && { instances }) })) {
    checks.push(result);
    if (!flags.json) process.stdout.write(line(result));
  }
  const seconds = (performance.now() - started) / 1000;
  const failed = checks.filter(({ pass }) => !pass).length;
  if (failed > 0) process.exitCode = 1;
  const { name, isa } = backend;
  if (flags.json) printJson({ seed: flags.seed, backend: name, isa, seconds, pass: failed === 0, checks });
  else {
    const verdict =
      failed === 0 ? `all ${checks.length} checks pass` : `${failed} of ${checks.length} checks fail`;
    process.stdout.write(`\n${verdict} · seed ${flags.seed} · ${name} ${isa} · ${seconds.toFixed(1)} s\n`);
  }
}

function line({ id, statement, instances, kind, figure, tolerance, pass }: Verification): string {
  const told =
    kind === 'violations'
      ? `${figure} violations in ${instances} instances`
      : `relative error ${figure.toExponential(1)} ≤ ${tolerance.toExponential(0)}, ${instances} instances`;
  const shown = pass ? told : told.replace('≤', '> allowed');
  return `${pass ? 'pass' : 'FAIL'}  ${id.padEnd(30)}${shown}\n      ${statement}\n`;
}
