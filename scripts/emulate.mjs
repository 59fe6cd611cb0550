// Runs the conformance suite on instruction sets that this processor lacks, under an emulated one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { buildBochs } from './lib/bochs.mjs';
import { bundleSuite } from './lib/bundles.mjs';
import { END, fetchKernel, makeGuest } from './lib/guest.mjs';
import { aptInstall, have, inProject, run } from './lib/steps.mjs';

const ISAS = ['avx512', 'avx512bf16', 'amx'];
const HELP = `npm run emulate -- [--only TEXT] [--runs N] [--help] [ISA ...]

Runs the conformance suite of the native kernels on an emulated Sapphire Rapids, for processors that lack
${ISAS.join(', ')} (all three unless some are named). Debian only: it compiles Bochs and boots Debian's
kernel in it. Some half an hour an instruction set, as many at a time as there are cores. It tells nothing of speed.

  --only TEXT  the cases whose names contain it
  --runs N     random instances of each property (default 1)
  --help       print this

Ends with a line "N passed, N failed", and with status 1 if a case failed or did not run.`;

/** Commands and files, and the packages of Debian that have them. */
const NEEDED = {
  busybox: 'busybox-static',
  cpio: 'cpio',
  'g++': 'g++',
  make: 'make',
  xz: 'xz-utils',
  'grub-mkrescue': 'grub-common',
  xorriso: 'xorriso',
  mformat: 'mtools',
  '/usr/lib/grub/i386-pc': 'grub-pc-bin',
  '/usr/share/bochs/BIOS-bochs-latest': 'bochsbios',
  '/usr/share/vgabios/vgabios.bin': 'vgabios',
};
// Nothing in the suite takes as long.
const SILENCE = 20 * 60_000;

function refuse(message) {
  console.error(`${message}\n\n${HELP}`);
  process.exit(2);
}

function options() {
  const text = (fallback) => ({ type: 'string', default: fallback });
  const shape = { only: text(''), runs: text('1'), help: { type: 'boolean', default: false } };
  try {
    const { values, positionals } = parseArgs({ options: shape, allowPositionals: true });
    const unknown = positionals.find((isa) => !ISAS.includes(isa));
    if (unknown) refuse(`expected ${ISAS.join(', ')}, got ${unknown}`);
    if (!/^[1-9]\d{0,3}$/.test(values.runs)) refuse(`--runs: expected 1 to 9999, got ${values.runs}`);
    return { ...values, isas: positionals.length > 0 ? positionals : ISAS };
  } catch (error) {
    return refuse(error.message);
  }
}

async function ensureTools() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`expected linux on x64, this is ${process.platform} on ${process.arch}`);
  const packages = Object.keys(NEEDED)
    .filter((name) => !(name.startsWith('/') ? existsSync(name) : have(name)))
    .map((name) => NEEDED[name]);
  if (packages.length === 0) return;
  const { ok, reason } = await aptInstall(packages, 'with which a machine is emulated');
  if (!ok) throw new Error(`${reason}. Get them with apt-get install ${packages.join(' ')}`);
}

/** A line of the suite, or { text } of what the kernel or Node says beside it. */
function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return { text: line };
  }
}

/** Runs the suite on one instruction set; resolves with { passed, failed }. */
async function emulate({ bochs, kernel, bundle, runs, only }, isa) {
  const filter = `'${only.replaceAll("'", "'\\''")}'`;
  const command = `XITENSOR_TEST_RUNS=${runs} ${process.execPath} ${bundle} native ${isa} ${filter}`;
  const guest = await makeGuest(isa, kernel, command, [
    bundle,
    'package.json',
    'prebuilds/linux-x64',
    'test/golden',
  ]);
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const program = spawn(bochs, ['-q', '-f', guest.configure(server.address().port)], { stdio: 'ignore' });
  const ended = once(program, 'close');
  process.once('exit', () => program.kill());
  const result = { passed: 0, failed: 0 };
  const [socket] = await Promise.race([
    once(server, 'connection'),
    ended.then(() => Promise.reject(new Error(`Bochs ended at once; see ${guest.folder}/bochs.log`))),
  ]);
  socket.setTimeout(SILENCE, () => {
    console.log(`${isa}: nothing came for ${SILENCE / 60_000} minutes`);
    socket.destroy();
  });
  let cases = Number.POSITIVE_INFINITY;
  for await (const line of createInterface({ input: socket })) {
    if (line.includes(END)) break;
    const said = parse(line);
    if (said.text) {
      console.log(`${isa}: ${said.text}`);
      if (said.text.includes('Kernel panic')) break;
    } else if (said.cases) {
      cases = said.cases;
      console.log(`${isa}: Node ${said.node} is up, ${cases} cases`);
    } else {
      result[said.error === null ? 'passed' : 'failed'] += 1;
      if (said.error !== null) console.log(`${isa}: ${said.name}\n  ${said.error}`);
      const done = result.passed + result.failed;
      if (done % 25 === 0) console.log(`${isa}: ${done} of ${cases} cases`);
    }
  }
  program.kill('SIGKILL');
  await ended;
  server.close();
  const missing = cases - result.passed - result.failed;
  if (missing > 0) {
    console.log(`${isa}: ${Number.isFinite(missing) ? missing : 'all'} cases did not run`);
    result.failed += Number.isFinite(missing) ? missing : 1;
  } else if (result.failed === 0) rmSync(guest.folder, { recursive: true });
  return result;
}

async function emulateAll(isas, options) {
  const code = await run(process.execPath, [inProject('scripts/setup.mjs')], { inherit: true });
  if (code !== 0) throw new Error('set-up failed');
  await ensureTools();
  const made = {
    bochs: await buildBochs(),
    kernel: await fetchKernel(),
    bundle: await bundleSuite('emulated'),
  };
  const machine = { ...made, ...options };
  const total = { passed: 0, failed: 0 };
  const queue = [...isas];
  const worker = async () => {
    for (let isa = queue.shift(); isa; isa = queue.shift()) {
      const { passed, failed } = await emulate(machine, isa);
      console.log(`${isa}: ${passed} passed, ${failed} failed`);
      total.passed += passed;
      total.failed += failed;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

const { help, isas, ...rest } = options();
if (help) console.log(HELP);
else {
  const code = await emulateAll(isas, rest).catch((error) => {
    console.error(`emulate: ${error.message}`);
    return 1;
  });
  process.exit(code);
}
