// Finds the Python in which the tests run what people come from, and installs Debian's packages where that is allowed.
import { aptInstall, run } from './lib/steps.mjs';

/** Packages of the system belong to its own Python, which need not be the first in PATH. */
const PROGRAMS = ['/usr/bin/python3', 'python3'];

/** What must be importable, each with the package that has it. */
const MODULES = { numpy: 'python3-numpy', torch: 'python3-torch' };

/** The first Python that can import some modules; '' if none can. */
export async function findPython(modules = Object.keys(MODULES)) {
  for (const program of PROGRAMS) {
    const works = await run(program, ['-c', `import ${modules.join(', ')}`]).then(
      () => true,
      () => false,
    );
    if (works) return program;
  }
  return '';
}

/** Resolves with {} when there is a Python with all modules, with { missing } when there is none. */
export async function ensurePython() {
  if (await findPython()) return {};
  const packages = Object.values(MODULES);
  const { ok, reason } = await aptInstall(packages, 'with which the tests compare');
  if (ok && (await findPython())) return {};
  const why = ok ? 'they were installed but cannot be imported' : reason;
  return {
    missing: `no Python with NumPy and PyTorch: ${why}. Get it with apt-get install ${packages.join(' ')}`,
  };
}
