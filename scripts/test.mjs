// All set-up, then vitest. Arguments go to vitest: npm test -- contract. XITENSOR_REQUIRE names the backends that must run.
import { rmSync } from 'node:fs';
import { inProject, run, scratchPath } from './lib/steps.mjs';
import { setup } from './setup.mjs';

const results = scratchPath('vitest.json');
// Whoever reads the file must not find the results of an earlier run.
rmSync(results, { force: true });

try {
  await setup({ neon: true, chromium: true, python: true, runtimes: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
  const vitest = inProject('node_modules/vitest/vitest.mjs');
  process.exitCode = await run(process.execPath, [vitest, 'run', ...reporters, ...process.argv.slice(2)], {
    inherit: true,
  });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
