import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Absence } from '../../src/bench/records.ts';
import type { Subject } from '../../src/bench/subject.ts';
import { isAnalysis, isModel, type Workload } from '../../src/bench/workloads.ts';
import { mlMatrix } from './ml_matrix.ts';
import { naiveC } from './naive_c.ts';
import { onnxruntime } from './onnxruntime.ts';
import { versionOf } from './packages.ts';
import { plainJs } from './plain_js.ts';
import { type FormGroup, type PythonEnvironment, pythonPeer } from './python.ts';
import { tfjsWasm } from './tfjs.ts';

interface Opened {
  readonly subjects: readonly Subject[];
  readonly versions?: Readonly<Record<string, string>>;
}

/**
 * OpenBLAS 0.3.21 does not know processors newer than itself and takes AVX2 kernels for them: where there is AVX-512 its
 * kernels for that are tried too, and are twice as fast on Zen 5. PyTorch 1.13 takes AVX2 unless it is told otherwise. And
 * glibc gives arrays of more than 32 MB back to the system at once: told to keep them, PyTorch does the step of a CP network
 * in a quarter of the time where pages are dear.
 */
function environments(peer: 'torch' | 'numpy' | 'openblas'): PythonEnvironment[] {
  const avx512 = existsSync('/proc/cpuinfo') && /\bavx512dq\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
  const skylake = { label: 'OPENBLAS_CORETYPE=SKYLAKEX', env: { OPENBLAS_CORETYPE: 'SKYLAKEX' } };
  const told = {
    label: 'SKYLAKEX, ATEN_CPU_CAPABILITY=avx512',
    env: { ...skylake.env, ATEN_CPU_CAPABILITY: 'avx512' },
  };
  const wide = !avx512 ? [] : peer === 'torch' ? [skylake, told] : [skylake];
  const known = [{ label: '', env: {} }, ...wide];
  const { label, env } = known[known.length - 1];
  const keeping = { ...env, MALLOC_MMAP_MAX_: '0', MALLOC_TRIM_THRESHOLD_: `${2 ** 34}` };
  return [...known, { label: [label, 'MALLOC_MMAP_MAX_=0'].filter(Boolean).join(', '), env: keeping }];
}

const SMOOTH: readonly string[] = ['logsumexp', 'l2'];
const isContraction = (workload: Workload, ...kinds: readonly string[]): boolean =>
  workload.kind === 'contract' && kinds.includes(workload.xi);

async function python(
  library: 'torch' | 'numpy' | 'openblas',
  answers: (workload: Workload) => boolean,
): Promise<Opened> {
  const peer = { name: library, library, environments: environments(library), answers };
  const { subject, versions } = await pythonPeer(peer);
  return { subjects: [subject], versions };
}

/** PyTorch once more, with other forms than its best. */
async function torchWith(
  group: FormGroup,
  name: string,
  answers: (workload: Workload) => boolean,
): Promise<Opened> {
  const peer = { name, library: 'torch', environments: environments('torch').slice(-1), groups: [group] };
  const { subject } = await pythonPeer({ ...peer, answers });
  return { subjects: [subject] };
}

/** The peers, by the names that --only looks at and set-up knows. */
const PEERS: Readonly<Record<string, () => Opened | Promise<Opened>>> = {
  onnxruntime: () => ({
    subjects: [onnxruntime()],
    versions: { 'onnxruntime-node': versionOf('onnxruntime-node') },
  }),
  'tfjs-wasm': async () => ({
    subjects: [await tfjsWasm()],
    versions: { '@tensorflow/tfjs-backend-wasm': versionOf('@tensorflow/tfjs-backend-wasm') },
  }),
  'ml-matrix': () => ({ subjects: [mlMatrix()], versions: { 'ml-matrix': versionOf('ml-matrix') } }),
  'plain-js': () => ({ subjects: [plainJs] }),
  torch: () => python('torch', (workload) => workload.kind !== 'call' && !isAnalysis(workload)),
  numpy: () =>
    python('numpy', (workload) => !isModel(workload) && !['call', 'gradients'].includes(workload.kind)),
  // Shorter formulas for smooth ξ that overflow for large operands; beside the safe ones.
  'torch-overflowing': () =>
    torchWith('overflows', 'torch-overflowing', (workload) => isContraction(workload, ...SMOOTH)),
  // Derivatives written out, where the target names autograd.
  'torch-by-hand': () => torchWith('by hand', 'torch-by-hand', ({ kind }) => kind === 'gradients'),
  'torch-plain': () => torchWith('plain', 'torch-plain', ({ kind }) => kind === 'train'),
  openblas: () => python('openblas', (workload) => isContraction(workload, 'rectifier', 'product')),
  'naive-c': () => ({ subjects: [naiveC[0]] }),
  'c-interchanged': () => ({ subjects: [naiveC[1]] }),
};

/** Peers that need what another one does. */
const SET_UP: Readonly<Record<string, string>> = {
  'torch-overflowing': 'torch',
  'torch-by-hand': 'torch',
  'torch-plain': 'torch',
  'c-interchanged': 'naive-c',
};

export const PEER_NAMES = Object.keys(PEERS);

/** Installs and opens the peers named; what cannot be had comes back with its reason. */
export async function openPeers(
  names: readonly string[],
): Promise<{ subjects: Subject[]; versions: Record<string, string>; absent: Absence[] }> {
  const subjects: Subject[] = [];
  const versions: Record<string, string> = {};
  const absent: Absence[] = [];
  if (names.length === 0) return { subjects, versions, absent };
  const { status } = spawnSync(
    process.execPath,
    [resolve('bench/peers/setup.mjs'), ...new Set(names.map((name) => SET_UP[name] ?? name))],
    {
      stdio: 'inherit',
    },
  );
  const missing: Record<string, string> =
    status === 0 ? JSON.parse(readFileSync(resolve('.setup/peers.json'), 'utf8')) : {};
  for (const name of names) {
    try {
      const reason = missing[SET_UP[name] ?? name];
      if (reason) throw new Error(reason);
      const opened = await PEERS[name]();
      subjects.push(...opened.subjects);
      Object.assign(versions, opened.versions);
    } catch (error) {
      absent.push({ subject: name, reason: (error as Error).message.split('\n')[0] });
    }
  }
  return { subjects, versions, absent };
}
