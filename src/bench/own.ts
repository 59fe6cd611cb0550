import { availableParallelism } from 'node:os';
import type { Backend, Storage } from '../backend/interface.ts';
import { probeBackend } from '../backend/select.ts';
import { type BackendOptions, checkWanted } from '../backend/selection.ts';
import { contract } from '../contract/contract.ts';
import { oneOf, XiError } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { analysisForms } from './analysis.ts';
import { lossesOf, trainerOf } from './models.ts';
import type { Absence } from './records.ts';
import { type Form, prepareBest, type Subject } from './subject.ts';
import { absenceLine } from './table.ts';
import {
  type GridWorkload,
  gridSteps,
  type Inputs,
  isAnalysis,
  isModel,
  type ModelWorkload,
  operationsOf,
  PATIENCE,
  type Workload,
} from './workloads.ts';

/**
 * Everything of ours that this machine can run, on one thread and on all cores, and what it cannot, with reasons; or what
 * the options, or the variables XITENSOR_BACKEND, XITENSOR_ISA and XITENSOR_THREADS, choose of it.
 *
 * @throws XiError E_ARGUMENT for an instruction set of no such name, or unknown options; E_BACKEND when nothing is left.
 */
export function ownSubjects(options: BackendOptions = {}): { subjects: Subject[]; absent: Absence[] } {
  const { XITENSOR_BACKEND: backend, XITENSOR_ISA: isa, XITENSOR_THREADS: threads } = process.env;
  const cores = availableParallelism();
  const wanted = checkWanted(options, { backend, isa, threads, cores });
  const counts = new Set((options.threads ?? threads) ? [wanted.threads] : [1, wanted.threads]);
  const absent: Absence[] = [];
  const subjects: Subject[] = [];
  const known: string[] = [];
  for (const name of wanted.prefer) {
    const probe = probeBackend(name);
    if (!probe.usable) {
      absent.push({ subject: `xitensor/${name}`, reason: probe.reason });
      continue;
    }
    known.push(...probe.isas.map((isa) => isa.name));
    for (const isa of probe.isas) {
      if (wanted.isa !== undefined && isa.name !== wanted.isa) continue;
      // The first module of WebAssembly and the reference go by the name of the backend alone.
      const plain = name === 'reference' || isa.name === 'wasm128';
      const subject = plain ? `xitensor/${name}` : `xitensor/${name}/${isa.name}`;
      if (!isa.usable) absent.push({ subject, reason: isa.reason });
      for (const count of isa.usable ? counts : []) {
        const backend = probe.open(isa, count);
        // A backend without threads stays at 1 whatever it is asked for.
        if (backend.threads === count) subjects.push(ownSubject(subject, backend));
        else if (counts.size === 1) absent.push({ subject, reason: `it has ${backend.threads} thread` });
      }
    }
  }
  if (wanted.isa !== undefined && known.length > 0) oneOf('--isa', wanted.isa, known);
  if (subjects.length === 0) {
    throw new XiError(
      'E_BACKEND',
      `nothing to measure:${absent.map((a) => `\n  ${absenceLine(a)}`).join('')}`,
    );
  }
  return { subjects, absent };
}

function ownSubject(name: string, backend: Backend): Subject {
  return {
    name,
    threads: backend.threads,
    backend,
    answers: (workload) =>
      (backend.name !== 'reference' || operationsOf(workload) <= PATIENCE) &&
      (workload.kind !== 'call' || backend.threads === 1),
    prepare: (workload, inputs) => prepareBest(formsOf(workload, inputs, backend)),
  };
}

function upload(backend: Backend, values: Tensor['data']): Storage {
  const storage = backend.allocate(values instanceof Float32Array ? 'float32' : 'float64', values.length);
  storage.write(values);
  return storage;
}

const tensorOf = ({ shape, data }: Inputs[string]): Tensor => ({
  dtype: data instanceof Float32Array ? 'float32' : 'float64',
  shape: [...shape],
  data,
});

/** The ways to ask a backend of ours; a new entry point of the library (prepacked weights, say) is one more of them. */
function formsOf(workload: Workload, inputs: Inputs, backend: Backend): Form[] {
  if (isModel(workload)) {
    return [(workload.kind === 'train' ? trainingStep : scoring)(workload, inputs, backend)];
  }
  if (isAnalysis(workload)) return analysisForms(workload, inputs, backend);
  if (workload.kind === 'grid')
    return [gridByPairs(workload, inputs, backend), gridByRows(workload, inputs, backend)];
  if (workload.kind === 'maxplus')
    return [maxPlus(inputs, backend), maxPlusInPlace(workload.n, inputs, backend)];
  const { xi, sizes, dtype } = workload;
  if (workload.kind === 'call' && workload.way === 'public') {
    const operands = [inputs.G, inputs.a, inputs.h].map(tensorOf);
    const run = () => contract('ijk; bi,bj -> bk', operands, { xi, backend });
    return [{ name: 'contract()', run, outputs: () => ({ arrays: { out: run().data } }) }];
  }
  const { B, L, R, K } = sizes;
  const [a, h, G] = [inputs.a, inputs.h, inputs.G].map(({ data }) => upload(backend, data));
  const out = backend.allocate(dtype, B * K);
  const precision = workload.kind === 'contract' ? workload.precision : undefined;
  const forward = () => backend.contract(xi, sizes, a, h, G, out, precision);
  if (workload.kind !== 'gradients') {
    const outputs = () => {
      forward();
      return { arrays: { out: out.read() } };
    };
    const packed = backend.packWeights(L, R, K, G, precision);
    const withPacked = () => backend.contractPacked(xi, B, a, h, packed, out);
    const packedOutputs = () => {
      withPacked();
      return { arrays: { out: out.read() } };
    };
    return [
      { name: 'backend.contract', run: forward, outputs },
      { name: 'backend.contractPacked', run: withPacked, outputs: packedOutputs },
    ];
  }
  const dout = upload(backend, inputs.dout.data);
  const [da, dh, dG] = [B * L, B * R, L * R * K].map((count) => backend.allocate(dtype, count));
  const run = () => {
    forward();
    backend.contractGradient(xi, sizes, { a, h, G, dout }, { da, dh, dG }, false);
  };
  const outputs = () => {
    run();
    return { arrays: { out: out.read(), da: da.read(), dh: dh.read(), dG: dG.read() } };
  };
  return [{ name: 'backend.contract + contractGradient', run, outputs }];
}

