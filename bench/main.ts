import { parseArgs } from 'node:util';
import { XiError } from '../src/core/errors.ts';
import { writeFileAtomic } from '../src/io/atomic.ts';
import { benchContraction } from './contraction.ts';
import { machine } from './subjects.ts';

const USAGE = `usage: npm run bench -- [contraction] [--only TEXT] [--json FILE]

  contraction   the generalized contraction on every backend and instruction set, as a
                fraction of the FMA peak measured in the same run; results are verified
  --only TEXT   subjects whose name holds TEXT, such as avx512 or wasm
  --json FILE   write { machine, peak, records }
`;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'string' }, only: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  const unknown = positionals.filter((name) => name !== 'contraction');
  if (values.help) console.log(USAGE);
  else if (unknown.length > 0)
    throw new XiError('E_ARGUMENT', `unknown workload ${unknown.join(', ')}\n${USAGE}`);
  else await run(values.only ?? '', values.json);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}

async function run(only: string, json: string | undefined): Promise<void> {
  const about = machine();
  console.log(`${about.processor}, ${about.cores} cores, ${about.platform}, Node ${about.node}`);
  const { peak, records } = benchContraction(({ name }) => name.includes(only));
  if (records.some((record) => !record.verified)) {
    console.error('a result is wrong');
    process.exitCode = 1;
  }
  if (json) {
    const text = JSON.stringify({ machine: about, peak, records }, null, 1);
    await writeFileAtomic(json, new TextEncoder().encode(`${text}\n`));
  }
}
