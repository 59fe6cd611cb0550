// What the commands that run the conformance suite elsewhere have in common: their options, and the count of its cases.
import { parseArgs } from 'node:util';

/** Prints what is wrong and how it is done, and ends with status 2. */
export function refuse(message, help) {
  console.error(`${message}\n\n${help}`);
  process.exit(2);
}

/** `--only`, `--runs`, `--help` and the instruction sets, of the command line; `runs` is the default. */
export function suiteOptions(help, runs) {
  const shape = {
    only: { type: 'string', default: '' },
    runs: { type: 'string', default: runs },
    help: { type: 'boolean', default: false },
  };
  try {
    const { values, positionals } = parseArgs({ options: shape, allowPositionals: true });
    if (!/^[1-9]\d{0,3}$/.test(values.runs)) refuse(`--runs: expected 1 to 9999, got ${values.runs}`, help);
    return { ...values, isas: positionals };
  } catch (error) {
    return refuse(error.message, help);
  }
}

/** Those that were named, or all of `known`. */
export function chosenIsas(isas, known, help) {
  const unknown = isas.find((isa) => !known.includes(isa));
  if (unknown) refuse(`expected ${known.join(', ')}, got ${unknown}`, help);
  return isas.length > 0 ? isas : known;
}

/** The cases of a run on one instruction set, by the lines of test/conformance/run.ts, which it prints where they fail. */
export class Tally {
  passed = 0;
  failed = 0;
  node = '';
  cases = Number.POSITIVE_INFINITY;

  constructor(isa) {
    this.isa = isa;
  }

  get done() {
    return this.passed + this.failed;
  }

  /** Takes one line, parsed: the head, or a case. */
  take(said) {
    if (said.cases !== undefined) {
      this.cases = said.cases;
      this.node = said.node;
      return;
    }
    if (said.error === null) this.passed += 1;
    else {
      this.failed += 1;
      console.log(`${this.isa}: ${said.name}\n  ${said.error}`);
    }
  }

  /** Counts what did not run, and complaints of others, as failed, and prints both numbers. */
  end(complaints = 0) {
    const missing = this.cases - this.done;
    this.failed += complaints;
    if (missing > 0) {
      console.log(`${this.isa}: ${Number.isFinite(missing) ? missing : 'all'} cases did not run`);
      this.failed += Number.isFinite(missing) ? missing : 1;
    }
    console.log(`${this.isa}: ${this.passed} passed, ${this.failed} failed`);
  }
}

/** Prints the sum of some tallies as the last line, and returns the exit status. */
export function totalOf(tallies) {
  const sum = (of) => tallies.reduce((total, tally) => total + tally[of], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  return sum('failed') === 0 ? 0 : 1;
}

/** Runs such a command, whose promise is of its exit status. */
export async function main(name, work) {
  const code = await work.catch((error) => {
    console.error(`${name}: ${error.message}`);
    return 1;
  });
  process.exit(code);
}
