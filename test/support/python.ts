// @ts-expect-error plain JavaScript, which runs before anything is compiled
import { findPython } from '../../scripts/python.mjs';

/** A Python with modules that set-up installs; '' where there is none, which CI does not allow. */
export async function pythonWith(...modules: readonly string[]): Promise<string> {
  const program: string = await findPython(modules);
  if (program) return program;
  const message = `not covered: no Python with ${modules.join(' and ')} (npm run setup -- --python)`;
  if (process.env.CI) throw new Error(message);
  console.warn(message);
  return '';
}
