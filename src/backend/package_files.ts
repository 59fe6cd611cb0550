import { fileURLToPath } from 'node:url';
import { XiError } from '../core/errors.ts';

// Webpack takes `new URL('…', import.meta.url)` for a file to copy, and one that is computed for a whole folder of them; a base of
// another name it leaves alone.
const here: string | undefined = import.meta.url;

const REMEDY = "a bundle for Node leaves 'xitensor' outside (esbuild: --external:xitensor)";

/**
 * Where a file of the package is, seen from dist/backend/.
 *
 * @throws XiError E_BACKEND in a bundle that does not know its own address, as those of CommonJS.
 */
export function packagePath(file: string): string {
  try {
    return fileURLToPath(new URL(`../../${file}`, here));
  } catch (cause) {
    const received = 'a program without an address of its own';
    throw new XiError(
      'E_BACKEND',
      `${file}: expected the folder of the package, received ${received}; ${REMEDY}`,
      {
        cause,
      },
    );
  }
}

/** Why a file is not at its place: also whoever has bundled the package for Node learns it. */
export function absence(file: string, path: string): string {
  const isBundled = !/[\\/](dist|src)[\\/]backend[\\/]\w+\.[jt]s$/.test(fileURLToPath(here as string));
  return `${file} is missing${isBundled ? ` (looked for at ${path}; ${REMEDY})` : ''}`;
}
