import type { Backend, BackendName, Tiles } from './interface.ts';

/** An instruction set of a binary: whether this processor runs it, or what it lacks. */
export interface IsaReport {
  /** As `XITENSOR_ISA` and the options of a backend call it. */
  readonly name: string;
  /** Place in the table of the binary. */
  readonly index: number;
  /** Whether this processor runs it. */
  readonly usable: boolean;
  /** The usable one with the largest is the default. */
  readonly priority: number;
  /** What the processor or engine lacks, or what else there is to know of it. */
  readonly reason: string;
  /** Instruction sets whose tiles it contracts with, by precision. */
  readonly tiles?: Tiles;
}

/** A backend that can be had. */
export interface UsableProbe {
  /** Which backend was probed. */
  readonly name: BackendName;
  /** It can be had. */
  readonly usable: true;
  /** The file or module that it comes from. */
  readonly source: string;
  /** Every instruction set of the binary. */
  readonly isas: readonly IsaReport[];
  /** What else there is to say, such as why there is one thread only. */
  readonly note?: string;
}

/** A backend that cannot be had. */
export interface FailedProbe {
  /** Which backend was probed. */
  readonly name: BackendName;
  /** It cannot be had. */
  readonly usable: false;
  /** The file or module that was looked for. */
  readonly source: string;
  /** Why not. */
  readonly reason: string;
}

/** What probing a backend found, or why it cannot be had. */
export type ProbeReport = UsableProbe | FailedProbe;

/** A backend that can be had, with how to open it. */
export interface OpenableProbe extends UsableProbe {
  /** Opens the backend with one of its usable instruction sets and at most so many threads. */
  open(isa: IsaReport, threads: number): Backend;
}

/** What probing found, with how to open it. */
export type Probe = OpenableProbe | FailedProbe;
