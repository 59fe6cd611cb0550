// Runs the conformance suite on an addon that was compiled with the sanitizers of GCC.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { bundleSuite } from './lib/bundles.mjs';
import { inProject, nodeGyp, replaceFolder, run, scratchPath, step } from './lib/steps.mjs';
import { chosenIsas, main, suiteOptions, Tally, totalOf } from './lib/suite.mjs';

const HELP = `npm run sanitize -- [--only TEXT] [--runs N] [--help] [ISA ...]

Compiles the native kernels with GCC's AddressSanitizer and UndefinedBehaviorSanitizer (some five minutes, once) and
runs the conformance suite on each instruction set of this processor, or those named. Linux only.

  --only TEXT  the cases whose names contain it
  --runs N     random instances of each property (default 5)
  --help       print this

Ends with a line "N passed, N failed", and with status 1 if a case failed, did not run or was complained of.`;

const FLAGS = '-fsanitize=address,undefined -fno-omit-frame-pointer -g1';
const HOME = scratchPath('sanitize');
const ADDON = `prebuilds/${process.platform}-${process.arch}/xitensor.node`;

/** A copy of what the addon is made of, with its own build and the addon where the suite looks for it. */
async function build() {
  const inputs = ['native', 'binding.gyp', 'package.json'];
  const does = 'compiling the kernels with sanitizers';
  await step(
    'sanitize',
    { does, inputs, outputs: [join('.setup/sanitize', ADDON)], key: FLAGS },
    async () => {
      const fresh = scratchPath('sanitize.new');
      // What a build that failed has left.
      rmSync(fresh, { recursive: true, force: true });
      mkdirSync(dirname(join(fresh, ADDON)), { recursive: true });
      for (const input of inputs) cpSync(inProject(input), join(fresh, input), { recursive: true });
      // Names of functions, which stacks are made of.
      const gyp = readFileSync(join(fresh, 'binding.gyp'), 'utf8').replace(/, '-s'(?=\])/, '');
      writeFileSync(join(fresh, 'binding.gyp'), gyp);
      for (const folder of ['node_modules', 'test']) symlinkSync(inProject(folder), join(fresh, folder));
      await nodeGyp(fresh, ['configure', 'build'], { env: { CXXFLAGS: FLAGS, LDFLAGS: FLAGS } });
      cpSync(join(fresh, 'build/Release/xitensor.node'), join(fresh, ADDON));
      replaceFolder(fresh, HOME);
    },
  );
}

/** The run-time libraries must be there before Node is. */
async function environment(runs) {
  const library = async (name) => (await run('gcc', [`-print-file-name=lib${name}.so`])).trim();
  return {
    ...process.env,
    LD_PRELOAD: `${await library('asan')}:${await library('ubsan')}`,
    // V8 leaks on purpose, and the suite asks for more memory than there is.
    ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1',
    UBSAN_OPTIONS: 'print_stacktrace=1',
    XITENSOR_TEST_RUNS: runs,
  };
}

/** Runs the suite on one instruction set; resolves with its tally, in which each complaint has failed. */
async function sanitized(isa, bundle, only, env) {
  const program = spawn(process.execPath, [bundle, 'native', isa, only], { env, cwd: HOME });
  const ended = new Promise((resolve) => program.once('close', resolve));
  const tally = new Tally(isa);
  let complaints = 0;
  createInterface({ input: program.stderr }).on('line', (line) => {
    if (/runtime error|ERROR: AddressSanitizer/.test(line)) complaints += 1;
    console.error(`${isa}: ${line}`);
  });
  for await (const line of createInterface({ input: program.stdout })) tally.take(JSON.parse(line));
  await ended;
  if (complaints > 0) console.log(`${isa}: ${complaints} complaints of the sanitizers`);
  tally.end(complaints);
  return tally;
}

async function sanitize({ isas, only, runs }) {
  if (process.platform !== 'linux') throw new Error(`expected linux, this is ${process.platform}`);
  const code = await run(process.execPath, [inProject('scripts/setup.mjs')], { inherit: true });
  if (code !== 0) throw new Error('set-up failed');
  const { probeBackend } = await import(inProject('dist/index.js'));
  const probe = probeBackend('native');
  if (!probe.usable) throw new Error(probe.reason);
  const usable = probe.isas.flatMap((isa) => (isa.usable ? [isa.name] : []));
  const chosen = chosenIsas(isas, usable, HELP);
  await build();
  const place = join(HOME, 'suite/native/run.mjs');
  mkdirSync(dirname(place), { recursive: true });
  cpSync(inProject(await bundleSuite('sanitized')), place);
  const env = await environment(runs);
  const tallies = [];
  for (const isa of chosen) tallies.push(await sanitized(isa, place, only, env));
  return totalOf(tallies);
}

const { help, ...rest } = suiteOptions(HELP, '5');
if (help) console.log(HELP);
else await main('sanitize', sanitize(rest));
