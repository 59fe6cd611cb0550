// Set-up of the peers that npm run bench measures beside us: node bench/peers/setup.mjs PEER…. Packages of npm go to
// bench/peers/node_modules, those of Python come from the system's packages. Writes .setup/peers.json: what is
// missing, each with its reason.
import { writeFileSync } from 'node:fs';
import { aptInstall, have, inProject, npm, run, scratchPath, step } from '../../scripts/lib/steps.mjs';

const folder = 'bench/peers';

/** Packages of npm. No script of theirs runs: that of onnxruntime-node would download CUDA. */
async function installNode() {
  const inputs = [`${folder}/package.json`, `${folder}/package-lock.json`];
  // The lock is the stamp's output: half a gigabyte of packages is not read again at each start.
  const outputs = [`${folder}/node_modules/.package-lock.json`];
  const does = 'npm ci in bench/peers (onnxruntime-node, tfjs, ml-matrix)';
  await step('peers', { does, inputs, outputs }, () =>
    npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: inProject(folder) }),
  );
}

/** For each Python peer: what must be importable, and the system's packages that make it so. */
const PYTHON = {
  torch: {
    probe: 'import torch, numpy',
    packages: ['python3-torch', 'python3-numpy', 'libopenblas0-pthread'],
  },
  numpy: {
    probe: 'import numpy, scipy.linalg',
    packages: ['python3-numpy', 'python3-scipy', 'libopenblas0-pthread'],
  },
  openblas: {
    probe: "import numpy, ctypes; ctypes.CDLL('libopenblas.so.0')",
    packages: ['python3-numpy', 'libopenblas0-pthread'],
  },
};
// Packages of the system belong to its own Python, which need not be the first in PATH.
const python = '/usr/bin/python3';

async function installPython(names) {
  const missing = {};
  const works = (name) =>
    run(python, ['-c', PYTHON[name].probe]).then(
      () => true,
      () => false,
    );
  const wanted = [];
  for (const name of names) if (!(await works(name))) wanted.push(name);
  if (wanted.length === 0) return missing;
  const packages = [...new Set(wanted.flatMap((name) => PYTHON[name].packages))];
  const { ok, reason } = await aptInstall(packages, `which the benchmark measures us against`);
  for (const name of wanted) {
    if (await works(name)) continue;
    const why = ok ? `${python} cannot import it although its packages are installed` : reason;
    missing[name] = `${why}; get it with apt-get install ${PYTHON[name].packages.join(' ')}`;
  }
  return missing;
}

const NODE = ['onnxruntime', 'tfjs-wasm', 'ml-matrix'];
const wanted = process.argv.slice(2);
const missing = {};
if (wanted.some((name) => NODE.includes(name))) {
  await installNode().catch((error) => {
    const reason = `npm could not install it: ${error.message.trim().split('\n').at(-1)}`;
    for (const name of NODE) missing[name] = reason;
  });
}
Object.assign(missing, await installPython(Object.keys(PYTHON).filter((name) => wanted.includes(name))));
if (wanted.includes('naive-c')) {
  const compiler = process.env.CC || 'cc';
  if (!have(compiler)) missing['naive-c'] = `there is no C compiler ${compiler}`;
}
for (const [name, reason] of Object.entries(missing)) console.warn(`peer ${name}: left out, ${reason}`);
writeFileSync(scratchPath('peers.json'), JSON.stringify(missing));