/** What a user's `fit` does between two looks at the event loop, gathering the batch included. */
function trainingStep(workload: ModelWorkload, inputs: Inputs, backend: Backend): Form {
  const trainer = trainerOf(workload, inputs, backend);
  const outputs = () => ({ arrays: { out: lossesOf(trainerOf(workload, inputs, backend)) } });
  return { name: 'Trainer.step', run: () => trainer.step(), outputs };
}

function scoring(workload: ModelWorkload, inputs: Inputs, backend: Backend): Form {
  const { model } = trainerOf(workload, inputs, backend);
  const run = () => model.score(tensorOf(inputs.X));
  return { name: 'model.score', run, outputs: () => ({ arrays: { out: run().data } }) };
}

function maxPlus(inputs: Inputs, backend: Backend): Form {
  const operands = [inputs.A, inputs.B].map(tensorOf);
  const run = () => contract('; ik,kj -> ij', operands, { xi: 'sum', reduce: 'max', backend });
  return { name: 'contract()', run, outputs: () => ({ arrays: { out: run().data } }) };
}

/** Into an array that is kept, as the peers' `out=`. */
function maxPlusInPlace(n: number, inputs: Inputs, backend: Backend): Form {
  const [A, B] = [inputs.A, inputs.B].map(({ data }) => upload(backend, data));
  const out = backend.allocate('float32', n * n);
  const plan = {
    ...({ xi: 'sum', combine: 'sum', reduce: 'max', fromUnit: false } as const),
    ...{ batch: [], rows: [n], columns: [n], terms: [n], outStrides: [n, 1] },
    left: [{ data: A, strides: [n, 1] }],
    right: [{ data: B, strides: [1, n] }],
  };
  const run = () => backend.joined(plan, out);
  const outputs = () => {
    run();
    return { arrays: { out: out.read() } };
  };
  return { name: 'backend.joined', run, outputs };
}

/** A grid by the kernel that joins all templates with all prefixes, step after step. */
function gridByPairs(workload: GridWorkload, inputs: Inputs, backend: Backend): Form {
  const { M, T, dtype, xi } = workload;
  const steps = gridSteps(workload);
  const a = upload(backend, inputs.a.data);
  const cores = steps.map((_, t) => upload(backend, inputs[`G${t}`].data));
  const states = [
    backend.allocate(dtype, 1),
    ...steps.map(({ prefixes, sizes: { K } }) => backend.allocate(dtype, prefixes * M * K)),
  ];
  const run = () =>
    steps.forEach(({ prefixes, sizes }, t) => {
      backend.contractGrid(xi, { P: prefixes, M, ...sizes }, a, states[t], cores[t], states[t + 1]);
    });
  const outputs = () => {
    run();
    return { arrays: { out: states[T].read() } };
  };
  return { name: 'backend.contractGrid', run, outputs };
}

/**
 * A grid by plain contractions: for each template one call for every block of prefixes, with the template repeated
 * as rows. Out of it come rows with the last template slowest, which is as good an order as any and costs no copy.
 */
function gridByRows(workload: GridWorkload, inputs: Inputs, backend: Backend): Form {
  const { M, L, T, dtype, xi } = workload;
  const block = Math.min(1024, M ** (T - 1));
  const repeated = Array.from({ length: M }, (_, m) => {
    const template = inputs.a.data.subarray(m * L, (m + 1) * L);
    const rows = inputs.a.data.slice(0, 0).constructor as Float64ArrayConstructor;
    const data = new rows(block * L);
    for (let b = 0; b < block; b++) data.set(template, b * L);
    return upload(backend, data);
  });
  const steps = gridSteps(workload);
  const cores = steps.map((_, t) => upload(backend, inputs[`G${t}`].data));
  const states = [
    backend.allocate(dtype, 1),
    ...steps.map(({ prefixes, sizes: { K } }) => backend.allocate(dtype, prefixes * M * K)),
  ];
  const run = () => {
    steps.forEach(({ prefixes, sizes }, t) => {
      for (let m = 0; m < M; m++) {
        for (let first = 0; first < prefixes; first += block) {
          const B = Math.min(block, prefixes - first);
          const h = states[t].at(first * sizes.R, B * sizes.R);
          const out = states[t + 1].at((m * prefixes + first) * sizes.K, B * sizes.K);
          backend.contract(xi, { B, ...sizes }, repeated[m].at(0, B * L), h, cores[t], out);
        }
      }
    });
  };
  const outputs = () => {
    run();
    return { arrays: { out: states[T].read() }, lastSlowest: true };
  };
  return { name: `backend.contract, blocks of ${block} rows`, run, outputs };
}
