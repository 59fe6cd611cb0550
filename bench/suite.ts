import type { BenchArguments } from './arguments.ts';
export async function runSuite(_: BenchArguments): Promise<void> {}
