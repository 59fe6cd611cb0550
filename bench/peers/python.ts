import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { FormTrial } from '../../src/bench/records.ts';
import type { Prepared, Subject } from '../../src/bench/subject.ts';
import { Watch } from '../../src/bench/watch.ts';
import type { Inputs, Workload } from '../../src/bench/workloads.ts';
import { XiError } from '../../src/core/errors.ts';

type Answer = Readonly<Record<string, unknown>>;

/** Python with its libraries loaded, which answers a line of JSON with a line of JSON (bench/peers/peer.py). */
class PythonProcess {
  readonly #child: ChildProcess;
  readonly #waiting: { resolve(answer: Answer): void; reject(error: Error): void }[] = [];
  #stderr = '';
  /** Of the core that Python runs on. */
  readonly watch = new Watch(async () => (await this.ask({ do: 'watch' })).ms as number);

  constructor(
    peer: string,
    readonly label: string,
    env: Readonly<Record<string, string>>,
  ) {
    const single = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
    // The folder of the benchmark is not for Python's caches.
    const quiet = { PYTHONDONTWRITEBYTECODE: '1' };
    this.#child = spawn('/usr/bin/python3', [resolve('bench/peers/peer.py'), peer], {
      env: { ...process.env, ...single, ...quiet, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-2000);
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      const answer = JSON.parse(line) as Answer;
      const waiting = this.#waiting.shift();
      if (typeof answer.error === 'string') waiting?.reject(new XiError('E_BACKEND', answer.error));
      else waiting?.resolve(answer);
    });
    const fail = (why: string) => {
      const last = this.#stderr.trim().split('\n').at(-1);
      for (const { reject } of this.#waiting.splice(0)) {
        reject(new XiError('E_BACKEND', `python ${peer} ${why}${last ? `: ${last}` : ''}`));
      }
    };
    this.#child.on('error', (error) => fail(error.message));
    this.#child.on('close', (code) => fail(`ended with status ${code}`));
    this.#child.stdin?.on('error', () => {});
  }

  ask(request: object): Promise<Answer> {
    if (this.#child.exitCode !== null) {
      return Promise.reject(new XiError('E_BACKEND', `python ended with status ${this.#child.exitCode}`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    });
  }

  close(): void {
    this.#child.stdin?.end();
  }
}

/** Environments that a peer is tried in: what a library finds out about a new processor by itself is not always best. */
export interface PythonEnvironment {
  readonly label: string;
  readonly env: Readonly<Record<string, string>>;
}

export type FormGroup = 'best' | 'plain' | 'by hand' | 'overflows';

export interface PythonPeer {
  /** Name of the subject. */
  readonly name: string;
  /** Whose forms: torch, numpy or openblas. */
  readonly library: string;
  readonly environments: readonly PythonEnvironment[];
  /** Among which the fastest form is chosen (peer.py). */
  readonly groups?: readonly FormGroup[];
  answers(workload: Workload): boolean;
}

/** Starts a Python peer once for each environment; each workload is measured in that where its best form is fastest. */
export async function pythonPeer({
  name,
  library,
  environments,
  groups = ['best', 'plain'],
  answers,
}: PythonPeer): Promise<{
  subject: Subject;
  versions: Readonly<Record<string, string>>;
}> {
  const folder = mkdtempSync(join(tmpdir(), 'xitensor-bench-'));
  const processes = environments.map(({ label, env }) => new PythonProcess(library, label, env));
  const close = () => {
    for (const python of processes) python.close();
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', close);
  const informed = await Promise.all(processes.map((python) => python.ask({ do: 'info' })));
  const subject: Subject = {
    name,
    threads: 1,
    answers,
    prepare: (workload, inputs) => prepare(processes, { workload, groups, folder }, inputs),
    close,
  };
  return { subject, versions: informed[0].versions as Record<string, string> };
}

async function prepare(
  processes: readonly PythonProcess[],
  task: { readonly workload: Workload; readonly groups: readonly FormGroup[]; readonly folder: string },
  inputs: Inputs,
): Promise<Prepared> {
  const { workload, folder } = task;
  const files = Object.fromEntries(
    Object.entries(inputs).map(([name, { data, shape }]) => {
      const file = join(folder, `${name}.raw`);
      writeFileSync(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      return [name, { file, shape, dtype: workload.dtype }];
    }),
  );
  const tried: FormTrial[] = [];
  let best: { python: PythonProcess; form: string; ms: number } | undefined;
  for (const python of processes) {
    const answer = await python.ask({ do: 'prepare', ...task, inputs: files });
    const label = python.label ? ` · ${python.label}` : '';
    const trials = (answer.tried as FormTrial[]).map((t) => ({ ...t, form: `${t.form}${label}` }));
    tried.push(...trials);
    const form = `${answer.form}${label}`;
    const ms = trials.find((t) => t.form === form)?.ms ?? 0;
    if (!best || ms < best.ms) best = { python, form, ms };
  }
  const { python, form } = best!;
  const typed = workload.dtype === 'float32' ? Float32Array : Float64Array;
  return {
    form,
    tried,
    watch: python.watch,
    round: async (calls) => (await python.ask({ do: 'round', calls })).ms as number,
    outputs: async () => {
      const { arrays } = (await python.ask({ do: 'outputs' })) as { arrays: Record<string, string> };
      const read = (file: string) => new typed(new Uint8Array(readFileSync(file)).buffer);
      return { arrays: Object.fromEntries(Object.entries(arrays).map(([key, file]) => [key, read(file)])) };
    },
  };
}
