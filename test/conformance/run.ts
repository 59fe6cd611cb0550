/**
 * Runs the suite on the backend and instruction set that its arguments name, or those cases whose names contain a third, and
 * prints a line of JSON a case. For what the process of the tests lacks, a processor or a feature of the engine:
 * conformance_elsewhere.test.ts and scripts/emulate.mjs bundle this file and start it where that is.
 */
import type { BackendName } from '../../src/backend/interface.ts';
import { selectBackend } from '../../src/backend/select.ts';
import { suite } from './suite.ts';

const [name, isa, only = ''] = process.argv.slice(2);
const { backend } = selectBackend({
  prefer: [name as BackendName],
  isa,
  threads: name === 'reference' ? 1 : 2,
});
const chosen = suite.filter((one) => one.name.includes(only));
const cases = chosen.length;
console.log(JSON.stringify({ isa: backend.isa, node: process.version, arch: process.arch, cases }));
for (const { name, run } of chosen) {
  let error: string | null = null;
  try {
    run(backend);
  } catch (failure) {
    error = (failure as Error).message;
  }
  console.log(JSON.stringify({ name, error }));
}
