// Makes the entries for browsers, dist/index.browser.js and dist/index.inline.js, each one file that imports nothing, and the
// conformance suite as one file. The modules that know Node and those for pages stand in each other's place here, and nowhere else.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { inProject } from './steps.mjs';

/** The entries by the file that takes the place of src/backend/select.ts in them. */
const ENTRIES = { browser: 'select.browser.ts', inline: 'select.inline.ts' };

const standIn = (name) => ({
  name: 'stand-in',
  setup(build) {
    build.onResolve({ filter: /\/select\.ts$/ }, () => ({ path: inProject('src/backend', name) }));
    build.onLoad({ filter: /\/wasm_packed\.ts$/ }, () => ({ contents: packedModules(), loader: 'js' }));
  },
});

/** `PACKED_MODULES` of src/backend/wasm_packed.ts with something in it. */
function packedModules() {
  const table = readFileSync(inProject('src/backend/wasm_modules.ts'), 'utf8');
  const modules = [...table.matchAll(/isa: '(\w+)',\s*file: '([^']+)'/g)].map(([, isa, file]) => [
    isa,
    gzipSync(readFileSync(inProject(file)), { level: 9 }).toString('base64'),
  ]);
  return `export const PACKED_MODULES = ${JSON.stringify(Object.fromEntries(modules))};`;
}

/** Options of esbuild for code that meets the library's sources in a browser; `entry` is browser or inline. */
export function browserOptions(entry) {
  return {
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
    plugins: [standIn(ENTRIES[entry])],
  };
}

/** Bundles the entries into a folder beside src/; the inline one only where the modules could be built. */
export async function bundleEntries(folder) {
  const { build } = await import('esbuild');
  const { minify } = await import('terser');
  for (const entry of Object.keys(ENTRIES)) {
    if (entry === 'inline' && !existsSync(inProject('wasm/xitensor.wasm'))) continue;
    const shape = {
      ...browserOptions(entry),
      entryPoints: [inProject(`src/index.${entry}.ts`)],
      write: false,
    };
    // Comments and layout are half of it.
    const { outputFiles } = await build({ ...shape, minifyWhitespace: true, minifySyntax: true });
    // Names within functions, which esbuild shortens with all others, are a fifth of the rest; those of functions and
    // classes stay, for those who read a stack.
    const { code } = await minify(outputFiles[0].text, {
      compress: false,
      mangle: { keep_fnames: true, keep_classnames: true },
      // Tools that judge a module by its text look for a statement at the start of a line, which the last one is not.
      format: { preamble: 'export {};' },
    });
    writeFileSync(join(folder, `index.${entry}.js`), code);
  }
}

/** Bundles the conformance suite for a Node that has nothing but the binaries and test/golden/, and returns the path within the project. */
export async function bundleSuite(name) {
  const { build } = await import('esbuild');
  const path = `.setup/conformance/${name}.mjs`;
  const shape = { bundle: true, platform: 'node', format: 'esm', logLevel: 'error' };
  await build({ ...shape, entryPoints: [inProject('test/conformance/run.ts')], outfile: inProject(path) });
  return path;
}
