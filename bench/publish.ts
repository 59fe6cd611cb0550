import type { BenchResult } from './records.ts';
export async function publish(_: BenchResult): Promise<void> {}
export async function writeDocs(): Promise<void> {}
