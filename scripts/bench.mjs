// All set-up, then bench/main.ts with the arguments given: npm run bench -- contraction.
import { relative, resolve } from 'node:path';
import { inProject, run, scratchPath } from './lib/steps.mjs';
import { setup } from './setup.mjs';

// What is measured is what users load: imports of src/ go to dist/, which finds prebuilds/ and wasm/ beside itself.
const useDist = {
  name: 'src-to-dist',
  setup(build) {
    build.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, resolveDir }) => {
      const inSrc = relative(inProject('src'), resolve(resolveDir, path));
      if (inSrc.startsWith('..')) return undefined;
      return { path: `../dist/${inSrc.replaceAll('\\', '/').replace(/\.ts$/, '.js')}`, external: true };
    });
  },
};

try {
  await setup();
  const { build } = await import('esbuild');
  const outfile = scratchPath('bench.mjs');
  await build({
    entryPoints: [inProject('bench/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'warning',
    plugins: [useDist],
  });
  process.exitCode = await run(
    process.execPath,
    ['--enable-source-maps', outfile, ...process.argv.slice(2)],
    { inherit: true },
  );
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
