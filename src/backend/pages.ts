import { mismatch, oneOf, XiError } from '../core/errors.ts';
import { BACKEND_NAMES, type Backend, type BackendName } from './interface.ts';
import type { IsaReport, ProbeReport } from './probes.ts';
import { probeReference } from './reference.ts';
import {
  type BackendOptions,
  checkWanted,
  nothingUsable,
  pickIsa,
  type Refusal,
  warnIfSlow,
} from './selection.ts';
import { openModule } from './wasm.ts';
import { WASM_MODULES, type WasmModule } from './wasm_modules.ts';
import { type ModuleSource, noThreads, openInPage, pageThreads, remedyOf } from './wasm_pages.ts';

/** Which backend to open where there is no Node. */
export interface PageBackendOptions extends BackendOptions {
  /**
   * `xitensor.wasm` or `xitensor-relaxed.wasm` of the package, compiled: for platforms that compile modules themselves and let no
   * program do it, such as Cloudflare's. One thread.
   */
  readonly wasmModule?: WebAssembly.Module;
}

const NO_NATIVE = 'there are no native binaries in a page';
const REFERENCE = probeReference();

const page = globalThis as { readonly navigator?: { readonly hardwareConcurrency?: number } };

/** What the engine says of a module before it is loaded. */
function firstReport(module: WasmModule, index: number): IsaReport {
  const report = { name: module.isa, index: 0, priority: WASM_MODULES.length - index };
  const usable = typeof WebAssembly === 'object' && WebAssembly.validate(module.probe);
  return { ...report, usable, reason: usable ? 'not loaded yet' : `this engine lacks ${module.needs}` };
}

/**
 * The backends of a page or a Web Worker: WebAssembly, else the reference. A module is loaded when a backend is opened,
 * and only the best that the engine runs; everything after that is as synchronous as in Node.
 */
export class PageBackends {
  private readonly isas = WASM_MODULES.map(firstReport);
  private readonly loaded = new Map<string, IsaReport>();
  private readonly failed = new Map<string, string>();
  private standard: Backend | undefined;
  private isFallback = false;
  private note = '';
  /** What helps against the failures of the last {@link open}. */
  private remedy: string | undefined;

  /**
   * Opens the first backend of the preference that can be had; `sourceOf` says where the bytes of a module are, and
   * `others` which options it reads itself.
   */
  async open(
    options: PageBackendOptions,
    sourceOf: (module: WasmModule) => ModuleSource,
    others: readonly string[] = [],
  ): Promise<Backend> {
    const cores = page.navigator?.hardwareConcurrency ?? 1;
    const { prefer, isa, threads } = checkWanted(options, { cores }, ['wasmModule', ...others]);
    const { wasmModule } = options;
    if (
      wasmModule !== undefined &&
      Object.prototype.toString.call(wasmModule) !== '[object WebAssembly.Module]'
    )
      throw mismatch('E_ARGUMENT', 'openBackend wasmModule', 'a WebAssembly.Module', wasmModule);
    const refusals: Refusal[] = [];
    this.remedy = undefined;
    for (const name of prefer) {
      const backend =
        name !== 'wasm'
          ? openOther(name, isa, threads)
          : wasmModule
            ? await this.openGiven(wasmModule, isa)
            : await this.openWasm(isa, threads, sourceOf);
      if (typeof backend !== 'string') {
        const isFallback = warnIfSlow(backend, refusals);
        if (!this.standard || this.isFallback) {
          this.standard = backend;
          this.isFallback = isFallback;
        }
        return backend;
      }
      refusals.push({ name, reason: backend });
    }
    throw nothingUsable(refusals, prefer.includes('wasm') ? this.remedy : undefined);
  }

  /** A module that the program compiled itself, or that its platform did. */
  private async openGiven(module: WebAssembly.Module, wanted: string | undefined): Promise<Backend | string> {
    try {
      const { backend, isa } = await openModule(module, undefined, 1, noThreads);
      if (wanted !== undefined && isa.name !== wanted) return `the module that was handed in is ${isa.name}`;
      const { priority } = this.isas.find(({ name }) => name === isa.name)!;
      this.loaded.set(isa.name, { ...isa, priority });
      this.note = noThreads.refusal;
      return backend;
    } catch (cause) {
      return `the module that was handed in cannot be used: ${(cause as Error).message}`;
    }
  }

  /** The best module that can be had; one that fails is passed over, and tried again the next time. */
  private async openWasm(
    wanted: string | undefined,
    threads: number,
    sourceOf: (module: WasmModule) => ModuleSource,
  ): Promise<Backend | string> {
    this.failed.clear();
    for (;;) {
      const chosen = pickIsa(this.reports(), wanted);
      if (typeof chosen === 'string') return chosen;
      const module = WASM_MODULES.find(({ isa }) => isa === chosen.name)!;
      let source: ModuleSource | undefined;
      try {
        source = sourceOf(module);
        const { backend, isa } = await openInPage(module, source, threads);
        this.loaded.set(isa.name, { ...isa, priority: chosen.priority });
        this.note = '';
        return backend;
      } catch (cause) {
        if (!(cause instanceof XiError && cause.code === 'E_BACKEND')) throw cause;
        this.failed.set(chosen.name, cause.message);
        if (source) this.remedy = remedyOf(source, cause.message);
      }
    }
  }

  private reports(): IsaReport[] {
    return this.isas.map((isa) => {
      const reason = this.failed.get(isa.name);
      if (reason !== undefined) return { ...isa, usable: false, reason };
      return this.loaded.get(isa.name) ?? isa;
    });
  }

  probe(name: BackendName): ProbeReport {
    oneOf('backend', name, BACKEND_NAMES);
    if (name === 'reference') return REFERENCE;
    if (name === 'native') return { name, usable: false, source: '', reason: NO_NATIVE };
    const isas = this.reports();
    const source = WASM_MODULES.at(-1)!.file;
    if (this.loaded.size > 0)
      return { name, usable: true, source, isas, note: this.note || pageThreads.refusal };
    const reason = isas.map((isa) => `${isa.name}: ${isa.reason}`).join('; ');
    return { name, usable: false, source, reason };
  }

  /** The backend that was opened first, but for a reference that nobody wanted. */
  get first(): Backend {
    if (this.standard) return this.standard;
    throw mismatch('E_BACKEND', 'backend', 'one that `await openBackend()` opened before', 'none');
  }
}

function openOther(name: BackendName, wanted: string | undefined, threads: number): Backend | string {
  if (name === 'native' || !REFERENCE.usable) return NO_NATIVE;
  const isa = pickIsa(REFERENCE.isas, wanted);
  return typeof isa === 'string' ? isa : REFERENCE.open(isa, threads);
}
