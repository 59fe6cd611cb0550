// Runs the conformance suite on instruction sets that this processor lacks, under an emulated one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { buildBochs } from './lib/bochs.mjs';
import { bundleSuite } from './lib/bundles.mjs';
import { END, fetchKernel, makeGuest } from './lib/guest.mjs';
import { aptInstall, have, inProject, run } from './lib/steps.mjs';
import { chosenIsas, main, suiteOptions, Tally, totalOf } from './lib/suite.mjs';

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

/** Runs the suite on one instruction set; resolves with its tally. */
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
  const tally = new Tally(isa);
  const [socket] = await Promise.race([
    once(server, 'connection'),
    ended.then(() => Promise.reject(new Error(`Bochs ended at once; see ${guest.folder}/bochs.log`))),
  ]);
  socket.setTimeout(SILENCE, () => {
    console.log(`${isa}: nothing came for ${SILENCE / 60_000} minutes`);
    socket.destroy();
  });
  for await (const line of createInterface({ input: socket })) {
    if (line.includes(END)) break;
    const said = parse(line);
    if (said.text) {
      console.log(`${isa}: ${said.text}`);
      if (said.text.includes('Kernel panic')) break;
      continue;
    }
    tally.take(said);
    if (said.cases) console.log(`${isa}: Node ${tally.node} is up, ${tally.cases} cases`);
    else if (tally.done % 25 === 0) console.log(`${isa}: ${tally.done} of ${tally.cases} cases`);
  }
  program.kill('SIGKILL');
  await ended;
  server.close();
  tally.end();
  if (tally.failed === 0) rmSync(guest.folder, { recursive: true });
  return tally;
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
  const tallies = [];
  const queue = [...isas];
  const worker = async () => {
    for (let isa = queue.shift(); isa; isa = queue.shift()) tallies.push(await emulate(machine, isa));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return totalOf(tallies);
}

const { help, isas, ...rest } = suiteOptions(HELP, '1');
if (help) console.log(HELP);
else await main('emulate', emulateAll(chosenIsas(isas, ISAS, HELP), rest));
